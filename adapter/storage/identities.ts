// Identities: who signed in upstream, kept beside the session for as long as it lives. No directory of users: when the
// session is over, so is this record.
import type { ClaimsByClient } from '../claims/client-claims.ts'
import { hashed } from './artefact-key.ts'
import { sessionMember, upstreamSessionsIndex } from './live-sessions.ts'
import type { DeferringDriver } from './unit-of-work.ts'

export interface Identity {
  /** The `sub` we mint. */
  accountId: string
  /** Name of the upstream in the configuration. */
  upstream: string
  upstreamIssuer: string
  /** Of the upstream's settings at the login; see upstream-epoch.ts. */
  epoch?: string
  /** Minted claims, mapped already. */
  claims: Record<string, unknown>
  /** The tokens that a claim goes to; one that is not listed goes to all. */
  claimTargets?: Record<string, readonly ('id_token' | 'access_token' | 'userinfo')[]>
  /** What single clients get instead or besides; see claims/client-claims.ts. */
  clientClaims?: ClaimsByClient
  /** Epoch seconds; when the upstream says the end-user was last seen. */
  auth_time?: number
  acr?: string
  amr?: string[]
  /** Every `acr` that the sign-in proves, in words that apps understand, the strongest first. */
  acrs?: readonly string[]
}

export interface Identities {
  save(sessionUid: string, identity: Identity, ttlSeconds: number): Promise<void>
  /** Prolongs the life of one that `find` gave. Nothing is written when it was deleted or replaced since: the session may be over. */
  renew(sessionUid: string, identity: Identity, ttlSeconds: number): Promise<void>
  find(sessionUid: string): Promise<Identity | undefined>
  delete(sessionUid: string): Promise<void>
}

export interface IdentitiesOptions {
  /** Whether the upstream that vouched for it still counts; see upstream-epoch.ts. */
  isVouchedFor?: (identity: Identity) => boolean
}

/** All reject with StorageError `unavailable`. */
export function createIdentities(
  driver: DeferringDriver,
  { isVouchedFor = () => true }: IdentitiesOptions = {},
): Identities {
  const keyOf = (sessionUid: string) => `Identity:${hashed(sessionUid)}`
  const listed = (sessionUid: string, { upstream }: Identity, ttlSeconds: number) =>
    driver.add(upstreamSessionsIndex(upstream), sessionMember(sessionUid), ttlSeconds)
  const versions = new WeakMap<Identity, number>()
  return {
    async save(sessionUid, identity, ttlSeconds) {
      await Promise.all([
        listed(sessionUid, identity, ttlSeconds),
        driver.set(keyOf(sessionUid), identity, ttlSeconds),
      ])
    },
    async renew(sessionUid, identity, ttlSeconds) {
      const key = keyOf(sessionUid)
      const version = versions.get(identity)
      if (version === undefined) return
      await listed(sessionUid, identity, ttlSeconds)
      await driver.defer(
        key,
        async () => void (await driver.update(key, version, identity, ttlSeconds)),
      )
    },
    async find(sessionUid) {
      const record = await driver.get(keyOf(sessionUid))
      if (!record) return undefined
      const identity = record.value as Identity
      if (!isVouchedFor(identity)) return undefined
      versions.set(identity, record.version)
      return identity
    },
    delete: (sessionUid) => driver.delete(keyOf(sessionUid)),
  }
}
