// Identities: who signed in upstream, kept beside the session for as long as it lives, and beside a grant that outlives
// it (offline_access). No directory of users: when both are over, so are these records.
import type { ClaimsByClient } from '../claims/client-claims.ts'
import { hashed } from './artefact-key.ts'
import { createGrantIdentities } from './grant-identities.ts'
import type { GrantIdentities } from './grant-identities.ts'
import { indexesOf, sessionMember } from './live-sessions.ts'
import type { DeferringDriver } from './unit-of-work.ts'
import type { UpstreamSession } from './upstream-session.ts'

export interface Identity {
  /** The `sub` we mint. */
  accountId: string
  /** Name of the upstream in the configuration. */
  upstream: string
  upstreamIssuer: string
  /** Of the upstream's settings at the login; see upstream-epoch.ts. */
  epoch?: string
  upstreamSession?: UpstreamSession
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

export interface Identities extends GrantIdentities {
  /** `clientId` is the client that the session serves now. */
  save(sessionUid: string, identity: Identity, ttlSeconds: number, clientId?: string): Promise<void>
  /** Prolongs the life of one that `find` gave. Nothing is written when it was deleted or replaced since: the session may be over. */
  renew(
    sessionUid: string,
    identity: Identity,
    ttlSeconds: number,
    clientId?: string,
  ): Promise<void>
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
  const listed = (uid: string, identity: Identity, ttlSeconds: number, clientId?: string) =>
    Promise.all(
      indexesOf(identity, clientId).map((index) =>
        driver.add(index, sessionMember(uid), ttlSeconds),
      ),
    )
  const versions = new WeakMap<Identity, number>()
  return {
    async save(sessionUid, identity, ttlSeconds, clientId) {
      await Promise.all([
        listed(sessionUid, identity, ttlSeconds, clientId),
        driver.set(keyOf(sessionUid), identity, ttlSeconds),
      ])
    },
    async renew(sessionUid, identity, ttlSeconds, clientId) {
      const key = keyOf(sessionUid)
      const version = versions.get(identity)
      if (version === undefined) return
      await listed(sessionUid, identity, ttlSeconds, clientId)
      await driver.defer(
        key,
        async () => void (await driver.update(key, version, identity, ttlSeconds)),
      )
    },
    async find(sessionUid) {
      const record = await driver.get(keyOf(sessionUid))
      const identity = record?.value as Identity | undefined
      if (!record || !identity || !isVouchedFor(identity)) return undefined
      versions.set(identity, record.version)
      return identity
    },
    delete: (sessionUid) => driver.delete(keyOf(sessionUid)),
    ...createGrantIdentities(driver, isVouchedFor),
  }
}
