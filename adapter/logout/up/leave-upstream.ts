// Up the chain: whether a person who signs out here is sent to sign out at the upstream too, and how they come back. Ends no
// session of ours.
import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/schema.ts'
import { hashed } from '../../storage/provider/artefact-key.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { UpstreamLogouts } from '../../storage/logouts/upstream-logouts.ts'
import type { UpstreamSessions } from '../../storage/sessions/upstream-session.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Log } from '../../../service/log.ts'
import { withinTime } from './within-time.ts'

export interface LeaveUpstreamOptions {
  config: Pick<Config, 'issuer' | 'upstreams'>
  upstreams: { get(name: string): Upstream | undefined }
  upstreamSessions: Pick<UpstreamSessions, 'hintOf'>
  logouts: UpstreamLogouts
  log: Log
}

/** What the question says of the upstream. */
export interface UpstreamOffer {
  /** As people read it. */
  name: string
  /** `stays`: the person may still be signed in there. */
  kind: 'always' | 'ask' | 'stays'
  /** Where the answer may lead. */
  url?: string
}

export interface LeaveRequest {
  /** Where the person was to go. */
  target: string
  /** Whether the person ticked the box. */
  isAsked: boolean
}

export interface LeaveAnswer {
  location: string
  /** Set-Cookie values. */
  cookies: string[]
}

export interface LeaveUpstream {
  offer(identity: Identity): Promise<UpstreamOffer>
  /** Undefined: the person stays signed in there. What is stored goes out with the request's writes. */
  leave(identity: Identity, request: LeaveRequest): Promise<LeaveAnswer | undefined>
  /** Where the person goes who came back with `state`; undefined unless it is of this browser, and new. */
  return(
    upstream: string,
    state: string,
    cookieHeader: string | undefined,
  ): Promise<string | undefined>
}

const SECRET_BYTES = 32
/** Its metadata may have to be fetched first: an upstream that is down keeps nobody from signing out here. */
const MAX_WAIT_MS = 2500

export function createLeaveUpstream(options: LeaveUpstreamOptions): LeaveUpstream {
  const { config, logouts, log } = options
  const cookie = logoutCookie(config.issuer)

  return {
    async offer(identity) {
      const name = displayName(config, identity.upstream)
      const setting = settingOf(config, identity.upstream)
      const url = setting === 'never' ? undefined : await endSessionUrl(options, identity, '')
      if (setting === 'never' || url === undefined) return { name, kind: 'stays' }
      return { name, kind: setting, url: url.origin }
    },
    async leave(identity, { target, isAsked }) {
      const setting = settingOf(config, identity.upstream)
      if (setting !== 'always' && !(setting === 'ask' && isAsked)) return undefined
      const [state, browser] = [secret(), secret()]
      const url = await endSessionUrl(options, identity, state)
      if (!url) return undefined
      await logouts.save(state, { upstream: identity.upstream, target, browser: hashed(browser) })
      log.info('logout.upstream', { upstream: identity.upstream })
      return { location: url.href, cookies: [cookie.write(browser)] }
    },
    async return(upstream, state, cookieHeader) {
      const browser = cookie.read(cookieHeader)
      const found = STATE.test(state) && browser ? await logouts.take(state) : undefined
      const isOurs = found?.upstream === upstream && found.browser === hashed(browser ?? '')
      return isOurs ? found.target : undefined
    },
  }
}

/** Undefined where it offers no logout, or does not say so in time. */
async function endSessionUrl(
  { config, upstreams, upstreamSessions, log }: LeaveUpstreamOptions,
  identity: Identity,
  state: string,
): Promise<URL | undefined> {
  const { upstream: name, upstreamSession = { sub: '' } } = identity
  const hint = upstreamSessions.hintOf(upstreamSession)
  const request = {
    ...(hint === undefined ? {} : { id_token_hint: hint }),
    post_logout_redirect_uri: `${config.issuer}/logout/callback/${name}`,
    state,
  }
  const asking = upstreams.get(name)?.logout?.endSessionUrl(request)
  return withinTime(asking, MAX_WAIT_MS).catch((error: unknown) => {
    log.warn('logout.upstream_unavailable', { upstream: name, error })
    return undefined
  })
}

const STATE = /^[A-Za-z0-9_-]{43}$/

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

export function displayName({ upstreams }: Pick<Config, 'upstreams'>, name: string): string {
  return (Object.hasOwn(upstreams, name) ? upstreams[name]?.display_name : undefined) ?? name
}

function settingOf({ upstreams }: Pick<Config, 'upstreams'>, name: string) {
  const upstream = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined
  return upstream?.kind === 'oidc' ? upstream.logout : 'never'
}

/** A state that somebody else began would lead a person where that one wanted to go. */
function logoutCookie(issuer: string) {
  const isHttps = issuer.startsWith('https:')
  const name = `${isHttps ? '__Host-' : ''}AUTH_ADAPTER_LOGOUT`
  return {
    write: (value: string) =>
      `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600${isHttps ? '; Secure' : ''}`,
    read(header: string | undefined): string | undefined {
      const values = (header ?? '')
        .split(';')
        .map((pair) => pair.trim())
        .filter((pair) => pair.startsWith(`${name}=`))
      // Two cookies of one name: another host of the domain planted one (A34). Neither is believed.
      return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
    },
  }
}
