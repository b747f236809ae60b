// The end of what a person granted us at their upstream: once the session of the sign-in is over, and no grant that outlives
// it (offline_access) holds it, nobody has a use for it, and it goes at once.
import { artefactKey, hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { Identity } from '../sessions/identities.ts'

/** `id` is what identities name it by. */
export const upstreamTokensKey = (id: string) => `UpstreamTokens:${hashed(id)}`
/** Its members are the ids of grants that end with it. */
export const grantsOfUpstreamTokens = (id: string) => `grants-of-upstream-tokens:${hashed(id)}`
/** Its members are `sessionMember`s. */
export const sessionsOfUpstreamTokens = (id: string) => `sessions-of-upstream-tokens:${hashed(id)}`
/** Its members are ids: who signs in once more in a session has granted once more. */
export const upstreamTokensOfSession = (member: string) => `upstream-tokens-of-session:${member}`

/** Once a session is over, with its identity. Rejects with StorageError `unavailable`. */
export async function releaseTokensOfSession(driver: Driver, member: string): Promise<void> {
  const index = upstreamTokensOfSession(member)
  const ids = await driver.members(index)
  if (ids.length === 0) return
  await Promise.all([...ids.map((id) => releaseUpstreamTokens(driver, id)), driver.drop(index)])
}

/** Ends it unless a session or a grant still holds it. Rejects as above. */
export async function releaseUpstreamTokens(driver: Driver, id: string): Promise<void> {
  const [sessions, grants] = await Promise.all([
    driver.members(sessionsOfUpstreamTokens(id)),
    driver.members(grantsOfUpstreamTokens(id)),
  ])
  const holds = await Promise.all([
    ...sessions.map((member) => isHeldBy(driver, `Identity:${member}`, id)),
    ...grants.map((grantId) => isHeldByGrant(driver, grantId, id)),
  ])
  if (holds.includes(true)) return
  await forgetUpstreamTokens(driver, id)
}

/** Whatever holds it. */
export async function forgetUpstreamTokens(driver: Driver, id: string): Promise<void> {
  await Promise.all([
    driver.delete(upstreamTokensKey(id)),
    driver.drop(grantsOfUpstreamTokens(id)),
    driver.drop(sessionsOfUpstreamTokens(id)),
  ])
}

async function isHeldByGrant(driver: Driver, grantId: string, id: string): Promise<boolean> {
  const [grant, isHeld] = await Promise.all([
    driver.get(artefactKey('Grant', grantId)),
    isHeldBy(driver, artefactKey('GrantIdentity', grantId), id),
  ])
  return grant !== undefined && isHeld
}

async function isHeldBy(driver: Driver, key: string, id: string): Promise<boolean> {
  const identity = (await driver.get(key))?.value as Identity | undefined
  return identity?.upstreamTokens === id
}
