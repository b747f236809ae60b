// The SQLite file that all which this app keeps lives in, for nobody but the user that runs it.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The file can not be used; the message says what to do. */
export class SessionFileError extends Error {
  override readonly name = 'SessionFileError'
  readonly code = 'session_file_unusable'
  constructor(file: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `Sessions can not be kept in ${file}: ${reason}. Move the file away, or set AUTH_ADAPTER_DATA.`,
      { cause },
    )
  }
}

const SWEEP_EVERY_MS = 10 * 60 * 1000

/** Removes now and then what is over; returns how to stop. */
export function sweepRegularly(sweep: () => void): () => void {
  const timer = setInterval(() => {
    try {
      sweep()
    } catch {
      // Locked: the next one removes what this one could not. What is over is never returned.
    }
  }, SWEEP_EVERY_MS).unref()
  return () => clearInterval(timer)
}

/** Makes folder and file where they are missing, and what `schema` creates. @throws {SessionFileError} */
export function openSqliteFile(file: string, schema: string): DatabaseSync {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    // SQLite gives its side files the mode of the main one.
    closeSync(openSync(file, 'a', 0o600))
    const database = new DatabaseSync(file)
    database.exec(
      'pragma busy_timeout = 500; pragma journal_mode = wal; pragma synchronous = normal;',
    )
    database.exec(schema)
    return database
  } catch (cause) {
    throw new SessionFileError(file, cause)
  }
}
