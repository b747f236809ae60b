// Logout tokens of upstreams that were followed already, each by its jti: one that is sent again ends nothing.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

export interface UpstreamLogoutTokenName {
  /** Name of the upstream in the configuration. */
  upstream: string
  iss: string
  jti: string
}

export interface UpstreamLogoutTokens {
  /** True for exactly one of any number of callers, for as long as is said. */
  use(token: UpstreamLogoutTokenName, ttlSeconds: number): Promise<boolean>
  /** It was not followed after all, and may be sent again. */
  giveBack(token: UpstreamLogoutTokenName): Promise<void>
}

/** Both reject with StorageError `unavailable`. */
export function createUpstreamLogoutTokens(driver: Driver): UpstreamLogoutTokens {
  return {
    use: (token, ttlSeconds) => driver.insert(keyOf(token), true, ttlSeconds),
    giveBack: (token) => driver.delete(keyOf(token)),
  }
}

const keyOf = ({ upstream, iss, jti }: UpstreamLogoutTokenName) =>
  `UpstreamLogoutToken:${hashed(JSON.stringify([upstream, iss, jti]))}`
