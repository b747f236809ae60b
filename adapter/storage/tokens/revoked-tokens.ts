// Access tokens that were revoked one by one. A JWT is stored nowhere, so what is kept is that it is over, until it would
// have been anyway.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

export interface RevokedTokens {
  /** `id` is the token's `jti`. */
  add(id: string, ttlSeconds: number): Promise<void>
  has(id: string): Promise<boolean>
}

/** A clock that is set back by as much must not bring a token back. */
const CLOCK_STEP_SECONDS = 3600

/** All reject with StorageError `unavailable`. */
export function createRevokedTokens(driver: Pick<Driver, 'get' | 'set'>): RevokedTokens {
  const keyOf = (id: string) => `RevokedToken:${hashed(id)}`
  return {
    add: (id, ttlSeconds) => driver.set(keyOf(id), true, ttlSeconds + CLOCK_STEP_SECONDS),
    has: async (id) => (await driver.get(keyOf(id))) !== undefined,
  }
}
