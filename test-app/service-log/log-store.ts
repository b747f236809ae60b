// The lines that services have sent, newest kept, in the SQLite file; and which tokens of workers were used.
import { createHash } from 'node:crypto'
import path from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { redactFields } from '../../service/redact.ts'
import { openSqliteFile } from '../store/sqlite-file.ts'
import type { LogEntry } from './log-entry.ts'
import type { Service } from './token-checks.ts'

const SCHEMA = `
  create table if not exists service_log (
    id integer primary key autoincrement, received_at integer not null,
    service text not null, issuer text not null, entry text not null
  );
  create table if not exists service_log_used (
    issuer text not null, jti text not null, expires_at integer not null, primary key (issuer, jti)
  ) without rowid;
  create index if not exists service_log_used_expiry on service_log_used (expires_at);`

export interface StoredLine {
  readonly id: number
  /** Epoch milliseconds. */
  readonly receivedAt: number
  readonly service: Service
  readonly entry: LogEntry
}

export interface LogStore {
  /** Keeps the line, without what looks like a secret, and gives its number. */
  add(service: Service, entry: LogEntry): number
  /** The newest first. */
  newest(count: number): StoredLine[]
  /** False when it was used before. */
  useOnce(issuer: string, jti: string, untilMs: number): boolean
  close(): void
}

export interface LogStoreOptions {
  readonly dataFolder: string
  readonly now: () => number
  /** How many lines are kept. */
  readonly most?: number
}

const MOST_LINES = 10_000

/** @throws {SessionFileError} at once when the file can not be used */
export function openLogStore({ dataFolder, now, most = MOST_LINES }: LogStoreOptions): LogStore {
  const database = openSqliteFile(path.join(dataFolder, 'test-app.sqlite'), SCHEMA)
  // While another process writes everybody waits, not only the service: it can come again.
  database.exec('pragma busy_timeout = 50')
  return {
    ...lines(database, now, most),
    useOnce: usedTokens(database, now),
    close: () => database.close(),
  }
}

function lines(database: DatabaseSync, now: () => number, most: number) {
  const insert = database.prepare(
    'insert into service_log (received_at, service, issuer, entry) values (?, ?, ?, ?)',
  )
  const cut = database.prepare('delete from service_log where id <= ?')
  const select = database.prepare('select * from service_log order by id desc limit ?')
  return {
    add({ name, issuer }: Service, entry: LogEntry): number {
      const { fields, ...rest } = redactFields(entry)
      const kept = JSON.stringify(fields === undefined ? rest : { ...rest, fields })
      const id = Number(insert.run(now(), name, issuer, kept).lastInsertRowid)
      cut.run(id - most)
      return id
    },
    newest: (count: number) => select.all(count).map(lineOf),
  }
}

const lineOf = (row: Record<string, unknown>): StoredLine => ({
  id: Number(row['id']),
  receivedAt: Number(row['received_at']),
  service: { name: String(row['service']), issuer: String(row['issuer']) },
  entry: JSON.parse(String(row['entry'])) as LogEntry,
})

/** One statement says who was first, of any number of processes on the file. */
function usedTokens(database: DatabaseSync, now: () => number) {
  const forget = database.prepare('delete from service_log_used where expires_at <= ?')
  const insert = database.prepare('insert or ignore into service_log_used values (?, ?, ?)')
  return (issuer: string, jti: string, untilMs: number): boolean => {
    forget.run(now())
    const key = createHash('sha256').update(jti).digest('base64url')
    return insert.run(issuer, key, untilMs).changes === 1
  }
}
