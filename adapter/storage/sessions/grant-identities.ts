// Identities of grants that outlive their session (offline_access): a copy of its own for each, which goes with the grant.
import { grantIndex, hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { Identity } from './identities.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

export interface GrantIdentities {
  saveForGrant(grantId: string, identity: Identity, ttlSeconds: number): Promise<void>
  findForGrant(grantId: string): Promise<Identity | undefined>
}

const PREFIX = 'GrantIdentity:'

/** Both reject with StorageError `unavailable`. */
export function createGrantIdentities(
  driver: DeferringDriver,
  isVouchedFor: (identity: Identity) => boolean,
): GrantIdentities {
  const keyOf = (grantId: string) => `${PREFIX}${hashed(grantId)}`
  return {
    async saveForGrant(grantId, identity, ttlSeconds) {
      const key = keyOf(grantId)
      await Promise.all([
        driver.add(grantIndex(grantId), key, ttlSeconds),
        driver.add(upstreamGrantsIndex(identity.upstream), key, ttlSeconds),
        driver.set(key, identity, ttlSeconds),
      ])
    },
    async findForGrant(grantId) {
      const identity = (await driver.get(keyOf(grantId)))?.value as Identity | undefined
      return identity && isVouchedFor(identity) ? identity : undefined
    },
  }
}

/** Of all whose identity came from an upstream; its members are keys. */
function upstreamGrantsIndex(upstream: string): string {
  return `grants-of-upstream:${upstream}`
}

/** Deletes those that `isEnded` says are to end; how many. It gets the hashed id of the grant too. Rejects as above. */
export async function endGrantIdentitiesOf(
  driver: Driver,
  upstream: string,
  isEnded: (identity: Identity, grantHash: string) => boolean | Promise<boolean>,
): Promise<number> {
  let ended = 0
  for (const key of await driver.members(upstreamGrantsIndex(upstream))) {
    const identity = (await driver.get(key))?.value as Identity | undefined
    if (identity?.upstream !== upstream) continue
    if (!(await isEnded(identity, key.slice(PREFIX.length)))) continue
    await driver.delete(key)
    ended += 1
  }
  return ended
}
