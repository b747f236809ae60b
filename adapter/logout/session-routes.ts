// What `auth-adapter sessions …` and `logout explain` ask the running adapter for: which sessions live, and their end.
import type { AdminAnswer, AdminRoutes } from '../admin/admin-api.ts'
import type { Config } from '../config/schema.ts'
import type { Driver } from '../storage/driver.ts'
import { readSession, type SessionParts } from '../storage/sessions/end-session.ts'
import { endGrantIdentitiesOf, type OnEnd } from '../storage/sessions/grant-identities.ts'
import {
  clientSessionsIndex,
  upstreamSessionsIndex,
  userSessionsIndex,
} from '../storage/sessions/live-sessions.ts'
import { explainLogout, type ExplainedLogout } from '../storage/logouts/logout-trails.ts'
import type { DeliverLogouts } from './down/deliver-logouts.ts'
import type { TellApps } from './down/tell-apps.ts'
import type { EndSessions } from './end-sessions.ts'
import { logoutHistory, type LogoutEvent } from './logout-history.ts'
import type { Log } from '../../service/log.ts'
import { withdrawConsents, type ConsentOrder } from './withdraw-consents.ts'

export interface ListedSession {
  sub: string
  upstream: string
  clients: string[]
}

export interface SessionsAnswer {
  count: number
  /** The first thousand. */
  sessions: ListedSession[]
}

export interface RevokedAnswer {
  sessions: number
  /** Refresh tokens that had outlived their session. */
  grants: number
  /** Apps that are being told. */
  told: number
  /** Only where they were to be taken back as well. */
  consents?: number
}

export type ExplainAnswer = ExplainedLogout & {
  /** Every try, as far as the audit trail has it. */
  history: LogoutEvent[]
}

export interface SessionRouteOptions {
  driver: Driver
  log: Log
  /** The hash of a session in the audit trail. */
  pseudonym: (sid: string) => string | undefined
  /** In force now; undefined as long as nothing is. */
  inForce: () => Running | undefined
}

interface Running {
  config: Config
  endSessions: EndSessions
  tellApps: Pick<TellApps, 'ofGrant'>
  deliver: Pick<DeliverLogouts, 'wake'>
}

const KINDS = ['user', 'client', 'upstream', 'all'] as const
export interface Selector {
  kind: (typeof KINDS)[number]
  name: string
}

const MAX_LISTED = 1000
const BATCH = 100

export function sessionRoutes({
  driver,
  log,
  inForce,
  pseudonym,
}: SessionRouteOptions): AdminRoutes {
  return {
    'GET /api/sessions': async (_body, parameters) => {
      const running = inForce()
      if (!running) return NOT_READY
      const selector = selectorFrom(Object.fromEntries(parameters)) ?? { kind: 'all', name: '' }
      const found = await liveSessions(driver, selector, running.config)
      const sessions = found.slice(0, MAX_LISTED).map(listed)
      return { status: 200, body: { count: found.length, sessions } satisfies SessionsAnswer }
    },
    'GET /api/logout/explain': async (_body, parameters) => {
      const sid = parameters.get('sid') ?? ''
      const explained = await explainLogout(driver, sid)
      if (!explained) return NO_SUCH_LOGOUT
      const history = await logoutHistory(
        { driver, pseudonym },
        sid,
        Date.parse(explained.ended_at),
      )
      return { status: 200, body: { ...explained, history } satisfies ExplainAnswer }
    },
    'POST /api/sessions/revoke': async (body) => {
      const running = inForce()
      if (!running) return NOT_READY
      return revoke({ driver, log, ...running }, (body ?? {}) as Record<string, unknown>)
    },
  }
}

type Parts = Pick<SessionRouteOptions, 'driver' | 'log'> & Running

async function revoke(parts: Parts, given: Record<string, unknown>): Promise<AdminAnswer> {
  const { driver, config, endSessions, tellApps, deliver } = parts
  const selector = selectorFrom(given)
  if (!selector) return NO_SELECTOR
  const order = given['consents'] === true ? consentOrder(selector) : 'none'
  if (!order) return NOBODYS_CONSENTS
  const members = await membersOf(driver, selector, config)
  const ended = await endSessions({ members, isMeant: meant(selector), cause: 'operator' })
  let { told } = ended
  const onEnd: OnEnd = async (grant) => void (told += await tellApps.ofGrant(grant))
  const grants = await endGrants(driver, selector, config, onEnd)
  if (told > ended.told) deliver.wake()
  // Last: who is still signed in could agree again in between.
  const withdrawn = order === 'none' ? {} : { consents: await withdrawConsents(parts, order) }
  return { status: 200, body: { ...ended, told, grants, ...withdrawn } satisfies RevokedAnswer }
}

