// People on their way through an upstream's logout: one record for each, found by the `state` we sent, taken once.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

export interface UpstreamLogoutTransaction {
  /** Name of the upstream in the configuration. */
  upstream: string
  /** Where the person goes afterwards; judged before it was stored. */
  target: string
  /** SHA-256 of what the cookie of this browser says. */
  browser: string
}

const TTL_SECONDS = 600

export interface UpstreamLogouts {
  save(state: string, logout: UpstreamLogoutTransaction): Promise<void>
  /** Exactly one of any number of callers gets it. */
  take(state: string): Promise<UpstreamLogoutTransaction | undefined>
}

/** Both reject with StorageError `unavailable`. */
export function createUpstreamLogouts(driver: Driver): UpstreamLogouts {
  const keyOf = (state: string) => `UpstreamLogout:${hashed(state)}`
  return {
    save: (state, logout) => driver.set(keyOf(state), logout, TTL_SECONDS),
    take: async (state) =>
      (await driver.take(keyOf(state)))?.value as UpstreamLogoutTransaction | undefined,
  }
}
