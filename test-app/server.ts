// The app: what it is made of, and each route in one list.
import { readFileSync } from 'node:fs'
import express from 'express'
import type { ErrorRequestHandler, Express, Request, Response } from 'express'
import type { Log } from '../service/log.ts'
import { canonicalHost } from './browser/canonical-host.ts'
import { createCookies } from './browser/cookies.ts'
import type { CookieSettings } from './browser/cookies.ts'
import { securityHeaders } from './browser/security-headers.ts'
import { createDeviceClient } from './device/device-client.ts'
import { createDeviceHandlers, DEVICE_PATH } from './device/device-handlers.ts'
import { createDeviceRuns } from './device/device-runs.ts'
import { createArrival } from './login/arrival.ts'
import { createCallback } from './login/callback.ts'
import {
  BACK_CHANNEL_PATH,
  CALLBACK_PATH,
  FRONT_CHANNEL_PATH,
  LOST_PATH,
  SIGN_IN_PATH,
} from './login/paths.ts'
import { createPendingLogins } from './login/pending-login.ts'
import { createSignIn } from './login/sign-in.ts'
import { createSignOut } from './login/sign-out.ts'
import { createBackChannelLogout } from './logout/back-channel-logout.ts'
import { createFrontChannelLogout } from './logout/front-channel-logout.ts'
import { createPages } from './pages/handlers.ts'
import type { AppFacts } from './pages/layout.ts'
import { createKeepFresh } from './refresh/keep-fresh.ts'
import { createLogoutTokenJudge } from './relying-party/logout-token.ts'
import { createRelyingParty } from './relying-party/relying-party.ts'
import { createSeal } from './session/seal.ts'
import { createSessionMiddleware, SessionStoreError } from './session/session-middleware.ts'
import { deriveKey, loadSessionSecret } from './session/session-secret.ts'
import { createSessionLinks } from './session/session-links.ts'
import type { SessionLinks } from './session/session-links.ts'
import { openSessionStore } from './session/session-store.ts'

export interface TestAppOptions {
  readonly name?: string
  /** Public origin, without a slash at the end. */
  readonly url: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  /** The client that the device page plays. */
  readonly deviceClientId?: string
  readonly cookieName: string
  readonly redisUrl?: string | undefined
  readonly dataFolder: string
  readonly sessionSecret?: string | undefined
  readonly log: Log
  readonly now?: () => number
}

export interface TestApp {
  readonly handler: Express
  close(): Promise<void>
}

const FORM = express.urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 })
const STYLE = readFileSync(new URL('pages/style.css', import.meta.url), 'utf8')

/** Opens the session store and builds the app; the adapter need not be there yet. @throws {SessionFileError} */
export function createTestApp(options: TestAppOptions): TestApp {
  const parts = assemble(options)
  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  mountWithoutSession(app, options, parts)
  app.use(parts.session)
  mountPages(app, parts)
  app.use(parts.pages.notFound)
  app.use(errorHandler(options.log, parts.pages.failure))
  return { handler: app, close: () => close(parts) }
}

type Parts = ReturnType<typeof assemble>

async function close({ device, store }: Parts): Promise<void> {
  device.runs.close()
  await store.close()
}

function assemble(options: TestAppOptions) {
  const { url, log, now = Date.now } = options
  const { seal, store, session, cookies } = openSessions(options, now)
  const relyingParty = createRelyingParty({
    ...options,
    redirectUri: url + CALLBACK_PATH,
    postLogoutRedirectUri: `${url}/`,
    now,
  })
  const { discoveryUrl } = relyingParty
  const pages = createPages({ app: factsOf(options, cookies), discoveryUrl, now })
  const common = { relyingParty, cookies, log, now, url }
  const links = createSessionLinks(store.store, now)
  const signingIn = {
    ...common,
    links,
    pendingLogins: createPendingLogins({ seal, cookies, now }),
    arrival: createArrival(cookies),
    showProblem: pages.signInProblem,
  }
  return {
    cookies,
    store,
    session,
    pages,
    device: playDevice(options, pages, now),
    keepFresh: createKeepFresh(common),
    signIn: createSignIn(signingIn),
    callback: createCallback(signingIn),
    ...logoutEndpoints(options, { links, now, jwksUri: relyingParty.jwksUri }),
    signOut: createSignOut({
      ...common,
      showForgedForm: pages.forgedForm,
      showHalfDone: pages.halfSignedOut,
    }),
  }
}

