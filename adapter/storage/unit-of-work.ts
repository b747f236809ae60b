// Sends the writes of one request out together, when its work is done: one wait for the store, and nothing half-written
// when the work fails. What decides by its answer (insert, take, consume, update, lease) is never put off.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Driver, StoredRecord, Value } from './driver.ts'

/** A driver that can put writes off. Outside a unit of work each operation goes straight through. */
export interface DeferringDriver extends Driver {
  /**
   * Puts off a piece of work that concerns `key` (a compare-and-set, say) to the end of the unit, where it runs beside
   * the other writes. It takes the place of any write of that key still waiting. Outside a unit it runs at once.
   */
  defer(key: string, work: () => Promise<void>): Promise<void>
  /** `delete` that is not put off, so that a failure afterwards can not undo it. */
  deleteNow(key: string): Promise<void>
}

export interface UnitOfWork {
  driver: DeferringDriver
  /**
   * Runs `work`; when it returns, its waiting writes go out, and `run` resolves once they are stored (or rejects with
   * StorageError `unavailable`). When it throws they are dropped. Within another `run` it joins that one. A value given
   * to `set` must not be changed until then.
   */
  run<T>(work: () => Promise<T>): Promise<T>
}

interface Unit {
  /** False once the writes went out: what was left running passes straight through. */
  isOpen: boolean
  sets: Map<string, { value: Value; expiresAt: number; ttlSeconds: number }>
  /** Deletes and deferred work, by key. */
  works: Map<string, () => Promise<void>>
  /** Adds and drops in their order, by index. */
  indexes: Map<string, (() => Promise<void>)[]>
}

export function createUnitOfWork(
  driver: Driver,
  { now = Date.now }: { now?: () => number } = {},
): UnitOfWork {
  const units = new AsyncLocalStorage<Unit>()

  function current(): Unit | undefined {
    const unit = units.getStore()
    return unit?.isOpen ? unit : undefined
  }

  /** What waits for this key goes out now, before an operation that must see it. */
  async function settle(key: string): Promise<void> {
    const unit = current()
    if (!unit) return
    const pending = unit.sets.get(key)
    const work = unit.works.get(key)
    forget(unit, key)
    if (pending) await driver.set(key, pending.value, pending.ttlSeconds)
    await work?.()
  }

  async function after<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const unit = current()
    if (unit && (unit.sets.has(key) || unit.works.has(key))) await settle(key)
    return operation()
  }

  function forget(unit: Unit, key: string): void {
    unit.sets.delete(key)
    unit.works.delete(key)
  }

  function deferSet(unit: Unit, key: string, value: Value, ttlSeconds: number): void {
    unit.works.delete(key)
    unit.sets.set(key, { value, ttlSeconds, expiresAt: now() + ttlSeconds * 1000 })
  }

  async function defer(key: string, work: () => Promise<void>): Promise<void> {
    const unit = current()
    if (!unit) return work()
    unit.sets.delete(key)
    unit.works.set(key, work)
  }

  async function deferIndex(index: string, work: () => Promise<void>): Promise<void> {
    const unit = current()
    if (!unit) return work()
    const works = unit.indexes.get(index)
    if (works) works.push(work)
    else unit.indexes.set(index, [work])
  }

  function ownRecord(key: string): StoredRecord | undefined {
    const pending = current()?.sets.get(key)
    return (
      pending && { value: structuredClone(pending.value), version: 1, expiresAt: pending.expiresAt }
    )
  }

  /** Index entries are sent first, so that where the store keeps the order no artefact is without its entry. */
  async function flush({ sets, works, indexes }: Unit): Promise<void> {
    const indexWorks = [...indexes.values()].flatMap((each) => each.map((work) => work()))
    const entries = [...sets].map(([key, { value, ttlSeconds }]) => ({ key, value, ttlSeconds }))
    const written = entries.length > 0 ? [driver.setAll(entries)] : []
    await Promise.all([...indexWorks, ...written, ...[...works.values()].map((work) => work())])
  }

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (current()) return work()
    const unit: Unit = { isOpen: true, sets: new Map(), works: new Map(), indexes: new Map() }
    return units.run(unit, async () => {
      try {
        const result = await work()
        unit.isOpen = false
        await flush(unit)
        return result
      } finally {
        unit.isOpen = false
      }
    })
  }

  const deferring: DeferringDriver = {
    ...driver,
    async get(key) {
      const own = ownRecord(key)
      return own ?? after(key, () => driver.get(key))
    },
    async set(key, value, ttlSeconds) {
      const unit = current()
      if (!unit) return driver.set(key, value, ttlSeconds)
      deferSet(unit, key, value, ttlSeconds)
    },
    async setAll(entries) {
      const unit = current()
      if (!unit) return driver.setAll(entries)
      for (const { key, value, ttlSeconds } of entries) deferSet(unit, key, value, ttlSeconds)
    },
    delete: (key) => defer(key, () => driver.delete(key)),
    defer,
    async deleteNow(key) {
      const unit = current()
      if (unit) forget(unit, key)
      await driver.delete(key)
    },
    insert: (key, value, ttlSeconds) => after(key, () => driver.insert(key, value, ttlSeconds)),
    take: (key) => after(key, () => driver.take(key)),
    consume: (key) => after(key, () => driver.consume(key)),
    update: (key, version, value, ttlSeconds) =>
      after(key, () => driver.update(key, version, value, ttlSeconds)),
    add: (index, member, ttlSeconds) =>
      deferIndex(index, () => driver.add(index, member, ttlSeconds)),
    async members(index) {
      const unit = current()
      const works = unit?.indexes.get(index) ?? []
      unit?.indexes.delete(index)
      for (const work of works) await work()
      return driver.members(index)
    },
    drop: (index, member) => deferIndex(index, () => driver.drop(index, member)),
  }
  return { driver: deferring, run }
}
