// Identities: who signed in upstream, kept beside the session for as long as it lives, and beside a grant that outlives
// it (offline_access). No directory of users: when both are over, so are these records.
import type { ClaimsByClient } from '../../claims/mapping/client-claims.ts'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import { createGrantIdentities } from './grant-identities.ts'
import type { GrantIdentities } from './grant-identities.ts'
import { indexesOf, sessionMember } from './live-sessions.ts'
import type { DeferringDriver } from '../unit-of-work.ts'
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
  /** What is kept to follow the upstream by; see upstream-tokens.ts. */
  upstreamTokens?: string
  /** Epoch milliseconds; when the upstream last confirmed it, where it is followed. */
  checkedAt?: number
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
  /** Puts another in the place of one that `find` gave, for the rest of its life; as above. */
  replace(sessionUid: string, found: Identity, identity: Identity): Promise<void>
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
    addTo(driver, indexesOf(identity, clientId), sessionMember(uid), ttlSeconds)
  const versions = new WeakMap<Identity, number>()
  const replace = async (uid: string, found: Identity, identity: Identity, ttl?: number) => {
    const [key, version] = [keyOf(uid), versions.get(found)]
    if (version === undefined) return
    await driver.defer(key, async () => void (await driver.update(key, version, identity, ttl)))
  }
  return {
    async save(sessionUid, identity, ttlSeconds, clientId) {
      await Promise.all([
        listed(sessionUid, identity, ttlSeconds, clientId),
        driver.set(keyOf(sessionUid), identity, ttlSeconds),
      ])
    },
    async renew(sessionUid, identity, ttlSeconds, clientId) {
      if (!versions.has(identity)) return
      await listed(sessionUid, identity, ttlSeconds, clientId)
      await replace(sessionUid, identity, identity, ttlSeconds)
    },
    replace: (sessionUid, found, identity) => replace(sessionUid, found, identity),
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

async function addTo(driver: Driver, indexes: string[], member: string, ttlSeconds: number) {
  await Promise.all(indexes.map((index) => driver.add(index, member, ttlSeconds)))
}
