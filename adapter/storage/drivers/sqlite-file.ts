// Opens (or makes) the SQLite file, brings its schema up to date, and says in words what is wrong with it.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StorageError } from '../../errors.ts'

const SCHEMA_VERSION = 1
const OPEN_WAIT_MS = 2000
/** Within an operation SQLite itself, which blocks the process, waits no longer than this. */
const BLOCKING_WAIT_MS = 2
/** Files up to this size are checked from end to end at every start; it takes some ten milliseconds. */
const CHECKED_BYTES = 16 * 1024 * 1024

const SCHEMA = `
  CREATE TABLE records (key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, consumed_at INTEGER) STRICT;
  CREATE INDEX records_expiry ON records (expires_at);
  CREATE TABLE members (name TEXT NOT NULL, member TEXT NOT NULL, expires_at INTEGER NOT NULL, UNIQUE (name, member)) STRICT;
  CREATE INDEX members_expiry ON members (expires_at);
  CREATE TABLE leases (key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, expires_at INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

// Primary result codes: https://www.sqlite.org/rescode.html
const SQLITE_BUSY = 5
const FAULTS: Readonly<Record<number, string>> = {
  5: 'another process holds its lock',
  6: 'another connection holds its lock',
  8: 'it is read-only',
  10: 'the disk failed to read or write',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'it can not be opened',
  26: 'it is not a SQLite database',
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY
}

function reason(error: unknown): string {
  return (
    FAULTS[resultCode(error) ?? -1] ?? (error instanceof Error ? error.message : 'unknown error')
  )
}

/** What a failed operation rejects with. */
export function sqliteFault(file: string, error: unknown): StorageError {
  return new StorageError('unavailable', `Cannot use the database "${file}": ${reason(error)}`, {
    cause: error,
  })
}

function unusable(file: string, why: string, remedy: string, cause?: unknown): StorageError {
  return new StorageError('unusable', `Cannot use the database "${file}": ${why}. ${remedy}`, {
    cause,
  })
}

const REMEDIES: Readonly<Record<number, string>> = {
  5: 'Stop the process that holds it (a backup or a database shell) and start again',
  13: 'Free some space and start again',
}
const DAMAGED = 'Restore it from a backup, or move it away to start empty: everyone signs in again'
const NO_ACCESS =
  'Give this user the right to read and write the file and its folder, or set storage.file to another place'

function remedyFor(error: unknown): string {
  const code = resultCode(error) ?? -1
  return REMEDIES[code] ?? (code === 11 || code === 26 ? DAMAGED : NO_ACCESS)
}

/** Readable by its owner only, from the first moment on: it holds sessions. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (existsSync(file)) return
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

function schemaVersion(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

/** Two processes may start at once: the second finds the schema made. */
function migrate(database: DatabaseSync): void {
  if (schemaVersion(database) >= SCHEMA_VERSION) return
  database.exec('BEGIN IMMEDIATE')
  if (schemaVersion(database) === 0) database.exec(SCHEMA)
  database.exec('COMMIT')
}

function findDamage(file: string, database: DatabaseSync): string | undefined {
  if (statSync(file).size > CHECKED_BYTES) return undefined
  const { quick_check } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  return quick_check === 'ok' ? undefined : quick_check.replaceAll(/[\s*]+/g, ' ').trim()
}

function prepareDatabase(file: string, database: DatabaseSync): void {
  database.exec('PRAGMA journal_mode = WAL')
  // Not NORMAL, with which a power cut may take the last commits: a used code or an ended session would be live again.
  // https://www.sqlite.org/pragma.html#pragma_synchronous
  database.exec('PRAGMA synchronous = FULL')
  const version = schemaVersion(database)
  if (version > SCHEMA_VERSION)
    throw unusable(
      file,
      `its schema is version ${version}, this release knows ${SCHEMA_VERSION}`,
      'Start the release that wrote it, or move the file away to start empty',
    )
  const damage = findDamage(file, database)
  if (damage !== undefined) throw unusable(file, `it is damaged (${damage})`, DAMAGED)
  migrate(database)
  database.exec('CREATE TEMP TABLE probe (x); DROP TABLE probe; BEGIN IMMEDIATE; ROLLBACK')
  database.exec(`PRAGMA busy_timeout = ${BLOCKING_WAIT_MS}`)
}

/** Throws StorageError `unusable` that names the file and the remedy. */
export function openSqliteFile(file: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    makeFile(file)
    database = new DatabaseSync(file, { timeout: OPEN_WAIT_MS })
    prepareDatabase(file, database)
    return database
  } catch (error) {
    if (database?.isOpen) database.close()
    if (error instanceof StorageError) throw error
    throw unusable(file, reason(error), remedyFor(error), error)
  }
}
