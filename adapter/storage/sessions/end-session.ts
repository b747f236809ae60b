// Ends a session for good, from outside the browser: its identity, its grants with all that hangs on them, its record. Says
// which apps took part, so that they can be told.
import type { Driver } from '../driver.ts'
import type { Identity } from './identities.ts'
import { identityKey } from './live-sessions.ts'
import type { SessionPayload } from '../provider/merge-session.ts'
import { ENDED, ENDED_TTL_SECONDS } from '../provider/provider-sessions.ts'
import { releaseTokensOfSession } from '../tokens/release-upstream-tokens.ts'
import { revokeGrant } from '../tokens/revoke-grant.ts'

export interface SessionParts {
  accountId: string
  identity: Identity | undefined
  authorizations: Readonly<Record<string, { sid?: string; grantId?: string }>>
}

/** Undefined when there is no such session, or nobody is signed in with it. */
export async function readSession(
  driver: Driver,
  member: string,
): Promise<SessionParts | undefined> {
  const [identity, session] = await Promise.all([
    driver.get(identityKey(member)),
    driver.get(sessionKey(member)),
  ])
  const payload = session?.value as SessionPayload | null | undefined
  if (payload?.accountId === undefined) return undefined
  return {
    accountId: payload.accountId,
    identity: identity?.value as Identity | undefined,
    authorizations: (payload.authorizations ?? {}) as SessionParts['authorizations'],
  }
}

/** Once this resolves nothing of it can be used, on any instance. Rejects with StorageError `unavailable`. */
export async function endSession(
  driver: Driver,
  member: string,
  { authorizations }: Pick<SessionParts, 'authorizations'>,
): Promise<void> {
  // Without its identity every token and code of the session is nobody's, whatever happens to the rest.
  await driver.delete(identityKey(member))
  const grantIds = Object.values(authorizations).flatMap(({ grantId }) => grantId ?? [])
  await Promise.all([
    endRecord(driver, member),
    ...grantIds.map((grantId) => revokeGrant(driver, grantId)),
  ])
  await releaseTokensOfSession(driver, member)
}

const sessionKey = (member: string) => `Session:${member}`

/** Leaves the mark that keeps a save that began before from bringing it back. */
async function endRecord(driver: Driver, member: string): Promise<void> {
  for (;;) {
    const record = await driver.get(sessionKey(member))
    if (!record || record.value === ENDED) return
    if (await driver.update(sessionKey(member), record.version, ENDED, ENDED_TTL_SECONDS)) return
  }
}
