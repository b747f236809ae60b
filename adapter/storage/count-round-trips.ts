// Notes in the request context how often the store was asked, and how often the request had to wait for it.
import { currentContext } from '../../service/request-context.ts'
import type { Driver } from './driver.ts'

/** Operations that are under way together count as one round trip. Outside a request nothing is counted. */
export function countRoundTrips(driver: Driver): Driver {
  async function count<T>(operation: () => Promise<T>): Promise<T> {
    const storage = currentContext()?.storage
    if (!storage) return operation()
    storage.operations += 1
    if (storage.inFlight === 0) storage.roundTrips += 1
    storage.inFlight += 1
    try {
      return await operation()
    } finally {
      storage.inFlight -= 1
    }
  }

  return {
    kind: driver.kind,
    get: (key) => count(() => driver.get(key)),
    set: (key, value, ttlSeconds) => count(() => driver.set(key, value, ttlSeconds)),
    setAll: (entries) => count(() => driver.setAll(entries)),
    delete: (key) => count(() => driver.delete(key)),
    insert: (key, value, ttlSeconds) => count(() => driver.insert(key, value, ttlSeconds)),
    take: (key) => count(() => driver.take(key)),
    consume: (key) => count(() => driver.consume(key)),
    update: (key, version, value, ttlSeconds) =>
      count(() => driver.update(key, version, value, ttlSeconds)),
    keys: (cursor) => count(() => driver.keys(cursor)),
    add: (index, member, ttlSeconds) => count(() => driver.add(index, member, ttlSeconds)),
    members: (index) => count(() => driver.members(index)),
    drop: (index, member) => count(() => driver.drop(index, member)),
    lease: (key, owner, ttlSeconds) => count(() => driver.lease(key, owner, ttlSeconds)),
    release: (key, owner) => count(() => driver.release(key, owner)),
    ping: () => driver.ping(),
    close: () => driver.close(),
  }
}
