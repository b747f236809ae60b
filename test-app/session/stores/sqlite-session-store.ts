// Sessions in one SQLite file. Apps that share the file do not see each other's rows, and no session id is in it in clear.
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { Store } from 'express-session'
import type { SessionData } from 'express-session'
import { ENDED_MS, SESSION_IDLE_MS } from '../session-data.ts'
import type { SessionSerializer } from './session-store.ts'
import { openSqliteFile, sweepRegularly } from '../../store/sqlite-file.ts'

const SCHEMA = `
  create table if not exists sessions (
    app text not null, id text not null, data text not null, expires_at integer not null,
    primary key (app, id)
  ) without rowid;
  create index if not exists sessions_expiry on sessions (expires_at);`

export interface SqliteSessionOptions {
  readonly file: string
  /** Whose rows these are: the name of the session cookie. */
  readonly app: string
  readonly serializer: SessionSerializer
  readonly now: () => number
}

type Done = (error?: unknown) => void

/** An express-session store. @throws {SessionFileError} at once when the file can not be used */
export function openSqliteSessions(options: SqliteSessionOptions): { store: Store; close(): void } {
  const database = openSqliteFile(options.file, SCHEMA)
  const rows = prepareRows(database, options)
  const stopSweeping = sweepRegularly(rows.sweep)
  const store = Object.assign(new (Store as unknown as new () => Store)(), {
    get(id: string, done: (error: unknown, session?: SessionData | null) => void) {
      answer(done, () => rows.find(id))
    },
    set: (id: string, session: SessionData, done?: Done) =>
      answer(done, () => rows.save(id, session)),
    touch: (id: string, session: SessionData, done?: Done) =>
      answer(done, () => rows.touch(id, session)),
    destroy: (id: string, done?: Done) => answer(done, () => rows.remove(id)),
  })
  return {
    store,
    close() {
      stopSweeping()
      database.close()
    },
  }
}

function prepareRows(database: DatabaseSync, { app, serializer, now }: SqliteSessionOptions) {
  const select = database.prepare(
    'select data from sessions where app = ? and id = ? and expires_at > ?',
  )
  const upsert = database.prepare(
    `insert into sessions (app, id, data, expires_at) values (?, ?, ?, ?)
     on conflict do update set data = excluded.data, expires_at = excluded.expires_at
     where sessions.data <> ''`,
  )
  const extend = database.prepare(
    "update sessions set expires_at = ? where app = ? and id = ? and data <> ''",
  )
  // Nothing in its place, so that a request that read it before can not write it back.
  const empty = database.prepare(
    `insert into sessions (app, id, data, expires_at) values (?, ?, '', ?)
     on conflict do update set data = '', expires_at = excluded.expires_at`,
  )
  const sweep = database.prepare('delete from sessions where expires_at <= ?')
  const expiry = (session: SessionData): number =>
    session.cookie.expires ? new Date(session.cookie.expires).getTime() : now() + SESSION_IDLE_MS
  return {
    find(id: string): SessionData | null {
      const row = select.get(app, keyOf(id), now())
      return row?.['data'] ? (serializer.parse(String(row['data'])) as SessionData | null) : null
    },
    save: (id: string, session: SessionData) =>
      void upsert.run(app, keyOf(id), serializer.stringify(session), expiry(session)),
    touch: (id: string, session: SessionData) => void extend.run(expiry(session), app, keyOf(id)),
    remove: (id: string) => void empty.run(app, keyOf(id), now() + ENDED_MS),
    sweep: () => void sweep.run(now()),
  }
}

function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url')
}

function answer<T>(done: ((error: unknown, value?: T) => void) | undefined, work: () => T): void {
  let value: T
  try {
    value = work()
  } catch (error) {
    return done?.(error)
  }
  done?.(null, value)
}
