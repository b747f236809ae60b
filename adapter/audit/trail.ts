// The trail in the store: the events of the last days, so that any instance can say what happened. Written behind the back of
// requests, many events to a record; a store that is down is tried again, and what does not fit into memory meanwhile is lost.
import { randomUUID } from 'node:crypto'
import type { Driver } from '../storage/driver.ts'
import { StorageError } from '../errors.ts'
import type { AuditEntry, AuditSink } from './audit.ts'

export interface TrailOptions {
  driver: Driver
  /** How long events are kept. */
  keepSeconds: number
  /** Told of entries that were lost. */
  onLost: (count: number, error: unknown) => void
  flushMs?: number
}

export interface Trail extends AuditSink {
  /** What waits goes out now. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** How long an event may be on its way. */
export const FLUSH_MS = 1000
const MAX_WAITING = 10_000
/** Of one event of `some`, on one instance. */
const MOST_IN_A_FLUSH = 10
/** Values stay small enough for any store to take them within its time limit. */
const BATCH = 500
const HOUR_MS = 3_600_000
/** From the first event of a batch to the last, through an outage of the store. */
const LONGEST_BATCH_MS = HOUR_MS
const READ_AT_ONCE = 100
const PREFIX = 'AuditBatch:'

/** One for each hour: that of a day on many instances would be too long for one answer of the store. */
const indexOf = (hour: string) => `audit-batches:${hour}`
/** Says when its first event was, so that batches of other times are not read. */
const memberOf = (time: string, id: string) => `${Date.parse(time)}.${id}`
const hourOf = (time: string) => time.slice(0, 13)

/** What waits for the store, and its way there, one batch after the other. */
function createQueue({ driver, keepSeconds, onLost }: Omit<TrailOptions, 'flushMs'>) {
  const waiting: AuditEntry[] = []
  let last = Promise.resolve()

  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      try {
        await save(driver, batch, keepSeconds)
      } catch (error) {
        if (!(error instanceof StorageError)) throw error
        return
      }
      waiting.splice(0, batch.length)
    }
  }

  function flush(): Promise<void> {
    last = last.then(send).catch((error: unknown) => {
      onLost(waiting.length, error)
      waiting.length = 0
    })
    return last
  }

  return { waiting, flush }
}

export function createTrail({
  driver,
  keepSeconds,
  onLost,
  flushMs = FLUSH_MS,
}: TrailOptions): Trail {
  const { waiting, flush } = createQueue({ driver, keepSeconds, onLost })
  const counts = new Map<string, number>()
  const timer = setInterval(() => {
    counts.clear()
    void flush()
  }, flushMs).unref()
  return {
    name: 'trail',
    write(entry, { isKept }) {
      if (isKept === false) return
      if (isKept === 'some') countOne(counts, entry.event)
      if (waiting.length >= MAX_WAITING)
        throw new StorageError('unavailable', `${MAX_WAITING} events wait for the store`)
      waiting.push(entry)
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
      if (waiting.length > 0)
        onLost(waiting.length, new StorageError('unavailable', 'The store did not take them'))
    },
  }
}

function countOne(counts: Map<string, number>, event: string): void {
  const count = counts.get(event) ?? 0
  if (count >= MOST_IN_A_FLUSH)
    throw new StorageError('unavailable', `More than ${MOST_IN_A_FLUSH} ${event} at once`)
  counts.set(event, count + 1)
}

async function save(driver: Driver, batch: AuditEntry[], keepSeconds: number): Promise<void> {
  const id = randomUUID()
  const [first] = batch
  const { time } = first as AuditEntry
  await driver.add(indexOf(hourOf(time)), memberOf(time, id), keepSeconds)
  await driver.set(PREFIX + id, batch, keepSeconds)
}

export interface TrailQuery {
  /** Epoch milliseconds. */
  since: number
  until: number
}

/** In the order of time. Rejects with StorageError `unavailable`. */
export async function readTrail(driver: Driver, query: TrailQuery): Promise<AuditEntry[]> {
  const { since, until } = query
  const ids = await batchesOf(driver, query)
  const entries: AuditEntry[] = []
  for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
    const some = ids.slice(at, at + READ_AT_ONCE)
    const records = await Promise.all(some.map((id) => driver.get(PREFIX + id)))
    entries.push(...records.flatMap((record) => (record?.value ?? []) as AuditEntry[]))
  }
  return entries
    .filter(({ time }) => Date.parse(time) >= since && Date.parse(time) <= until)
    .toSorted((a, b) => (a.time < b.time ? -1 : 1))
}

async function batchesOf(driver: Driver, { since, until }: TrailQuery): Promise<string[]> {
  const from = since - LONGEST_BATCH_MS
  const hours = new Set<string>()
  for (let at = from; at < until + HOUR_MS; at += HOUR_MS)
    hours.add(hourOf(new Date(at).toISOString()))
  const members = await Promise.all([...hours].map((hour) => driver.members(indexOf(hour))))
  return members.flat().flatMap((member) => {
    const at = member.indexOf('.')
    const first = Number(member.slice(0, at))
    return first >= from && first <= until ? [member.slice(at + 1)] : []
  })
}

/** Takes a person out of the trail: the events stay, and are nobody's. How many. Rejects as above. */
export async function forgetInTrail(driver: Driver, key: string, person: string): Promise<number> {
  if (!key.startsWith(PREFIX)) return 0
  for (;;) {
    const record = await driver.get(key)
    const entries = (record?.value ?? []) as AuditEntry[]
    const named = entries.filter((entry) => entry['person'] === person)
    if (!record || named.length === 0) return 0
    const nameless = entries.map((entry) =>
      entry['person'] === person ? withoutPerson(entry) : entry,
    )
    if (await driver.update(key, record.version, nameless)) return named.length
  }
}

/** Sessions hang on a person. */
const OF_PERSONS = new Set(['person', 'sessions'])

function withoutPerson(entry: AuditEntry): AuditEntry {
  const rest = Object.entries(entry).filter(([name]) => !OF_PERSONS.has(name))
  return Object.fromEntries(rest) as AuditEntry
}
