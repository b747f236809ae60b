// The SQL of the SQLite driver, prepared once, and how a statement waits for the lock: without blocking the process.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { isBusy, sqliteFault } from './sqlite-file.ts'

const SWEEP_ROWS = 200
const FIRST_RETRY_MS = 2
const LONGEST_RETRY_MS = 25

const STATEMENTS = {
  get: 'SELECT value, version, expires_at, consumed_at FROM records WHERE key = ?',
  set: `INSERT INTO records (key, value, version, expires_at) VALUES (?, ?, 1, ?) ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, version = 1, expires_at = excluded.expires_at, consumed_at = NULL`,
  delete: 'DELETE FROM records WHERE key = ?',
  keys: 'SELECT key FROM records WHERE key > ? AND expires_at > ? ORDER BY key LIMIT ?',
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

type Name = keyof typeof STATEMENTS

export interface SqliteStatements {
  /** True if the statement changed a row. */
  changes(name: Name, ...values: SQLInputValue[]): Promise<boolean>
  row<Row>(name: Name, ...values: SQLInputValue[]): Promise<Row | undefined>
  rows<Row>(name: Name, ...values: SQLInputValue[]): Promise<Row[]>
  /** One statement over many rows of values, in one transaction. */
  changesAll(name: Name, rows: readonly SQLInputValue[][]): Promise<void>
  /** Deletes what expired, a few rows at a time. */
  sweep(at: number): Promise<void>
}

type Prepared = Record<Name, StatementSync>

function prepare(database: DatabaseSync): Prepared {
  const names = Object.keys(STATEMENTS) as Name[]
  const prepared = names.map((name) => [name, database.prepare(STATEMENTS[name])])
  return Object.fromEntries(prepared) as Prepared
}

/** Runs a statement; while another process holds the lock it tries again, and other requests go on meanwhile. */
async function attempt<T>(file: string, lockWaitMs: number, statement: () => T): Promise<T> {
  let firstTriedAt: number | undefined
  for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_RETRY_MS)) {
    try {
      return statement()
    } catch (error) {
      firstTriedAt ??= performance.now()
      const isOver = performance.now() - firstTriedAt >= lockWaitMs
      if (isOver || !isBusy(error)) throw sqliteFault(file, error)
    }
    await delay(waitMs * (0.5 + Math.random()))
  }
}

function inTransaction(database: DatabaseSync, sql: Prepared, work: () => void): void {
  sql.begin.run()
  try {
    work()
    sql.commit.run()
  } catch (error) {
    if (database.isTransaction) sql.rollback.run()
    throw error
  }
}

/** Every statement rejects with StorageError `unavailable`, for a lock after `lockWaitMs`. */
export function prepareStatements(
  database: DatabaseSync,
  { file, lockWaitMs }: { file: string; lockWaitMs: number },
): SqliteStatements {
  const sql = prepare(database)
  const trying = <T>(statement: () => T) => attempt(file, lockWaitMs, statement)
  return {
    changes: (name, ...values) => trying(() => sql[name].run(...values).changes === 1),
    row: <Row>(name: Name, ...values: SQLInputValue[]) =>
      trying(() => sql[name].get(...values) as Row | undefined),
    rows: <Row>(name: Name, ...values: SQLInputValue[]) =>
      trying(() => sql[name].all(...values) as Row[]),
    changesAll: (name, rows) =>
      trying(() =>
        inTransaction(database, sql, () => {
          for (const values of rows) sql[name].run(...values)
        }),
      ),
    async sweep(at) {
      for (const name of ['sweepRecords', 'sweepMembers', 'sweepLeases'] as const)
        while (database.isOpen && (await trying(() => sql[name].run(at).changes)) === SWEEP_ROWS)
          await delay(5)
    },
  }
}
