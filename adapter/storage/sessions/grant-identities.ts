// Identities of grants that outlive their session (offline_access): a copy of its own for each, which goes with the grant.
import { grantIndex, hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { Identity } from './identities.ts'
import type { DeferringDriver } from '../unit-of-work.ts'
import { releaseUpstreamTokens } from '../tokens/release-upstream-tokens.ts'

export interface GrantIdentities {
  saveForGrant(grantId: string, identity: Identity, ttlSeconds: number): Promise<void>
  /**
   * Puts another in the place of one that `findForGrant` gave, for the rest of its life. Nothing is written when that was
   * deleted or replaced since: the grant may be over.
   */
  replaceForGrant(grantId: string, found: Identity, identity: Identity): Promise<void>
  findForGrant(grantId: string): Promise<Identity | undefined>
}

const PREFIX = 'GrantIdentity:'

/** All reject with StorageError `unavailable`. */
export function createGrantIdentities(
  driver: DeferringDriver,
  isVouchedFor: (identity: Identity) => boolean,
): GrantIdentities {
  const keyOf = (grantId: string) => `${PREFIX}${hashed(grantId)}`
  const versions = new WeakMap<Identity, number>()
  return {
    async saveForGrant(grantId, identity, ttlSeconds) {
      const key = keyOf(grantId)
      await Promise.all([
        driver.add(grantIndex(grantId), key, ttlSeconds),
        ...indexesOf(identity).map((index) => driver.add(index, key, ttlSeconds)),
        driver.set(key, identity, ttlSeconds),
      ])
    },
    async replaceForGrant(grantId, found, identity) {
      const [key, version] = [keyOf(grantId), versions.get(found)]
      if (version === undefined) return
      await driver.defer(key, async () => void (await driver.update(key, version, identity)))
    },
    async findForGrant(grantId) {
      const record = await driver.get(keyOf(grantId))
      const identity = record?.value as Identity | undefined
      if (!record || !identity || !isVouchedFor(identity)) return undefined
      versions.set(identity, record.version)
      return identity
    },
  }
}

/** Where the identity of a grant that ended is named besides. Rejects as above. */
export async function unlistGrantIdentity(
  driver: Pick<Driver, 'drop'>,
  grantId: string,
  identity: Identity,
): Promise<void> {
  await unlist(driver, `${PREFIX}${hashed(grantId)}`, identity)
}

async function unlist(driver: Pick<Driver, 'drop'>, key: string, identity: Identity) {
  await Promise.all(indexesOf(identity).map((index) => driver.drop(index, key)))
}

function indexesOf({ upstream, upstreamIssuer: iss, upstreamSession: at }: Identity): string[] {
  const all = upstreamGrantsIndex(upstream)
  return at === undefined ? [all] : [all, personGrantsIndex({ upstream, iss, sub: at.sub })]
}

/** Of all whose identity came from an upstream; its members are keys. */
function upstreamGrantsIndex(upstream: string): string {
  return `grants-of-upstream:${upstream}`
}

/** A person, as the upstream names them. */
export interface UpstreamPerson {
  upstream: string
  iss: string
  sub: string
}

export function personGrantsIndex({ upstream, iss, sub }: UpstreamPerson): string {
  return `grants-of-upstream-sub:${hashed(JSON.stringify([upstream, iss, sub]))}`
}

export interface EndingGrant {
  accountId: string
  /** Undefined when the grant itself is over already. */
  clientId: string | undefined
}

/** Called for each right before it ends. */
export type OnEnd = (grant: EndingGrant) => Promise<void>

/** Ends those of one person at an upstream; how many. Rejects as above. */
export async function endGrantIdentitiesOfPerson(
  driver: Driver,
  person: UpstreamPerson,
  onEnd?: OnEnd,
): Promise<number> {
  const isTheirs = (identity: Identity) =>
    identity.upstreamIssuer === person.iss && identity.upstreamSession?.sub === person.sub
  const members = await driver.members(personGrantsIndex(person))
  return endThose(
    driver,
    members,
    (identity) => identity.upstream === person.upstream && isTheirs(identity),
    onEnd,
  )
}

type IsEnded = (identity: Identity, clientId: string | undefined) => boolean

/** Deletes those that `isEnded` says are to end; how many. Rejects as above. */
export async function endGrantIdentitiesOf(
  driver: Driver,
  upstream: string,
  isEnded: IsEnded,
  onEnd?: OnEnd,
): Promise<number> {
  const members = await driver.members(upstreamGrantsIndex(upstream))
  return endThose(
    driver,
    members,
    (identity, clientId) => identity.upstream === upstream && isEnded(identity, clientId),
    onEnd,
  )
}

async function endThose(
  driver: Driver,
  keys: readonly string[],
  isEnded: IsEnded,
  onEnd: OnEnd = async () => undefined,
): Promise<number> {
  let ended = 0
  for (const key of keys) {
    const [found, clientId] = await Promise.all([driver.get(key), clientOf(driver, key)])
    const identity = found?.value as Identity | undefined
    if (!identity || !isEnded(identity, clientId)) continue
    await onEnd({ accountId: identity.accountId, clientId })
    await driver.delete(key)
    await unlist(driver, key, identity)
    if (identity.upstreamTokens !== undefined)
      await releaseUpstreamTokens(driver, identity.upstreamTokens)
    ended += 1
  }
  return ended
}

async function clientOf(driver: Driver, key: string): Promise<string | undefined> {
  const record = await driver.get(`Grant:${key.slice(PREFIX.length)}`)
  return (record?.value as { payload?: { clientId?: string } } | undefined)?.payload?.clientId
}
