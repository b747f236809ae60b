// Identities of grants that outlive their session (offline_access): a copy of its own for each, which goes with the grant.
import { grantIndex, hashed } from './artefact-key.ts'
import type { Identity } from './identities.ts'
import type { DeferringDriver } from './unit-of-work.ts'

export interface GrantIdentities {
  saveForGrant(grantId: string, identity: Identity, ttlSeconds: number): Promise<void>
  findForGrant(grantId: string): Promise<Identity | undefined>
}

/** Both reject with StorageError `unavailable`. */
export function createGrantIdentities(
  driver: DeferringDriver,
  isVouchedFor: (identity: Identity) => boolean,
): GrantIdentities {
  const keyOf = (grantId: string) => `GrantIdentity:${hashed(grantId)}`
  return {
    async saveForGrant(grantId, identity, ttlSeconds) {
      const key = keyOf(grantId)
      await Promise.all([
        driver.add(grantIndex(grantId), key, ttlSeconds),
        driver.set(key, identity, ttlSeconds),
      ])
    },
    async findForGrant(grantId) {
      const identity = (await driver.get(keyOf(grantId)))?.value as Identity | undefined
      return identity && isVouchedFor(identity) ? identity : undefined
    },
  }
}
