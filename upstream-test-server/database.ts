// The one SQLite file of the test server: people, keys, and what oidc-provider stores.
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    sub TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    email_verified INTEGER NOT NULL DEFAULT 0,
    roles TEXT NOT NULL DEFAULT '[]',
    attributes TEXT NOT NULL DEFAULT '{}',
    failed_attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS keys (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS artefacts (
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    payload TEXT NOT NULL,
    uid TEXT,
    grant_id TEXT,
    consumed_at INTEGER,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (model, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS artefacts_by_uid ON artefacts (uid) WHERE uid IS NOT NULL;
  CREATE INDEX IF NOT EXISTS artefacts_by_grant ON artefacts (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS artefacts_by_expiry ON artefacts (expires_at);
`

const ownerOnly = 0o600

// The file holds signing keys, so it must never exist with wider rights, not even for a moment.
function createOwnerOnly(file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  closeSync(openSync(file, 'a', ownerOnly))
  chmodSync(file, ownerOnly)
}

/** Opens or creates the file (`:memory:` for none). @throws naming the file that can not be used */
export function openDatabase(file: string): DatabaseSync {
  try {
    if (file !== ':memory:') createOwnerOnly(file)
    const database = new DatabaseSync(file, { timeout: 2000 })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    database.exec(schema)
    return database
  } catch (cause) {
    throw new Error(
      `Cannot use the database file "${file}": delete it or move it away to start anew`,
      { cause },
    )
  }
}

/** All or nothing; holds the write lock, so that two processes do not seed the same file twice. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
