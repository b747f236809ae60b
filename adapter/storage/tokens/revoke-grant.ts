// Ends a grant: every artefact that hangs on it, and the Grant itself.
import { artefactKey, grantIndex } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import { unlistGrantIdentity } from '../sessions/grant-identities.ts'
import type { Identity } from '../sessions/identities.ts'
import type { DeferringDriver } from '../unit-of-work.ts'
import { releaseUpstreamTokens } from './release-upstream-tokens.ts'

/**
 * Nothing of the grant can be used once this resolves. Never put off to the end of a request: a failure later in the
 * request can not bring the tokens back. Rejects with StorageError `unavailable`; then the grant may be alive in part.
 */
export async function revokeGrant(
  driver: Driver | DeferringDriver,
  grantId: string,
): Promise<void> {
  const remove = (key: string) =>
    'deleteNow' in driver ? driver.deleteNow(key) : driver.delete(key)
  // The Grant goes with the first round trip: without it no artefact is honoured, whatever happens to the rest.
  const [keys, own] = await Promise.all([
    driver.members(grantIndex(grantId)),
    driver.get(artefactKey('GrantIdentity', grantId)),
    remove(artefactKey('Grant', grantId)),
  ])
  const identity = own?.value as Identity | undefined
  await Promise.all([
    ...keys.map(remove),
    driver.drop(grantIndex(grantId)),
    identity && unlistGrantIdentity(driver, grantId, identity),
  ])
  const { upstreamTokens } = identity ?? {}
  if (upstreamTokens !== undefined) await releaseUpstreamTokens(driver, upstreamTokens)
}