function playDevice(
  { deviceClientId: clientId = 'device', issuer, url, log }: TestAppOptions,
  { send: show, forgedForm: showForgedForm }: ReturnType<typeof createPages>,
  now: () => number,
) {
  const deviceClient = createDeviceClient({ issuer, clientId, now })
  const runs = createDeviceRuns({ deviceClient, log })
  return { runs, ...createDeviceHandlers({ runs, clientId, url, show, showForgedForm }) }
}

interface LogoutParts {
  readonly links: SessionLinks
  readonly now: () => number
  readonly jwksUri: () => Promise<string>
}

/** Where the adapter says that a session ended. */
function logoutEndpoints(options: TestAppOptions, { links, now, jwksUri }: LogoutParts) {
  const { issuer, clientId, log } = options
  const judge = createLogoutTokenJudge({ issuer, clientId, jwksUri, now })
  return {
    backChannelLogout: createBackChannelLogout({ judge, links, log }),
    frontChannelLogout: createFrontChannelLogout({ issuer, links, log }),
  }
}

function openSessions(options: TestAppOptions, now: () => number) {
  const { url, log, cookieName, dataFolder, redisUrl } = options
  const secret = options.sessionSecret ?? loadSessionSecret(dataFolder)
  const seal = createSeal(deriveKey(secret, 'sealing'))
  const cookies = createCookies(cookieName, url.startsWith('https:'))
  const store = openSessionStore({ redisUrl, dataFolder, cookieName, seal, log, now })
  const session = createSessionMiddleware({
    cookieName: cookies.sessionName,
    isSecure: cookies.isSecure,
    secret: deriveKey(secret, 'cookie signature').toString('hex'),
    store: store.store,
  })
  return { seal, store, session, cookies }
}

function factsOf(options: TestAppOptions, cookies: CookieSettings): AppFacts {
  const { name = 'Test app', url, issuer, clientId, scope } = options
  return { name, url, issuer, clientId, scope, sessionCookie: cookies.sessionName }
}

function mountWithoutSession(
  app: Express,
  { url, issuer }: TestAppOptions,
  { cookies, backChannelLogout, frontChannelLogout }: Parts,
): void {
  app.use(securityHeaders({ formTargets: [new URL(issuer).origin], isSecure: cookies.isSecure }))
  app.get('/ping', (_req, res) => void res.type('text').send('pong'))
  app.get(
    '/style.css',
    (_req, res) => void res.type('css').set('Cache-Control', 'max-age=300').send(STYLE),
  )
  app.get('/favicon.ico', (_req, res) => void res.status(204).end())
  app.post(BACK_CHANNEL_PATH, FORM, backChannelLogout)
  app.get(FRONT_CHANNEL_PATH, frontChannelLogout)
  app.use(canonicalHost(url))
}

function mountPages(app: Express, parts: Parts): void {
  const { pages, keepFresh, signIn, callback, signOut, device } = parts
  app.use(['/authenticated', '/api/me'], keepFresh)
  app.get('/', (req, res) => pages.home(req, res, signOut.hasReturned(req, res)))
  app.get(SIGN_IN_PATH, signIn.start)
  app.get(CALLBACK_PATH, callback.callback)
  app.get(LOST_PATH, callback.lost)
  app.get(['/authenticated', '/authenticated/*path'], signIn.requireSignIn, pages.token)
  app.get('/api/me', signIn.requireSignIn, pages.me)
  app.get('/logout', pages.signOut)
  app.post('/logout', FORM, signOut.submit)
  app.get(DEVICE_PATH, device.start)
  app.post(DEVICE_PATH, FORM, device.submit)
  app.get(`${DEVICE_PATH}/:run`, device.watch)
}

type ShowFailure = (req: Request, res: Response, error: unknown) => Promise<void>

function errorHandler(log: Log, show: ShowFailure): ErrorRequestHandler {
  return async (error: unknown, req, res, _next) => {
    const event = error instanceof SessionStoreError ? 'session_store.failed' : 'request.failed'
    log.error(event, { error, method: req.method, path: req.path })
    // express-session reports a failed touch when the answer is on its way.
    if (res.headersSent) return
    // Else it would try to save what it could not, and send the cookie of a session that does not exist.
    if (error instanceof SessionStoreError) Reflect.deleteProperty(req, 'session')
    await show(req, res, error)
  }
}
