// Inward: an upstream says that somebody signed out there. Judges who says so, and ends the sessions here that hang on it.
import { UpstreamError } from '../errors.ts'
import type { SessionParts } from '../storage/sessions/end-session.ts'
import type { Driver } from '../storage/driver.ts'
import { createUpstreamLogoutTokens } from '../storage/logouts/upstream-logout-tokens.ts'
import { upstreamNameIndex } from '../storage/sessions/live-sessions.ts'
import { endGrantIdentitiesOfPerson } from '../storage/sessions/grant-identities.ts'
import type { Upstream, UpstreamLogoutToken } from '../upstream/upstream.ts'
import type { Log } from '../../service/log.ts'
import type { DeliverLogouts } from './down/deliver-logouts.ts'
import type { TellApps } from './down/tell-apps.ts'
import type { EndSessions } from './end-sessions.ts'

export interface HearUpstreamOptions {
  driver: Driver
  upstreams: { get(name: string): Upstream | undefined }
  endSessions: EndSessions
  tellApps: Pick<TellApps, 'ofGrant'>
  deliver: Pick<DeliverLogouts, 'wake'>
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export interface HearUpstream {
  /** A logout token. False: it does not hold, and nothing has ended. */
  backChannel(upstream: string, token: string): Promise<boolean>
  /** A page of the upstream in the browser. False as above. */
  frontChannel(upstream: string, said: { iss: string; sid: string }): Promise<boolean>
}

/** Beyond what a token may still be used. */
const JTI_SLACK_SECONDS = 600

/** Both reject with StorageError `unavailable`, and UpstreamError `unavailable` or `metadata_invalid` when its keys can not be had. */
export function createHearUpstream(options: HearUpstreamOptions): HearUpstream {
  const { driver, upstreams, log, now } = options
  const tokens = createUpstreamLogoutTokens(driver)

  async function verified(upstream: string, token: string) {
    try {
      return await upstreams.get(upstream)?.logout?.verifyLogoutToken(token)
    } catch (error) {
      if (!(error instanceof UpstreamError && error.code === 'identity_invalid')) throw error
      log.warn('logout.token_refused', { upstream, error })
      return undefined
    }
  }

  return {
    async backChannel(upstream, token) {
      const said = await verified(upstream, token)
      if (!said) return false
      const name = { upstream, iss: said.iss, jti: said.jti }
      const ttlSeconds = Math.max(0, said.exp - now() / 1000) + JTI_SLACK_SECONDS
      if (!(await tokens.use(name, ttlSeconds))) {
        log.warn('logout.token_refused', { upstream, reason: 'its jti was used before' })
        return false
      }
      try {
        const sessions = await endSaid(options, upstream, said)
        await endOffline(options, upstream, said)
        log.info('logout.token_accepted', { upstream, way: 'server', sessions })
        return true
      } catch (error) {
        // Not done: the upstream may send it again.
        await tokens.giveBack(name).catch(() => undefined)
        throw error
      }
    },
    async frontChannel(upstream, said) {
      if (upstreams.get(upstream)?.logout?.isIssuer(said.iss) !== true) return false
      const sessions = await endSaid(options, upstream, said)
      log.info('logout.token_accepted', { upstream, way: 'browser', sessions })
      return true
    },
  }
}

/** How many sessions. */
async function endSaid(
  { driver, endSessions }: HearUpstreamOptions,
  upstream: string,
  said: Said,
): Promise<number> {
  const members = await driver.members(indexOf(upstream, said))
  const isMeant = concerns(upstream, said)
  return (await endSessions({ members, isMeant, cause: 'upstream' })).sessions
}

type Said = Pick<UpstreamLogoutToken, 'iss' | 'sub' | 'sid'>

/** Where no session is named, all that is left of the person's sign-ins ends, also what outlived its session. */
async function endOffline(
  { driver, tellApps, deliver, log }: HearUpstreamOptions,
  upstream: string,
  { iss, sub, sid }: Said,
): Promise<void> {
  if (sub === undefined || sid !== undefined) return
  const person = { upstream, iss, sub }
  const grants = await endGrantIdentitiesOfPerson(
    driver,
    person,
    async (grant) => void (await tellApps.ofGrant(grant)),
  )
  deliver.wake()
  if (grants > 0) log.info('grants.ended', { upstream, cause: 'upstream', grants })
}

/** The session, where one is named; all sessions of the person otherwise. */
function indexOf(upstream: string, { iss, sub = '', sid }: Said): string {
  const [kind, name] = sid === undefined ? (['sub', sub] as const) : (['sid', sid] as const)
  return upstreamNameIndex(kind, { upstream, iss }, name)
}

/** An index may point at a session that is another person's by now. */
function concerns(upstream: string, { iss, sub, sid }: Said): (session: SessionParts) => boolean {
  return ({ identity }) =>
    identity?.upstream === upstream &&
    identity.upstreamIssuer === iss &&
    (sid === undefined || identity.upstreamSession?.sid === sid) &&
    (sub === undefined || identity.upstreamSession?.sub === sub)
}
