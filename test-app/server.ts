// The app: what it is made of, and each route in one list.
import { readFileSync } from 'node:fs'
import express from 'express'
import type { ErrorRequestHandler, Express, Request, Response } from 'express'
import type { Log } from '../service/log.ts'
import { createCookies } from './login/cookies.ts'
import { createPendingLogins } from './login/pending-login.ts'
import { createRelyingParty } from './login/relying-party.ts'
import { CALLBACK_PATH, createSignIn, LOST_PATH, SIGN_IN_PATH } from './login/sign-in.ts'
import { createSignOut } from './login/sign-out.ts'
import { canonicalHost } from './canonical-host.ts'
import { createPages } from './pages.ts'
import { securityHeaders } from './security-headers.ts'
import { createSeal } from './session/seal.ts'
import { createSessionMiddleware, SessionStoreError } from './session/session-middleware.ts'
import { deriveKey, loadSessionSecret } from './session/session-secret.ts'
import { openSessionStore } from './session/session-store.ts'

export interface TestAppOptions {
  readonly name?: string
  /** Public origin, without a slash at the end. */
  readonly url: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
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

const STYLE = readFileSync(new URL('pages/style.css', import.meta.url), 'utf8')

/** Opens the session store and builds the app; the adapter need not be there yet. Throws if SQLite can not be opened. */
export function createTestApp(options: TestAppOptions): TestApp {
  const { url, issuer, log, now = Date.now, cookieName, dataFolder } = options
  const isSecure = url.startsWith('https:')
  const secret = options.sessionSecret ?? loadSessionSecret(dataFolder)
  const seal = createSeal(deriveKey(secret, 'sealing'))
  const cookies = createCookies(cookieName, isSecure)
  const sessions = openSessionStore({ redisUrl: options.redisUrl, dataFolder, cookieName, seal, log, now })
  const relyingParty = createRelyingParty({
    issuer,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    scope: options.scope,
    redirectUri: url + CALLBACK_PATH,
    postLogoutRedirectUri: `${url}/`,
    now,
  })
  const pages = createPages({
    app: {
      name: options.name ?? 'Test app',
      url,
      issuer,
      clientId: options.clientId,
      scope: options.scope,
      sessionCookie: cookies.sessionName,
    },
    discoveryUrl: relyingParty.discoveryUrl,
    now,
  })
  const signIn = createSignIn({
    relyingParty,
    pendingLogins: createPendingLogins({ seal, cookies, now }),
    cookies,
    log,
    now,
    showProblem: pages.signInProblem,
  })
  const signOut = createSignOut({
    relyingParty,
    cookies,
    log,
    now,
    url,
    showForgedForm: pages.forgedForm,
    showHalfDone: pages.halfSignedOut,
  })

  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  app.use(securityHeaders({ formTargets: [new URL(issuer).origin], isSecure }))
  app.get('/ping', (_req, res) => void res.type('text').send('pong'))
  app.get('/style.css', (_req, res) => void res.type('css').set('Cache-Control', 'max-age=300').send(STYLE))
  app.get('/favicon.ico', (_req, res) => void res.status(204).end())
  app.use(canonicalHost(url))
  app.use(
    createSessionMiddleware({
      cookieName: cookies.sessionName,
      isSecure,
      secret: deriveKey(secret, 'cookie signature').toString('hex'),
      store: sessions.store,
    }),
  )
  app.get('/', (req, res) => pages.home(req, res, signOut.hasReturned(req, res)))
  app.get(SIGN_IN_PATH, signIn.start)
  app.get(CALLBACK_PATH, signIn.callback)
  app.get(LOST_PATH, signIn.lost)
  app.get(['/authenticated', '/authenticated/*path'], signIn.requireSignIn, pages.token)
  app.get('/api/me', signIn.requireSignIn, pages.me)
  app.get('/logout', pages.signOut)
  app.post('/logout', express.urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 }), signOut.submit)
  app.use(pages.notFound)
  app.use(errorHandler(log, pages.failure))
  return { handler: app, close: async () => sessions.close() }
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
