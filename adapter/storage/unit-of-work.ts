// Sends the writes of one request out together, when its work is done: one wait for the store, and nothing half-written
// when the work fails. What decides by its answer (insert, take, consume, update, lease) is never put off.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Driver } from './driver.ts'
import { createPendingWrites } from './pending-writes.ts'
import type { PendingWrites } from './pending-writes.ts'

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

/** The writes that wait in the unit now running; undefined outside one, and for what was left running after it. */
type Current = () => PendingWrites | undefined

type Puts = Pick<
  DeferringDriver,
  'set' | 'setAll' | 'delete' | 'defer' | 'deleteNow' | 'add' | 'drop'
>

function deferredWrites(driver: Driver, current: Current): Puts {
  async function defer(key: string, work: () => Promise<void>): Promise<void> {
    const pending = current()
    if (!pending) return work()
    pending.putWork(key, work)
  }
  async function deferIndex(index: string, work: () => Promise<void>): Promise<void> {
    const pending = current()
    if (!pending) return work()
    pending.putIndexWork(index, work)
  }
  return {
    async set(key, value, ttlSeconds) {
      const pending = current()
      if (!pending) return driver.set(key, value, ttlSeconds)
      pending.putSet({ key, value, ttlSeconds })
    },
    async setAll(entries) {
      const pending = current()
      if (!pending) return driver.setAll(entries)
      for (const entry of entries) pending.putSet(entry)
    },
    delete: (key) => defer(key, () => driver.delete(key)),
    defer,
    async deleteNow(key) {
      current()?.forget(key)
      await driver.delete(key)
    },
    add: (index, member, ttl) => deferIndex(index, () => driver.add(index, member, ttl)),
    drop: (index, member) => deferIndex(index, () => driver.drop(index, member)),
  }
}

type Asks = Pick<Driver, 'get' | 'insert' | 'take' | 'consume' | 'update' | 'members'>

/** What needs an answer: whatever waits for its key goes out first. */
function immediateOperations(driver: Driver, current: Current): Asks {
  async function after<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const pending = current()
    if (pending?.has(key)) await pending.sendNow(key)
    return operation()
  }
  return {
    get: async (key) => current()?.ownRecord(key) ?? after(key, () => driver.get(key)),
    insert: (key, ...entry) => after(key, () => driver.insert(key, ...entry)),
    take: (key) => after(key, () => driver.take(key)),
    consume: (key) => after(key, () => driver.consume(key)),
    update: (key, ...change) => after(key, () => driver.update(key, ...change)),
    async members(index) {
      await current()?.sendIndexNow(index)
      return driver.members(index)
    },
  }
}

export function createUnitOfWork(
  driver: Driver,
  { now = Date.now }: { now?: () => number } = {},
): UnitOfWork {
  const units = new AsyncLocalStorage<{ pending: PendingWrites | undefined }>()
  const current: Current = () => units.getStore()?.pending

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (current()) return work()
    const pending = createPendingWrites(driver, now)
    const unit: { pending: PendingWrites | undefined } = { pending }
    return units.run(unit, async () => {
      try {
        const result = await work()
        unit.pending = undefined
        await pending.sendAll()
        return result
      } finally {
        unit.pending = undefined
      }
    })
  }

  const deferring = {
    ...driver,
    ...deferredWrites(driver, current),
    ...immediateOperations(driver, current),
  }
  return { driver: deferring, run }
}
