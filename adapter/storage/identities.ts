// Identities: who signed in upstream, kept beside the session for as long as it lives. No directory of users: when the
// session is over, so is this record.
import { hashed } from './artefact-key.ts'
import type { Driver } from './driver.ts'

export interface Identity {
  /** The `sub` we mint. */
  accountId: string
  /** Name of the upstream in the configuration. */
  upstream: string
  upstreamIssuer: string
  /** Minted claims, mapped already. */
  claims: Record<string, unknown>
  /** Epoch seconds; when the upstream says the end-user was last seen. */
  auth_time?: number
  acr?: string
  amr?: string[]
}

export interface Identities {
  save(sessionUid: string, identity: Identity, ttlSeconds: number): Promise<void>
  find(sessionUid: string): Promise<Identity | undefined>
  delete(sessionUid: string): Promise<void>
}

/** All reject with StorageError `unavailable`. */
export function createIdentities(driver: Driver): Identities {
  const keyOf = (sessionUid: string) => `Identity:${hashed(sessionUid)}`
  return {
    save: (sessionUid, identity, ttlSeconds) => driver.set(keyOf(sessionUid), identity, ttlSeconds),
    find: async (sessionUid) =>
      (await driver.get(keyOf(sessionUid)))?.value as Identity | undefined,
    delete: (sessionUid) => driver.delete(keyOf(sessionUid)),
  }
}