const NOT_READY: AdminAnswer = {
  status: 503,
  body: { error: 'not_ready', error_description: 'The store has not answered since the start' },
}
const NO_SELECTOR: AdminAnswer = {
  status: 400,
  body: {
    error: 'invalid_request',
    error_description: 'Expected exactly one of user, client, upstream and all',
  },
}

const NOBODYS_CONSENTS: AdminAnswer = {
  status: 400,
  body: {
    error: 'invalid_request',
    error_description: 'Expected user or client with consents, found upstream or all',
  },
}

const NO_SUCH_LOGOUT: AdminAnswer = {
  status: 404,
  body: {
    error: 'unknown_logout',
    error_description: 'No session with this sid ended within a day',
  },
}

function selectorFrom(given: Record<string, unknown>): Selector | undefined {
  const found = KINDS.filter((kind) => given[kind] !== undefined && given[kind] !== false)
  const [kind] = found
  if (kind === undefined || found.length > 1) return undefined
  const name = given[kind]
  // What ends everything has to be said, not only not be denied.
  if (kind === 'all') return name === true || name === 'true' ? { kind, name: '' } : undefined
  return typeof name === 'string' && name !== '' ? { kind, name } : undefined
}

function consentOrder({ kind, name }: Selector): ConsentOrder | undefined {
  return kind === 'user' || kind === 'client' ? { of: kind, name } : undefined
}

async function membersOf(
  driver: Driver,
  { kind, name }: Selector,
  { upstreams }: Config,
): Promise<string[]> {
  const indexes = {
    user: [userSessionsIndex(name)],
    client: [clientSessionsIndex(name)],
    upstream: [upstreamSessionsIndex(name)],
    all: Object.keys(upstreams).map(upstreamSessionsIndex),
  }[kind]
  const members = await Promise.all(indexes.map((index) => driver.members(index)))
  return [...new Set(members.flat())]
}

/** What the record says counts, not the index. */
function meant({ kind, name }: Selector): (session: SessionParts) => boolean {
  return ({ accountId, identity, authorizations }) =>
    ({
      user: accountId === name,
      client: Object.hasOwn(authorizations, name),
      upstream: identity?.upstream === name,
      all: true,
    })[kind]
}

async function liveSessions(
  driver: Driver,
  selector: Selector,
  config: Config,
): Promise<SessionParts[]> {
  const members = await membersOf(driver, selector, config)
  const isMeant = meant(selector)
  const found: SessionParts[] = []
  for (let at = 0; at < members.length; at += BATCH) {
    const batch = members.slice(at, at + BATCH)
    const sessions = await Promise.all(batch.map((member) => readSession(driver, member)))
    // Without its identity a session is nobody's any more.
    found.push(...sessions.filter((session) => session?.identity && isMeant(session)).flatMap(one))
  }
  return found
}

const one = (session: SessionParts | undefined) => (session ? [session] : [])

function listed({ accountId, identity, authorizations }: SessionParts): ListedSession {
  return {
    sub: accountId,
    upstream: identity?.upstream ?? '',
    clients: Object.keys(authorizations),
  }
}

/** Those that outlived their session hang on none that could be ended. */
async function endGrants(
  driver: Driver,
  { kind, name }: Selector,
  { upstreams }: Config,
  onEnd: OnEnd,
): Promise<number> {
  const names = kind === 'upstream' ? [name] : Object.keys(upstreams)
  const isEnded = ({ accountId }: { accountId: string }, clientId: string | undefined) =>
    kind === 'user' ? accountId === name : kind !== 'client' || clientId === name
  const ended = await Promise.all(
    names.map((upstream) => endGrantIdentitiesOf(driver, upstream, isEnded, onEnd)),
  )
  return ended.reduce((sum, count) => sum + count, 0)
}
