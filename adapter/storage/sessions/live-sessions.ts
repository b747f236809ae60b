// The sessions that live now, found by the upstream that vouched for them, by its names for session and person, by our
// name for the person, and by app. Indexes point at records; what these say counts.
import { artefactKey, hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { Identity } from './identities.ts'
import type { SessionPayload } from '../provider/merge-session.ts'
import {
  releaseTokensOfSession,
  sessionsOfUpstreamTokens,
} from '../tokens/release-upstream-tokens.ts'

export interface LiveSession {
  identity: Identity
  /** One for each client that has a grant by this session. */
  grantIds: string[]
}

/** The index of all sessions of an upstream's people; its members are `sessionMember`s. */
export function upstreamSessionsIndex(upstream: string): string {
  return `sessions-of-upstream:${upstream}`
}

/** The sessions behind one session, or all sessions of one person, at an upstream. */
export function upstreamNameIndex(
  kind: 'sid' | 'sub',
  { upstream, iss }: { upstream: string; iss: string },
  name: string,
): string {
  return `sessions-of-upstream-${kind}:${hashed(JSON.stringify([upstream, iss, name]))}`
}

export function userSessionsIndex(accountId: string): string {
  return `sessions-of-user:${hashed(accountId)}`
}

export function clientSessionsIndex(clientId: string): string {
  return `sessions-of-client:${hashed(clientId)}`
}

/** Every index that a session is listed in, once `clientId` has a part in it. */
export function indexesOf(identity: Identity, clientId: string | undefined): string[] {
  const { upstream, upstreamIssuer: iss, accountId, upstreamSession: at, upstreamTokens } = identity
  const named = (kind: 'sid' | 'sub') => {
    const name = at?.[kind]
    return name === undefined ? [] : [upstreamNameIndex(kind, { upstream, iss }, name)]
  }
  return [
    upstreamSessionsIndex(upstream),
    userSessionsIndex(accountId),
    ...named('sid'),
    ...named('sub'),
    ...(clientId === undefined ? [] : [clientSessionsIndex(clientId)]),
    ...(upstreamTokens === undefined ? [] : [sessionsOfUpstreamTokens(upstreamTokens)]),
  ]
}

/** A session as a member of indexes: the last part of the keys of its records. */
export function sessionMember(sessionUid: string): string {
  return hashed(sessionUid)
}

/** So many are read at a time. */
const BATCH = 100

/** Rejects with StorageError `unavailable`. */
export async function liveSessionsOf(driver: Driver, upstream: string): Promise<LiveSession[]> {
  const found = await forEachMember(driver, upstream, (member) => read(driver, upstream, member))
  return found.filter((session) => session !== undefined)
}

/** Deletes the identities that `isEnded` says are to end; how many. Rejects as above. */
export async function endIdentitiesOf(
  driver: Driver,
  upstream: string,
  isEnded: (identity: Identity) => boolean,
): Promise<number> {
  const ended = await forEachMember(driver, upstream, async (member) => {
    const identity = await identityOf(driver, member)
    if (identity?.upstream !== upstream || !isEnded(identity)) return false
    await driver.delete(identityKey(member))
    await releaseTokensOfSession(driver, member)
    return true
  })
  return ended.filter(Boolean).length
}

async function forEachMember<T>(
  driver: Driver,
  upstream: string,
  work: (member: string) => Promise<T>,
): Promise<T[]> {
  const members = await driver.members(upstreamSessionsIndex(upstream))
  const results: T[] = []
  for (let at = 0; at < members.length; at += BATCH)
    results.push(...(await Promise.all(members.slice(at, at + BATCH).map(work))))
  return results
}

export const identityKey = (member: string) => `Identity:${member}`

async function identityOf(driver: Driver, member: string): Promise<Identity | undefined> {
  return (await driver.get(identityKey(member)))?.value as Identity | undefined
}

async function read(
  driver: Driver,
  upstream: string,
  member: string,
): Promise<LiveSession | undefined> {
  const [identity, session] = await Promise.all([
    identityOf(driver, member),
    driver.get(`Session:${member}`),
  ])
  const payload = session?.value as SessionPayload | null | undefined
  // The person may have signed in at another upstream since, or out.
  if (identity?.upstream !== upstream || payload?.accountId !== identity.accountId) return undefined
  return { identity, grantIds: await liveGrants(driver, payload) }
}

async function liveGrants(driver: Driver, { authorizations = {} }: SessionPayload) {
  const ids = Object.values(authorizations).flatMap((authorization) => {
    const { grantId } = authorization as { grantId?: string }
    return grantId === undefined ? [] : [grantId]
  })
  const records = await Promise.all(ids.map((id) => driver.get(artefactKey('Grant', id))))
  return ids.filter((_id, at) => records[at] !== undefined)
}
