// The rows of the trail in its SQLite file: events of the last thirty days. Bounded, so that nobody can push out what others did,
// and who is not signed in only what others did who were not either.
import type { DatabaseSync } from 'node:sqlite'
import { openSqliteFile } from '../../store/sqlite-file.ts'
import type { SaidFields } from './trail-fields.ts'

export interface NewEvent {
  /** Epoch milliseconds. */
  readonly at: number
  readonly event: string
  /** What happens once in a login: the same again is a repeat. */
  readonly once: string | undefined
  readonly flowId: string
  readonly subject: string | undefined
  readonly browser: string | undefined
  readonly fields: SaidFields
}

export interface StoredEvent {
  readonly id: number
  readonly at: number
  readonly event: string
  readonly flowId: string
  readonly subject: string | undefined
  readonly fields: SaidFields
}

export interface TrailQuery {
  /** Everybody's. */
  readonly isAll: boolean
  /** Theirs, … */
  readonly subject: string | undefined
  /** … and those of this browser that are nobody's. */
  readonly browser: string | undefined
  /** Only this login. */
  readonly flowId?: string | undefined
  /** Only logins whose last event is older than this one. */
  readonly before?: number | undefined
  /** Logins. */
  readonly limit: number
}

/** How many events are kept. */
export interface Bounds {
  /** Of one app. */
  readonly ofAll: number
  /** Of one person; and of all logins together that nobody finished. */
  readonly ofOne: number
}

export interface TrailStoreOptions {
  readonly file: string
  /** Whose rows these are: the name of the session cookie. */
  readonly app: string
  readonly now: () => number
  readonly most?: Bounds
}

export const KEPT_MS = 30 * 24 * 60 * 60 * 1000
export const MOST: Bounds = { ofAll: 10_000, ofOne: 2000 }
const SWEEP_EVERY = 100
const SWEEP_AFTER_MS = 60 * 60 * 1000

const SCHEMA = `
  create table if not exists audit_events (
    id integer primary key autoincrement, app text not null, at integer not null, event text not null, once text,
    flow_id text not null, sub text, browser text, fields text not null
  ) strict;
  create unique index if not exists audit_events_once on audit_events (app, flow_id, once) where once is not null;
  create index if not exists audit_events_flow on audit_events (app, flow_id);
  create index if not exists audit_events_sub on audit_events (app, sub, id);
  create index if not exists audit_events_browser on audit_events (app, browser, id);`

/** @throws {SessionFileError} and what SQLite throws */
export function openRows(options: TrailStoreOptions) {
  const database = openSqliteFile(options.file, SCHEMA)
  try {
    // Events can wait, people should not.
    database.exec('pragma busy_timeout = 50')
    return { rows: prepareRows(database, options), close: () => database.close() }
  } catch (error) {
    database.close()
    throw error
  }
}

export type Rows = ReturnType<typeof prepareRows>

function prepareRows(database: DatabaseSync, options: TrailStoreOptions) {
  const { app } = options
  // The plus keeps the query from going through the rows of all people.
  const insert = database.prepare(
    `insert or ignore into audit_events (app, at, event, once, flow_id, sub, browser, fields)
     values (:app, :at, :event, :once, :flow,
       coalesce(:sub, (select sub from audit_events where app = :app and flow_id = :flow and +sub is not null limit 1)),
       :browser, :fields)`,
  )
  // What was nobody's is of the person who turned out to have begun it.
  const claim = database.prepare(
    'update audit_events set sub = ? where app = ? and flow_id = ? and sub is null',
  )
  const sweeper = createSweeper(options, prepareSweep(database, options))
  const read = prepareRead(database, app)
  const ofBrowser = database.prepare(
    'select 1 from audit_events where app = ? and flow_id = ? and browser = ? limit 1',
  )
  sweeper.sweepIfDue()
  return {
    add(event: NewEvent): boolean {
      const isNew = atOnce(database, () => {
        const { changes } = insert.run({ app, ...columnsOf(event) })
        if (changes > 0 && event.subject !== undefined) claim.run(event.subject, app, event.flowId)
        return changes > 0
      })
      if (isNew) sweeper.noteAdded()
      return isNew
    },
    isOfBrowser: (flowId: string, browser: string): boolean =>
      ofBrowser.get(app, flowId, browser) !== undefined,
    read(query: TrailQuery): StoredEvent[] {
      sweeper.sweepIfDue()
      return read(query)
    },
  }
}

/** Every hundred events, and where there are few every hour. */
function createSweeper({ now }: TrailStoreOptions, sweep: () => void) {
  let added = 0
  let dueAt = Number.NEGATIVE_INFINITY
  function sweepIfDue(): void {
    if (added < SWEEP_EVERY && now() < dueAt) return
    sweep()
    added = 0
    dueAt = now() + SWEEP_AFTER_MS
  }
  return {
    sweepIfDue,
    noteAdded(): void {
      added += 1
      sweepIfDue()
    },
  }
}

function columnsOf({ at, event, once, flowId, subject, browser, fields }: NewEvent) {
  return {
    at,
    event,
    once: once ?? null,
    flow: flowId,
    sub: subject ?? null,
    browser: browser ?? null,
    fields: JSON.stringify(fields),
  }
}

function atOnce<T>(database: DatabaseSync, work: () => T): T {
  database.exec('begin immediate')
  try {
    const result = work()
    database.exec('commit')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/** Leaves room for what is added until it runs again. */
function prepareSweep(
  database: DatabaseSync,
  { app, now, most = MOST }: TrailStoreOptions,
): () => void {
  const old = database.prepare('delete from audit_events where at <= ?')
  const surplusOfOne = database.prepare(
    `delete from audit_events where id in (select id from (
       select id, row_number() over (partition by sub order by id desc) as place
       from audit_events where app = ?) where place > ${most.ofOne - SWEEP_EVERY})`,
  )
  const surplus = database.prepare(
    `delete from audit_events where app = :app and id <= coalesce((select id from audit_events
       where app = :app order by id desc limit 1 offset ${most.ofAll - SWEEP_EVERY}), 0)`,
  )
  return () => {
    old.run(now() - KEPT_MS)
    surplusOfOne.run(app)
    surplus.run({ app })
  }
}

function prepareRead(database: DatabaseSync, app: string) {
  const visible = '(:all or sub = :sub or (sub is null and browser = :browser))'
  const select = database.prepare(
    `with logins as (
       select flow_id, max(id) as last from audit_events
       where app = :app and ${visible} and (:flow is null or flow_id = :flow)
       group by flow_id having :before is null or last < :before order by last desc limit :limit)
     select id, at, event, audit_events.flow_id, sub, fields from logins
     join audit_events on audit_events.app = :app and audit_events.flow_id = logins.flow_id
     where ${visible} order by last desc, id`,
  )
  return ({ isAll, subject, browser, flowId, before, limit }: TrailQuery): StoredEvent[] =>
    select
      .all({
        app,
        all: Number(isAll),
        sub: subject ?? null,
        browser: browser ?? null,
        flow: flowId ?? null,
        before: before ?? null,
        limit,
      })
      .map(eventFrom)
}

function eventFrom(row: Record<string, unknown>): StoredEvent {
  return {
    id: Number(row['id']),
    at: Number(row['at']),
    event: String(row['event']),
    flowId: String(row['flow_id']),
    subject: row['sub'] === null ? undefined : String(row['sub']),
    fields: JSON.parse(String(row['fields'])) as SaidFields,
  }
}
