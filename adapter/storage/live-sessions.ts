// The sessions that live now, by the upstream that vouched for them: for operators, who want to know whom a change concerns.
// The index points at records; what these say counts.
import { artefactKey, hashed } from './artefact-key.ts'
import type { Driver } from './driver.ts'
import type { Identity } from './identities.ts'
import type { SessionPayload } from './merge-session.ts'

export interface LiveSession {
  identity: Identity
  /** One for each client that has a grant by this session. */
  grantIds: string[]
}

/** The index of all sessions of an upstream's people; its members are `sessionMember`s. */
export function upstreamSessionsIndex(upstream: string): string {
  return `sessions-of-upstream:${upstream}`
}

/** A session as a member of indexes: the last part of the keys of its records. */
export function sessionMember(sessionUid: string): string {
  return hashed(sessionUid)
}

/** So many are read at a time. */
const BATCH = 100

/** Rejects with StorageError `unavailable`. */
export async function liveSessionsOf(driver: Driver, upstream: string): Promise<LiveSession[]> {
  const members = await driver.members(upstreamSessionsIndex(upstream))
  const found: LiveSession[] = []
  for (let at = 0; at < members.length; at += BATCH) {
    const batch = members.slice(at, at + BATCH).map((member) => read(driver, upstream, member))
    for (const session of await Promise.all(batch)) if (session) found.push(session)
  }
  return found
}

async function read(
  driver: Driver,
  upstream: string,
  member: string,
): Promise<LiveSession | undefined> {
  const [record, session] = await Promise.all([
    driver.get(`Identity:${member}`),
    driver.get(`Session:${member}`),
  ])
  const identity = record?.value as Identity | undefined
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
