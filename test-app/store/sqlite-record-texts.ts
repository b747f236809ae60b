// Records in the SQLite file of the sessions. Apps that share the file do not see each other's rows.
import { openSqliteFile, sweepRegularly } from './sqlite-file.ts'
import type { RecordTexts } from './sealed-records.ts'

const SCHEMA = `
  create table if not exists records (
    app text not null, id text not null, data text not null, expires_at integer not null,
    primary key (app, id)
  ) without rowid;
  create index if not exists records_expiry on records (expires_at);`

export interface SqliteRecordsOptions {
  readonly file: string
  readonly app: string
  readonly now: () => number
}

/** @throws {SessionFileError} at once when the file can not be used */
export function openSqliteRecordTexts({ file, app, now }: SqliteRecordsOptions): {
  texts: RecordTexts
  close(): void
} {
  const database = openSqliteFile(file, SCHEMA)
  const select = database.prepare('select data from records where app = ? and id = ?')
  const upsert = database.prepare(
    `insert into records (app, id, data, expires_at) values (?, ?, ?, ?)
     on conflict do update set data = excluded.data, expires_at = excluded.expires_at`,
  )
  const swap = database.prepare(
    'update records set data = ?, expires_at = ? where app = ? and id = ? and data = ?',
  )
  const remove = database.prepare('delete from records where app = ? and id = ?')
  const sweep = database.prepare('delete from records where expires_at <= ?')
  const stopSweeping = sweepRegularly(() => sweep.run(now()))
  return {
    texts: {
      async get(id) {
        const row = select.get(app, id)
        return row && String(row['data'])
      },
      set: async (id, text, expiresAt) => void upsert.run(app, id, text, expiresAt),
      swap: async (id, before, text, expiresAt) =>
        swap.run(text, expiresAt, app, id, before).changes === 1,
      delete: async (id) => void remove.run(app, id),
    },
    close() {
      stopSweeping()
      database.close()
    },
  }
}
