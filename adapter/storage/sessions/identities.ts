// Identities: who signed in upstream, kept beside the session for as long as it lives, and beside a grant that outlives
// it (offline_access). No directory of users: when both are over, so are these records.
import type { ClaimsByClient } from '../../claims/mapping/client-claims.ts'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import {
  releaseTokensOfSession,
  upstreamTokensOfSession,
} from '../tokens/release-upstream-tokens.ts'
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
  /** What was kept of the upstream for the session goes too. */
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
    list(driver, sessionMember(uid), { identity, clientId, ttlSeconds })
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
    async delete(sessionUid) {
      await driver.delete(keyOf(sessionUid))
      await releaseTokensOfSession(driver, sessionMember(sessionUid))
    },
    ...createGrantIdentities(driver, isVouchedFor),
  }
}

interface Listed {
  identity: Identity
  clientId: string | undefined
  ttlSeconds: number
}

async function list(
  driver: Driver,
  member: string,
  { identity, clientId, ttlSeconds }: Listed,
): Promise<void> {
  const { upstreamTokens: id } = identity
  await Promise.all([
    ...indexesOf(identity, clientId).map((index) => driver.add(index, member, ttlSeconds)),
    id === undefined ? undefined : driver.add(upstreamTokensOfSession(member), id, ttlSeconds),
  ])
}
