// One refresh at a time for one sign-in, whichever instance and however many requests ask: the others wait for what comes of
// it. Knows nothing of tokens.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Flight<T> {
  /** What is known, where that will do. */
  known(): Promise<T | undefined>
  /** Runs while the lease is held. */
  work(): Promise<T>
  lease(owner: string, ttlSeconds: number): Promise<boolean>
  release(owner: string): Promise<void>
}

/** A holder that is killed keeps the others waiting for so long. */
const LEASE_SECONDS = 10
const WAITS = 200

/** Undefined when the lease could not be had for about 15 seconds. */
export type SingleFlight<T> = (key: string, flight: Flight<T>) => Promise<T | undefined>

export function createSingleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T | undefined>>()
  return (key, flight) => {
    const found = running.get(key) ?? fly(flight).finally(() => running.delete(key))
    running.set(key, found)
    return found
  }
}

async function fly<T>(flight: Flight<T>): Promise<T | undefined> {
  const owner = randomUUID()
  for (let wait = 0; wait < WAITS; wait += 1) {
    const known = await flight.known()
    if (known !== undefined) return known
    if (await flight.lease(owner, LEASE_SECONDS)) return underLease(flight, owner)
    await sleep(50 + Math.random() * 50)
  }
  return undefined
}

async function underLease<T>(flight: Flight<T>, owner: string): Promise<T> {
  const renewal = setInterval(
    () => void flight.lease(owner, LEASE_SECONDS).catch(() => false),
    (LEASE_SECONDS * 1000) / 3,
  )
  try {
    // The one before may have come to its end between the look and the lease.
    return (await flight.known()) ?? (await flight.work())
  } finally {
    clearInterval(renewal)
    await flight.release(owner).catch(() => undefined)
  }
}
