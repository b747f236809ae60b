// The writes of one request that wait for its end. Knows nothing of requests: unit-of-work.ts says when they go out.
import type { Driver, StoredRecord, Value } from './driver.ts'

interface Entry {
  key: string
  value: Value
  ttlSeconds: number
}

type Work = () => Promise<void>

/** Of several writes of one key the last one holds. */
export interface PendingWrites {
  putSet(entry: Entry): void
  putWork(key: string, work: Work): void
  /** Adds and drops of one index keep their order. */
  putIndexWork(index: string, work: Work): void
  has(key: string): boolean
  forget(key: string): void
  /** What is to be set under the key, as if it were stored. */
  ownRecord(key: string): StoredRecord | undefined
  sendNow(key: string): Promise<void>
  sendIndexNow(index: string): Promise<void>
  /** All at once: one wait for the store. */
  sendAll(): Promise<void>
}

function takeOut<T>(map: Map<string, T>, key: string): T | undefined {
  const value = map.get(key)
  map.delete(key)
  return value
}

function recordFrom(entry: (Entry & { expiresAt: number }) | undefined): StoredRecord | undefined {
  if (!entry) return undefined
  return { value: structuredClone(entry.value), version: 1, expiresAt: entry.expiresAt }
}

export function createPendingWrites(driver: Driver, now: () => number): PendingWrites {
  const sets = new Map<string, Entry & { expiresAt: number }>()
  const works = new Map<string, Work>()
  const indexWorks = new Map<string, Work[]>()

  function forget(key: string): void {
    sets.delete(key)
    works.delete(key)
  }

  return {
    forget,
    putSet(entry) {
      works.delete(entry.key)
      sets.set(entry.key, { ...entry, expiresAt: now() + entry.ttlSeconds * 1000 })
    },
    putWork(key, work) {
      sets.delete(key)
      works.set(key, work)
    },
    putIndexWork(index, work) {
      indexWorks.set(index, [...(indexWorks.get(index) ?? []), work])
    },
    has: (key) => sets.has(key) || works.has(key),
    ownRecord: (key) => recordFrom(sets.get(key)),
    async sendNow(key) {
      const own = takeOut(sets, key)
      const work = takeOut(works, key)
      if (own) await driver.set(key, own.value, own.ttlSeconds)
      await work?.()
    },
    async sendIndexNow(index) {
      for (const work of takeOut(indexWorks, index) ?? []) await work()
    },
    sendAll() {
      const indexed = [...indexWorks.values()].flat()
      return sendTogether(driver, indexed, [...sets.values()], [...works.values()])
    },
  }
}

/** Index entries are sent first, so that where the store keeps the order no artefact is without its entry. */
async function sendTogether(
  driver: Driver,
  indexes: Work[],
  sets: Entry[],
  works: Work[],
): Promise<void> {
  const indexed = indexes.map((work) => work())
  const written = sets.length > 0 ? [driver.setAll(sets)] : []
  await Promise.all([...indexed, ...written, ...works.map((work) => work())])
}
