// The driver over one SQLite file, shared by any number of processes on one machine. Every operation is one statement,
// and so atomic by itself; opening and the schema are in sqlite-file.ts.
import { setTimeout as delay } from 'node:timers/promises'
import type { Driver, StoredRecord, Value } from '../driver.ts'
import { isBusy, openSqliteFile, sqliteFault } from './sqlite-file.ts'

export interface SqliteOptions {
  /** Path of the database file; it and its folder are made when missing. */
  file: string
  /** Epoch milliseconds. */
  now?: () => number
  /** How often expired rows are deleted. Default 30. */
  sweepSeconds?: number
  /** How long an operation waits, without blocking the process, while others hold the write lock. Default 500. */
  lockWaitMs?: number
}

const SWEEP_ROWS = 200
const FIRST_RETRY_MS = 2
const LONGEST_RETRY_MS = 25

interface Row {
  value: string
  version: number
  expires_at: number
  consumed_at: number | null
}

function recordFrom(row: Row): StoredRecord {
  const record = {
    value: JSON.parse(row.value) as Value,
    version: row.version,
    expiresAt: row.expires_at,
  }
  return row.consumed_at === null ? record : { ...record, consumedAt: row.consumed_at }
}

const STATEMENTS = {
  get: 'SELECT value, version, expires_at, consumed_at FROM records WHERE key = ?',
  set: `INSERT INTO records (key, value, version, expires_at) VALUES (?, ?, 1, ?) ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, version = 1, expires_at = excluded.expires_at, consumed_at = NULL`,
  delete: 'DELETE FROM records WHERE key = ?',
  insert: `INSERT INTO records (key, value, version, expires_at) VALUES (?, ?, 1, ?) ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, version = 1, expires_at = excluded.expires_at, consumed_at = NULL
    WHERE records.expires_at <= ?`,
  take: 'DELETE FROM records WHERE key = ? RETURNING value, version, expires_at, consumed_at',
  consume:
    'UPDATE records SET consumed_at = ? WHERE key = ? AND expires_at > ? AND consumed_at IS NULL',
  update: `UPDATE records SET value = ?, version = version + 1, expires_at = coalesce(?, expires_at)
    WHERE key = ? AND version = ? AND expires_at > ?`,
  add: `INSERT INTO members (name, member, expires_at) VALUES (?, ?, ?) ON CONFLICT (name, member) DO UPDATE
    SET expires_at = max(expires_at, excluded.expires_at)`,
  members: 'SELECT member FROM members WHERE name = ? AND expires_at > ?',
  dropMember: 'DELETE FROM members WHERE name = ? AND member = ?',
  dropIndex: 'DELETE FROM members WHERE name = ?',
  lease: `INSERT INTO leases (key, owner, expires_at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE
    SET owner = excluded.owner, expires_at = excluded.expires_at
    WHERE leases.owner = excluded.owner OR leases.expires_at <= ?`,
  release: 'DELETE FROM leases WHERE key = ? AND owner = ?',
  sweepRecords: `DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
  sweepMembers: `DELETE FROM members WHERE rowid IN (SELECT rowid FROM members WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
  sweepLeases: `DELETE FROM leases WHERE rowid IN (SELECT rowid FROM leases WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
} as const

/** Rejects (throws) with StorageError `unusable` when the file can not be opened, created, written or understood. */
export function createSqliteDriver(options: SqliteOptions): Driver {
  const { file, now = Date.now, sweepSeconds = 30, lockWaitMs = 500 } = options
  const database = openSqliteFile(file)
  const names = Object.keys(STATEMENTS) as (keyof typeof STATEMENTS)[]
  const sql = Object.fromEntries(
    names.map((name) => [name, database.prepare(STATEMENTS[name])]),
  ) as Record<keyof typeof STATEMENTS, ReturnType<typeof database.prepare>>

  /** Runs a statement; while another process holds the lock it tries again, and other requests go on meanwhile. */
  async function attempt<T>(statement: () => T): Promise<T> {
    let firstTriedAt: number | undefined
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_RETRY_MS)) {
      try {
        return statement()
      } catch (error) {
        firstTriedAt ??= performance.now()
        if (!isBusy(error) || performance.now() - firstTriedAt >= lockWaitMs)
          throw sqliteFault(file, error)
      }
      await delay(waitMs * (0.5 + Math.random()))
    }
  }

  /** True if the statement changed a row. */
  const changes = (name: keyof typeof STATEMENTS, ...values: (string | number | null)[]) =>
    attempt(() => sql[name].run(...values).changes === 1)

  async function sweep(): Promise<void> {
    for (const name of ['sweepRecords', 'sweepMembers', 'sweepLeases'] as const) {
      while (database.isOpen && sql[name].run(now()).changes === SWEEP_ROWS) await delay(5)
    }
  }
  // A sweep that meets a lock or a full disk is of no consequence: the next one does its work.
  const timer = setInterval(() => void sweep().catch(() => undefined), sweepSeconds * 1000).unref()

  const expiry = (ttlSeconds: number) => Math.round(now() + ttlSeconds * 1000)
  function writeAll(entries: Parameters<Driver['setAll']>[0]): void {
    sql.begin.run()
    try {
      for (const { key, value, ttlSeconds } of entries)
        sql.set.run(key, JSON.stringify(value), expiry(ttlSeconds))
      sql.commit.run()
    } catch (error) {
      if (database.isTransaction) sql.rollback.run()
      throw error
    }
  }

  return {
    kind: 'sqlite',
    async get(key) {
      const row = await attempt(() => sql.get.get(key) as Row | undefined)
      return row && row.expires_at > now() ? recordFrom(row) : undefined
    },
    async set(key, value, ttlSeconds) {
      await changes('set', key, JSON.stringify(value), expiry(ttlSeconds))
    },
    async setAll(entries) {
      const [first, second] = entries
      if (second) await attempt(() => writeAll(entries))
      else if (first)
        await changes('set', first.key, JSON.stringify(first.value), expiry(first.ttlSeconds))
    },
    async delete(key) {
      await changes('delete', key)
    },
    insert: (key, value, ttlSeconds) =>
      changes('insert', key, JSON.stringify(value), expiry(ttlSeconds), now()),
    async take(key) {
      const row = await attempt(() => sql.take.get(key) as Row | undefined)
      return row && row.expires_at > now() ? recordFrom(row) : undefined
    },
    consume: (key) => changes('consume', now(), key, now()),
    update(key, expectedVersion, value, ttlSeconds) {
      const expiresAt = ttlSeconds === undefined ? null : expiry(ttlSeconds)
      return changes('update', JSON.stringify(value), expiresAt, key, expectedVersion, now())
    },
    async add(index, member, ttlSeconds) {
      await changes('add', index, member, expiry(ttlSeconds))
    },
    async members(index) {
      const rows = await attempt(() => sql.members.all(index, now()) as { member: string }[])
      return rows.map(({ member }) => member)
    },
    async drop(index, member) {
      await (member === undefined
        ? changes('dropIndex', index)
        : changes('dropMember', index, member))
    },
    lease: (key, owner, ttlSeconds) => changes('lease', key, owner, expiry(ttlSeconds), now()),
    async release(key, owner) {
      await changes('release', key, owner)
    },
    async ping() {
      await changes('lease', 'ping', 'ping', expiry(1), now())
    },
    async close() {
      clearInterval(timer)
      if (database.isOpen) database.close()
    },
  }
}
