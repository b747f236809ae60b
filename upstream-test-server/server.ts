// The test server as a request handler: which route is answered by which part.
import type { JsonWebKey } from 'node:crypto'
import type { RequestListener } from 'node:http'
import express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { hostCheck } from '../service/host-check.ts'
import type { Log } from '../service/log.ts'
import type { Refusal, Refuse } from '../service/refuse.ts'
import { requestLog } from '../service/request-log.ts'
import { securityHeaders } from '../service/security-headers.ts'
import { urlLimits } from '../service/url-limits.ts'
import { breakEndpoints } from './control/break-endpoint.ts'
import { breakTokens } from './control/break-tokens.ts'
import { createFaults } from './control/faults.ts'
import type { Faults } from './control/faults.ts'
import { createJournal } from './control/journal.ts'
import type { Journal } from './control/journal.ts'
import { openDatabase } from './database.ts'
import { loadKeys } from './provider/keys.ts'
import { createInteractionBinding } from './provider/interaction-binding.ts'
import { createLoginRouter } from './login.ts'
import { messagePage, stylesheetPath } from './pages/pages.ts'
import { owaspCost } from './people/password.ts'
import type { PasswordCost } from './people/password.ts'
import { createProvider } from './provider/provider.ts'
import type { UpstreamClient } from './provider/provider.ts'
import { createProviderStorage, withLatency } from './provider/provider-adapter.ts'
import { stylesheet } from './pages/stylesheet.ts'
import { createUsers } from './people/users.ts'
import type { Users } from './people/users.ts'

export interface UpstreamTestServerOptions {
  /** Decides every URL; a request with another Host is refused. */
  issuer: string
  /** SQLite file, or `:memory:` for nothing that stays. */
  databaseFile: string
  clients: readonly UpstreamClient[]
  log: Log
  /** Epoch milliseconds; the clock of the storage. */
  now?: () => number
  /** For people seeded from now on; a lower one than the default makes many logins cheap. */
  passwordCost?: PasswordCost
  /** Makes the storage as slow as one over a network; default 0. */
  storageLatencyMilliseconds?: number
}

export interface UpstreamTestServer {
  handler: RequestListener
  users: Users
  /** Empty: strict. */
  faults: Faults
  journal: Journal
  /** Ends timers and closes the database. */
  close(): void
}

const collectEveryMilliseconds = 60_000

// Chromium holds form-action against every redirect that follows a form, and the chain leads to
// origins not known here.
const allowAnyFormTarget: RequestHandler = (_req, res, next) => {
  const policy = String(res.getHeader('Content-Security-Policy')).split('; ')
  res.set(
    'Content-Security-Policy',
    policy.filter((part) => !part.startsWith('form-action')).join('; '),
  )
  next()
}

const refusalTitles: Record<Refusal['kind'], string> = {
  misdirected_host: 'This server has another name',
  too_large: 'This request is too large',
  invalid_request: 'This request can not be answered',
  not_found: 'There is no such page',
}

const refuse: Refuse = (_req, res, { status, kind, text }) => {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  res.end(messagePage(refusalTitles[kind], text))
}

/** oidc-provider reads the configured origin from the request, whatever the request said. */
function presetOrigin(issuer: string): RequestHandler {
  const { host, protocol } = new URL(issuer)
  return (req, _res, next) => {
    delete req.headers['x-forwarded-for']
    Object.assign(req.headers, {
      'x-forwarded-host': host,
      'x-forwarded-proto': protocol.slice(0, -1),
    })
    next()
  }
}

function firstChecks(issuer: string, log: Log): RequestHandler[] {
  const https = issuer.startsWith('https:')
  return [
    requestLog({ log }),
    securityHeaders({ https }),
    allowAnyFormTarget,
    urlLimits({ refuse }),
    hostCheck({
      url: issuer,
      trusted: () => false,
      log,
      refuse,
      except: ['/ping', stylesheetPath],
    }),
    presetOrigin(issuer),
  ]
}

const serveStylesheet: RequestHandler = (_req, res) => {
  res.set('Cache-Control', 'public, max-age=300').type('css').send(stylesheet)
}

function answerError(log: Log): ErrorRequestHandler {
  return (error: { status?: number; expose?: boolean }, req, res, next) => {
    if (res.headersSent) return next(error)
    const status = error.expose === true && error.status !== undefined ? error.status : 500
    if (status >= 500) log.error('request.failed', { path: req.path, error })
    const title = status >= 500 ? 'Something went wrong here' : 'This request can not be answered'
    res
      .status(status)
      .type('html')
      .send(messagePage(title, 'Go back to the application and try again.'))
  }
}

/** Opens and seeds the database, builds the provider; rejects if the file can not be used. */
export async function createUpstreamTestServer(
  options: UpstreamTestServerOptions,
): Promise<UpstreamTestServer> {
  const { issuer, clients, log, now = Date.now, passwordCost = owaspCost } = options
  const database = openDatabase(options.databaseFile)
  const [keys, users] = await Promise.all([loadKeys(database), createUsers(database, passwordCost)])
  const local = createProviderStorage(database, now)
  const { storageLatencyMilliseconds: latency = 0 } = options
  const storage = latency === 0 ? local : withLatency(local, latency)
  const binding = createInteractionBinding(keys.bindingKey)
  const parts = { issuer, clients, keys, storage, users, binding, log, now }
  const provider = createProvider(parts)
  // The library checks clients lazily: a wrong redirect URI must show now, not at the first login.
  await Promise.all(clients.map(({ clientId }) => provider.Client.find(clientId)))

  const faults = createFaults()
  const journal = createJournal(now)
  const [signingKey] = keys.jwks.keys
  breakTokens(provider, { faults, users, signingKey: signingKey as JsonWebKey, now })

  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(journal.record, firstChecks(issuer, log))
  app.use(breakEndpoints(faults, new Set(clients.flatMap(({ redirectUris }) => redirectUris))))
  app.get('/ping', (_req, res) => void res.type('text').send('pong'))
  app.get(stylesheetPath, serveStylesheet)
  app.use(createLoginRouter({ provider, users, binding, log }))
  app.use(answerError(log))
  // Answers every remaining path, so it comes last.
  app.use(provider.callback())

  const collector = setInterval(storage.collect, collectEveryMilliseconds).unref()
  const close = () => {
    clearInterval(collector)
    database.close()
  }
  return { handler: app, users, faults, journal, close }
}
