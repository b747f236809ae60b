// The door of the management API on the admin listener: who may come in, and what a request looks like. JSON in, JSON out.
// What each route does is handed in; nothing here knows it.
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import {
  json,
  Router,
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import type { Log } from '../../service/log.ts'

export interface AdminAnswer {
  status: number
  body: object
}

/** `body` is the JSON that came, undefined without one. */
export type AdminRoute = (body: unknown, parameters: URLSearchParams) => Promise<AdminAnswer>

/** `METHOD /api/path` → what answers it. */
export type AdminRoutes = Readonly<Record<string, AdminRoute>>

export interface AdminApiOptions {
  /** Undefined: there is no API, and every path of it says so. */
  token: string | undefined
  routes: AdminRoutes
  /** The host that the listener is configured with; beside it addresses and localhost are served. */
  host: string
  log?: Log
}

const BODY_LIMIT = '1mb'

/** Serves `/api/`; mounted at the root of the admin listener. */
export function createAdminApi({ token, routes, host, log }: AdminApiOptions): Router {
  const api = Router()
  api.use(servedHost(host))
  api.use(token === undefined ? isOff : bearerOnly(token, log))
  api.use(knownRoute(routes))
  api.use(jsonOnly, json({ limit: BODY_LIMIT, inflate: false }))
  api.use(async (request, response) => {
    const { status, body } = await routeOf(routes, request)(request.body, parametersOf(request))
    response.status(status).json(body)
  })
  api.use(asJson(log))
  const router = Router({ strict: true, caseSensitive: true })
  router.use('/api', api)
  return router
}

function refuse(response: Response, status: number, error: string, description: string): void {
  response.status(status).json({ error, error_description: description })
}

const HOST = /^(?:\[(?<address>[^\]]+)\]|(?<name>[^:]+))(?::\d{1,5})?$/

/** A page that reaches us by a name of its own making (DNS rebinding) sends that name; an address can not be rebound. */
function servedHost(configured: string): RequestHandler {
  const served = new Set(['localhost', configured.toLowerCase()])
  return ({ headers }, response, next) => {
    const name = HOST.exec(headers.host?.toLowerCase() ?? '')?.groups ?? {}
    const hostname = name['address'] ?? name['name'] ?? ''
    if (isIP(hostname) !== 0 || served.has(hostname)) return next()
    refuse(response, 421, 'misdirected_host', 'Expected an address, localhost or admin.host')
  }
}

const isOff: RequestHandler = (_request, response) =>
  refuse(
    response,
    404,
    'api_off',
    'In production the admin API is off until AUTH_ADAPTER_ADMIN_TOKEN or admin.token gives its token',
  )

// https://www.rfc-editor.org/rfc/rfc6750#section-2.1
const BEARER = /^Bearer +([\x21-\x7e]+)$/i

function bearerOnly(token: string, log: Log | undefined): RequestHandler {
  const isToken = secretMatcher(token)
  return ({ headers }, response, next) => {
    const [, given] = BEARER.exec(headers.authorization ?? '') ?? []
    if (given !== undefined && isToken(given)) return next()
    log?.warn('admin.refused', { reason: given === undefined ? 'no token' : 'wrong token' })
    // https://www.rfc-editor.org/rfc/rfc6750#section-3.1: no error code for a request without a token
    response.set(
      'www-authenticate',
      given === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
    )
    refuse(response, 401, 'invalid_token', 'Expected the admin token as a bearer token')
  }
}

/** Takes as long for every wrong text of one length, however much of it is right (A44). */
export function secretMatcher(secret: string): (given: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return (given) => timingSafeEqual(digest(given), expected)
}

const pathOf = (request: Request) => request.baseUrl + request.path
const parametersOf = (request: Request) =>
  new URL(request.originalUrl, 'http://admin.invalid').searchParams

function routeOf(routes: AdminRoutes, request: Request): AdminRoute {
  return routes[`${request.method} ${pathOf(request)}`] as AdminRoute
}

function knownRoute(routes: AdminRoutes): RequestHandler {
  return (request, response, next) => {
    const path = pathOf(request)
    const methods = Object.keys(routes).flatMap((route) => {
      const [method = '', at] = route.split(' ')
      return at === path ? [method] : []
    })
    if (methods.includes(request.method)) return next()
    if (methods.length === 0) return refuse(response, 404, 'not_found', 'There is no such route')
    response.set('allow', methods.join(', '))
    refuse(response, 405, 'method_not_allowed', `Expected ${methods.join(' or ')}`)
  }
}

/** A form of another site can send a body, but not one that says it is JSON. */
const jsonOnly: RequestHandler = (request, response, next) => {
  const hasBody = request.headers['transfer-encoding'] !== undefined || hasLength(request)
  if (!hasBody || request.is('application/json')) return next()
  refuse(response, 415, 'not_json', 'Expected a body of type application/json')
}

const hasLength = ({ headers }: Request) => Number(headers['content-length'] ?? 0) > 0

const BODY_FAULTS: Readonly<Record<string, string>> = {
  'entity.too.large': 'Expected a body of 1 MiB at most',
  'entity.parse.failed': 'Expected a body that is JSON',
}

function asJson(log: Log | undefined): ErrorRequestHandler {
  return (error: { status?: unknown; type?: unknown }, _request, response, next) => {
    if (response.headersSent) return next(error)
    const status = typeof error.status === 'number' && error.status < 500 ? error.status : 500
    if (status === 500) log?.error('admin.failed', { error })
    const description = BODY_FAULTS[String(error.type)] ?? 'The request could not be answered'
    refuse(response, status, status === 500 ? 'server_error' : 'invalid_request', description)
  }
}
