// The driver over Maps of this one process: for tests and trials, gone when the process ends. Values are kept as JSON
// text, so that nobody changes a stored record by changing an object.
import { StorageError } from '../../errors.ts'
import type { Driver, StoredRecord, Value } from '../driver.ts'

const SWEEP_MS = 10_000

interface Entry {
  json: string
  version: number
  expiresAt: number
  consumedAt?: number
}

function recordFrom(entry: Entry | undefined): StoredRecord | undefined {
  if (!entry) return undefined
  const { json, ...rest } = entry
  return { value: JSON.parse(json) as Value, ...rest }
}

/** Deletes what is expired, so that a long trial does not fill the memory. */
function sweep(maps: readonly Map<string, { expiresAt: number }>[], at: number): void {
  for (const map of maps)
    for (const [key, { expiresAt }] of map) if (expiresAt <= at) map.delete(key)
}

type Clock = () => number
type Records = Pick<
  Driver,
  'get' | 'set' | 'setAll' | 'delete' | 'insert' | 'take' | 'consume' | 'update' | 'keys'
>

interface Cells {
  keys(): string[]
  live(key: string): Entry | undefined
  takeOut(key: string): Entry | undefined
  write(key: string, value: Value, ttlSeconds: number): void
}

function createCells(records: Map<string, Entry>, now: Clock): Cells {
  function live(key: string): Entry | undefined {
    const time = now()
    const entry = records.get(key)
    return entry && entry.expiresAt > time ? entry : undefined
  }
  return {
    keys: () => [...records.keys()].filter(live),
    live,
    takeOut(key) {
      const entry = live(key)
      records.delete(key)
      return entry
    },
    write(key, value, ttlSeconds) {
      const expiresAt = now() + ttlSeconds * 1000
      records.set(key, { json: JSON.stringify(value), version: 1, expiresAt })
    },
  }
}

function recordOperations({ keys, live, takeOut, write }: Cells, now: Clock): Records {
  return {
    get: async (key) => recordFrom(live(key)),
    set: async (...entry) => write(...entry),
    async setAll(entries) {
      for (const { key, value, ttlSeconds } of entries) write(key, value, ttlSeconds)
    },
    async delete(key) {
      takeOut(key)
    },
    keys: async () => ({ keys: keys() }),
    async insert(...entry) {
      if (live(entry[0])) return false
      write(...entry)
      return true
    },
    take: async (key) => recordFrom(takeOut(key)),
    async consume(key) {
      const entry = live(key)
      if (!entry || entry.consumedAt !== undefined) return false
      entry.consumedAt = now()
      return true
    },
    async update(key, expectedVersion, value, ttlSeconds) {
      const entry = live(key)
      if (entry?.version !== expectedVersion) return false
      entry.json = JSON.stringify(value)
      entry.version += 1
      if (ttlSeconds !== undefined) entry.expiresAt = now() + ttlSeconds * 1000
      return true
    },
  }
}

interface IndexSet {
  /** Each with its expiry. */
  members: Map<string, number>
  expiresAt: number
}

function indexOperations(
  indexes: Map<string, IndexSet>,
  now: Clock,
): Pick<Driver, 'add' | 'members' | 'drop'> {
  return {
    async add(index, member, ttlSeconds) {
      const expiresAt = now() + ttlSeconds * 1000
      const set = indexes.get(index) ?? { members: new Map<string, number>(), expiresAt: 0 }
      set.members.set(member, Math.max(expiresAt, set.members.get(member) ?? 0))
      set.expiresAt = Math.max(expiresAt, set.expiresAt)
      indexes.set(index, set)
    },
    async members(index) {
      const time = now()
      const entries = [...(indexes.get(index)?.members ?? [])]
      return entries.filter(([, expiresAt]) => expiresAt > time).map(([member]) => member)
    },
    async drop(index, member) {
      if (member === undefined) indexes.delete(index)
      else indexes.get(index)?.members.delete(member)
    },
  }
}

interface Lease {
  owner: string
  expiresAt: number
}

function leaseOperations(
  leases: Map<string, Lease>,
  now: Clock,
): Pick<Driver, 'lease' | 'release'> {
  return {
    async lease(key, owner, ttlSeconds) {
      const time = now()
      const held = leases.get(key)
      if (held && held.owner !== owner && held.expiresAt > time) return false
      leases.set(key, { owner, expiresAt: time + ttlSeconds * 1000 })
      return true
    },
    async release(key, owner) {
      if (leases.get(key)?.owner === owner) leases.delete(key)
    },
  }
}

/** `now`: epoch milliseconds. */
export function createMemoryDriver({ now = Date.now }: { now?: Clock } = {}): Driver {
  const records = new Map<string, Entry>()
  const indexes = new Map<string, IndexSet>()
  const leases = new Map<string, Lease>()
  const timer = setInterval(() => sweep([records, indexes, leases], now()), SWEEP_MS).unref()
  let isClosed = false

  function at(): number {
    if (isClosed) throw new StorageError('unavailable', 'Cannot use the memory store: it is closed')
    return now()
  }

  return {
    kind: 'memory',
    ...recordOperations(createCells(records, at), at),
    ...indexOperations(indexes, at),
    ...leaseOperations(leases, at),
    async ping() {
      at()
    },
    async close() {
      isClosed = true
      clearInterval(timer)
    },
  }
}
