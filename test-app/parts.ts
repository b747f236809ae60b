// What the app is made of: every part, made once, with what it needs.
import type { Log } from '../service/log.ts'
import { trustedProxies } from '../service/trusted-proxies.ts'
import { createAuditHandlers } from './audit/page/audit-handlers.ts'
import { createChainEvents } from './audit/chain-events.ts'
import { openAudit } from './audit/open-audit.ts'
import { createGate } from './authentication/gate/gate.ts'
import { openAuthentication } from './authentication/open-authentication.ts'
import { createAccess } from './authentication/gate/public-paths.ts'
import { createShowUnavailable } from './authentication/gate/show-unavailable.ts'
import { openTokenLogins } from './token-login/open-token-logins.ts'
import type { TokenLogins } from './token-login/token-logins.ts'
import { createStaticFiles } from './browser/static-files.ts'
import type { CookieSettings } from './browser/cookies.ts'
import { openDevice } from './device/open-device.ts'
import { createLiveLog } from './live-log/live-log.ts'
import type { LogRing } from './live-log/log-ring.ts'
import { createArrival } from './login/arrival.ts'
import { createCallback } from './login/callback.ts'
import { CALLBACK_PATH } from './login/paths.ts'
import { createPendingLogins } from './login/pending-login.ts'
import { createSignIn } from './login/sign-in.ts'
import { createSignOut } from './login/sign-out.ts'
import { createBackChannelLogout } from './logout/back-channel-logout.ts'
import { createFrontChannelLogout } from './logout/front-channel-logout.ts'
import { createPages } from './pages/handlers.ts'
import type { AppFacts } from './pages/layout.ts'
import { createGraphql } from './graphql/create-graphql.ts'
import { openIdentity } from './identity/open-identity.ts'
import { createKeepFresh } from './refresh/keep-fresh.ts'
import { createLogoutTokenJudge } from './relying-party/logout-token.ts'
import { createRelyingParty } from './relying-party/relying-party.ts'
import { createTokenExchange } from './relying-party/token-exchange.ts'
import { createServiceLog } from './service-log/service-log.ts'
import type { SharedSecret } from './service-log/service-log.ts'
import { openSessions } from './session/open-sessions.ts'

export interface TestAppOptions {
  readonly name?: string
  /** Public origin, without a slash at the end. */
  readonly url: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  /** Origin of the identity service behind the gateway. */
  readonly identityUrl: string
  /** The client that the device page plays. */
  readonly deviceClientId?: string
  /** What tokens for POST /log have as `aud`. */
  readonly logAudience?: string
  /** Of a service that signs its tokens for POST /log itself. */
  readonly worker?: SharedSecret | undefined
  /** Addresses and CIDR ranges of the proxies before this app, whose X-Forwarded-For is believed; by default none. */
  readonly trustedProxies?: readonly string[] | undefined
  readonly cookieName: string
  readonly redisUrl?: string | undefined
  readonly dataFolder: string
  readonly sessionSecret?: string | undefined
  readonly log: Log
  /** Tools may ask /graphql for its schema; by default they may not. */
  readonly isOpenForTools?: boolean
  /** Gets the lines of the log, for the live view. */
  readonly logRing?: LogRing | undefined
  /** How often an open socket is asked for its sign-in again. */
  readonly socketCheckMs?: number | undefined
  readonly now?: () => number
}

export type Parts = ReturnType<typeof assemble>

/** Opens the session store. @throws {SessionFileError} */
export function assemble(options: TestAppOptions) {
  const basis = openBasis(options)
  const tokenLogins = openTokenLogins({ ...options, ...basis })
  const login = browserLogin({ ...basis, tokenLogins })
  const showUnavailable = createShowUnavailable(basis.pages.signInProblem)
  const { forgedForm: showForgedForm, send: show } = basis.pages
  const files = createStaticFiles()
  const accessOf = createAccess(files.paths)
  const gating = { ...basis, ...login, accessOf, tokenLogins, showForgedForm, showUnavailable }
  return {
    ...basis,
    ...login,
    files,
    accessOf,
    tokenLogins,
    gate: createGate(gating),
    ...logoutEndpoints(options, basis),
    device: openDevice({ ...options, ...basis, show, showForgedForm }),
    audit: createAuditHandlers({ ...basis, show }),
    graphql: createGraphql({ ...options, ...basis, tokenLogins }),
    serviceLog: openServiceLog(options, basis),
    liveLog: createLiveLog({ ...options, ...basis }),
  }
}

type Basis = ReturnType<typeof openBasis>

/** What the other parts are made of. */
function openBasis(options: TestAppOptions) {
  const { url, log, now = Date.now } = options
  const sessions = openSessions({ ...options, now })
  const trusted = trustedProxies(options.trustedProxies ?? [])
  const audit = openAudit({ ...options, ...sessions, trusted, now })
  const relyingParty = createRelyingParty({
    ...options,
    redirectUri: url + CALLBACK_PATH,
    postLogoutRedirectUri: `${url}/`,
    now,
  })
  const { discoveryUrl } = relyingParty
  return {
    ...sessions,
    log,
    now,
    url,
    relyingParty,
    ...openAuthentication({ ...options, ...sessions, relyingParty, now }),
    trusted,
    ...openIdentity({ ...options, trusted }),
    exchange: createTokenExchange({ ...options, now }),
    ...audit,
    chainEvents: createChainEvents({ ...options, ...audit, now }),
    pages: createPages({ app: factsOf(options, sessions.cookies), discoveryUrl, now }),
  }
}

/** The chain: signing in with the browser at the adapter, and out. */
function browserLogin(basis: Basis & { readonly tokenLogins: TokenLogins }) {
  const { pages, seal, cookies, now } = basis
  const signingIn = {
    ...basis,
    pendingLogins: createPendingLogins({ seal, cookies, now }),
    arrival: createArrival(cookies),
    showProblem: pages.signInProblem,
  }
  return {
    keepFresh: createKeepFresh(basis),
    signIn: createSignIn(signingIn),
    callback: createCallback(signingIn),
    signOut: createSignOut({
      ...basis,
      showForgedForm: pages.forgedForm,
      showHalfDone: pages.halfSignedOut,
    }),
  }
}

/** Where services put their log lines down. */
function openServiceLog(options: TestAppOptions, { now, verify, pages: { send } }: Basis) {
  const { logAudience: audience = 'logging-backend', worker } = options
  return createServiceLog({ ...options, audience, worker, now, verifyToken: verify, show: send })
}

/** Where the adapter says that a session ended. */
function logoutEndpoints(
  { issuer, clientId }: TestAppOptions,
  { links, log, now, trail, findKey }: Basis,
) {
  const judge = createLogoutTokenJudge({ issuer, clientId, findKey, now })
  return {
    backChannelLogout: createBackChannelLogout({ judge, links, log, trail }),
    frontChannelLogout: createFrontChannelLogout({ issuer, links, log, trail }),
  }
}

function factsOf(options: TestAppOptions, cookies: CookieSettings): AppFacts {
  const { name = 'Test app', url, issuer, clientId, scope } = options
  return { name, url, issuer, clientId, scope, sessionCookie: cookies.sessionName }
}

export async function close(parts: Parts): Promise<void> {
  const { device, liveLog, store, serviceLog, trailStore } = parts
  await liveLog.sockets.close()
  serviceLog.close()
  device.runs.close()
  trailStore.close()
  await store.close()
}
