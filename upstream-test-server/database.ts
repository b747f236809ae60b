// The one SQLite file of the test server; schema/ says what is in it.
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { migrate } from './schema/migrate.ts'

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
    migrate(database)
    return database
  } catch (cause) {
    throw new Error(
      `Cannot use the database file "${file}": delete it or move it away to start anew`,
      { cause },
    )
  }
}
