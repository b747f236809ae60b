import type { DatabaseSync } from 'node:sqlite'

/** All or nothing; holds the write lock, so that two processes do not do the same thing twice. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const done = work()
    database.exec('COMMIT')
    return done
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
