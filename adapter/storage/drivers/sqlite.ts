// The driver over one SQLite file, shared by any number of processes on one machine. Every operation is one statement,
// and so atomic by itself; the statements are in sqlite-statements.ts, opening and the schema in sqlite-file.ts.
import type { Driver, StoredRecord, Value } from '../driver.ts'
import { openSqliteFile } from './sqlite-file.ts'
import { prepareStatements } from './sqlite-statements.ts'
import type { SqliteStatements } from './sqlite-statements.ts'

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

type Clock = () => number
type Records = Pick<
  Driver,
  'get' | 'set' | 'setAll' | 'delete' | 'insert' | 'take' | 'consume' | 'update'
>

const expiry = (now: Clock, ttlSeconds: number) => Math.round(now() + ttlSeconds * 1000)

function records({ changes, changesAll, row }: SqliteStatements, now: Clock): Records {
  const written = (key: string, value: Value, ttlSeconds: number) =>
    [key, JSON.stringify(value), expiry(now, ttlSeconds)] as const
  const live = (found: Row | undefined) =>
    found && found.expires_at > now() ? recordFrom(found) : undefined
  return {
    get: async (key) => live(await row<Row>('get', key)),
    async set(...entry) {
      await changes('set', ...written(...entry))
    },
    async setAll(entries) {
      const rows = entries.map(({ key, value, ttlSeconds }) => [...written(key, value, ttlSeconds)])
      const [first, second] = rows
      if (second) await changesAll('set', rows)
      else if (first) await changes('set', ...first)
    },
    async delete(key) {
      await changes('delete', key)
    },
    insert: (...entry) => changes('insert', ...written(...entry), now()),
    take: async (key) => live(await row<Row>('take', key)),
    consume: (key) => changes('consume', now(), key, now()),
    update(key, expectedVersion, value, ttlSeconds) {
      const expiresAt = ttlSeconds === undefined ? null : expiry(now, ttlSeconds)
      return changes('update', JSON.stringify(value), expiresAt, key, expectedVersion, now())
    },
  }
}

const KEYS_OF_A_PAGE = 500

function walking({ rows, sweep }: SqliteStatements, now: Clock): Pick<Driver, 'keys'> {
  return {
    async keys(cursor = '') {
      // Whoever walks wants to know all that there is, on the disk too.
      if (cursor === '') await sweep(now())
      const found = await rows<{ key: string }>('keys', cursor, now(), KEYS_OF_A_PAGE)
      const keys = found.map(({ key }) => key)
      const next = keys.at(-1)
      return next === undefined || keys.length < KEYS_OF_A_PAGE ? { keys } : { keys, next }
    },
  }
}

function indexes(
  { changes, rows }: SqliteStatements,
  now: Clock,
): Pick<Driver, 'add' | 'members' | 'drop'> {
  return {
    async add(index, member, ttlSeconds) {
      await changes('add', index, member, expiry(now, ttlSeconds))
    },
    async members(index) {
      return (await rows<{ member: string }>('members', index, now())).map(({ member }) => member)
    },
    async drop(index, member) {
      if (member === undefined) await changes('dropIndex', index)
      else await changes('dropMember', index, member)
    },
  }
}

function leases(
  { changes }: SqliteStatements,
  now: Clock,
): Pick<Driver, 'lease' | 'release' | 'ping'> {
  const lease: Driver['lease'] = (key, owner, ttlSeconds) =>
    changes('lease', key, owner, expiry(now, ttlSeconds), now())
  return {
    lease,
    async release(key, owner) {
      await changes('release', key, owner)
    },
    async ping() {
      await lease('ping', 'ping', 1)
    },
  }
}

/** Rejects (throws) with StorageError `unusable` when the file can not be opened, created, written or understood. */
export function createSqliteDriver(options: SqliteOptions): Driver {
  const { file, now = Date.now, sweepSeconds = 30, lockWaitMs = 500 } = options
  const database = openSqliteFile(file)
  const statements = prepareStatements(database, { file, lockWaitMs })
  // A sweep that meets a lock or a full disk is of no consequence: the next one does its work.
  const sweep = () => void statements.sweep(now()).catch(() => undefined)
  const timer = setInterval(sweep, sweepSeconds * 1000).unref()
  return {
    kind: 'sqlite',
    ...records(statements, now),
    ...walking(statements, now),
    ...indexes(statements, now),
    ...leases(statements, now),
    async close() {
      clearInterval(timer)
      if (database.isOpen) database.close()
    },
  }
}
