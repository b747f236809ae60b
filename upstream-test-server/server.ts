// The test server as a request handler: which route is answered by which part.
import type { RequestListener } from 'node:http'
import { join, parse } from 'node:path'
import express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { hostCheck } from '../service/host-check.ts'
import type { Log } from '../service/log.ts'
import type { Refusal, Refuse } from '../service/refuse.ts'
import { requestLog } from '../service/request-log.ts'
import { securityHeaders } from '../service/security-headers.ts'
import { trustedProxies } from '../service/trusted-proxies.ts'
import { urlLimits } from '../service/url-limits.ts'
import { rememberAddress } from './identity/api/client-address.ts'
import { isForApi, refuseAtApi } from './identity/api/refuse-request.ts'
import { createIssuer } from './issuers/issuer.ts'
import type { Issuer, IssuerOptions } from './issuers/issuer.ts'
import { createGithubIssuer } from './issuers/github/github-issuer.ts'
import { acceptInternalHost } from './issuers/quirks/internal-host.ts'
import { createIssuers, routeByKey } from './issuers/issuers.ts'
import type { Issuers, IssuerSetup } from './issuers/issuers.ts'
import { openApiRoute } from './openapi/document.ts'
import { messagePage, stylesheetPath } from './pages/pages.ts'
import { stylesheet } from './pages/stylesheet.ts'
import { owaspCost } from './people/password.ts'
import type { PasswordCost } from './people/password.ts'
import { demoUsers } from './people/seed-users.ts'
import type { Users } from './people/users.ts'
import type { UpstreamClient } from './provider/provider.ts'
import { createTokenService } from './token-service/token-service.ts'

export interface UpstreamTestServerOptions {
  /** An origin. Decides every URL; a request with another Host is refused. */
  issuer: string
  /** SQLite file, or `:memory:` for nothing that stays. Further issuers have files beside it. */
  databaseFile: string
  /** Further issuers, at `<issuer>/<key>`. */
  issuers?: Readonly<Record<string, IssuerSetup>>
  clients: readonly UpstreamClient[]
  log: Log
  /** Addresses and CIDR ranges of gateways that tell for whom they ask; none by default. */
  trustedProxies?: readonly string[] | undefined
  /** Epoch milliseconds; the clock of the storage. */
  now?: () => number
  /** For people seeded from now on; a lower one than the default makes many logins cheap. */
  passwordCost?: PasswordCost
  /** Opens /test-token, where anybody gets a token for anybody; default: closed. */
  hasTestToken?: boolean
  /** Makes the storage as slow as one over a network; default 0. */
  storageLatencyMilliseconds?: number
}

export interface UpstreamTestServer {
  handler: RequestListener
  /** Of the issuer at the root. */
  users: Users
  issuers: Issuers
  /** Ends timers and closes the databases. */
  close(): void
}

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

const refuse: Refuse = (req, res, refusal) => {
  if (isForApi(req.url)) return refuseAtApi(req, res, refusal)
  const { status, kind, text } = refusal
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

function firstChecks({ issuer, log, trustedProxies: list = [] }: UpstreamTestServerOptions) {
  const https = issuer.startsWith('https:')
  const trusted = trustedProxies(list)
  return [
    requestLog({ log, trusted }),
    rememberAddress(trusted),
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

const memory = ':memory:'

/** A file of its own for each issuer: nothing of one can show up at another. */
function databaseFileOf(root: string, key: string, { isKept = false }: IssuerSetup): string {
  if (root === memory || !isKept) return memory
  const { dir, name, ext } = parse(root)
  return join(dir, `${name}-${key}${ext}`)
}

type Place = Omit<IssuerOptions, 'serverName' | 'people' | 'clients' | 'quirks'>

function openIssuer(setup: IssuerSetup, place: Place): Promise<Issuer> {
  const options = { serverName: place.key, people: demoUsers, quirks: {}, ...setup, ...place }
  return setup.kind === 'github' ? createGithubIssuer(options) : createIssuer(options)
}

async function openIssuers(options: UpstreamTestServerOptions): Promise<Issuers> {
  const { issuer: origin, databaseFile, clients, log } = options
  const { now = Date.now, passwordCost = owaspCost, storageLatencyMilliseconds = 0 } = options
  const shared = { log, now, passwordCost, storageLatencyMilliseconds }
  const rootOptions = { key: '', issuer: origin, serverName: 'test-auth-server', clients }
  const strict = { people: demoUsers, quirks: {} }
  const root = await createIssuer({ ...shared, ...rootOptions, ...strict, databaseFile })
  const open = (key: string, setup: IssuerSetup) => {
    const place = { key, issuer: `${origin}/${key}` }
    const file = databaseFileOf(databaseFile, key, setup)
    return openIssuer(setup, { ...shared, ...place, databaseFile: file })
  }
  const issuers = createIssuers(root, open)
  try {
    for (const [key, setup] of Object.entries(options.issuers ?? {}))
      await issuers.create(key, setup)
  } catch (error) {
    issuers.close()
    throw error
  }
  return issuers
}

/** Opens and seeds the databases, builds the issuers; rejects if a file can not be used. */
export async function createUpstreamTestServer(
  options: UpstreamTestServerOptions,
): Promise<UpstreamTestServer> {
  const { issuer, clients, hasTestToken = false, log } = options
  const issuers = await openIssuers(options)
  const root = issuers.get('') as Issuer

  const app = express()
  app.disable('x-powered-by').disable('etag')
  const isInternal = (path: string) =>
    issuers.get(path.split('/')[1] ?? '')?.quirks.hasInternalHost === true
  app.use(acceptInternalHost(issuer, isInternal), firstChecks(options))
  app.get('/ping', (_req, res) => void res.type('text').send('pong'))
  app.get(stylesheetPath, serveStylesheet)
  app.get('/openapi.json', openApiRoute({ issuer, hasTestToken }))
  app.use('/:key', routeByKey(issuers))
  app.use(createTokenService({ issuer: root, clients, hasTestToken, log }), root.handler)
  app.use(answerError(log))
  return { handler: app, users: root.users, issuers, close: issuers.close }
}
