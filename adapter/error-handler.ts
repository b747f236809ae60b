// The only place where an error becomes an HTTP response: which page, which status, what is said to a program, what is
// logged. The words stand in pages/, the reasons in the log.
import type { NextFunction, Request, Response } from 'express'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Config } from './config/schema.ts'
import {
  InteractionError,
  StorageError,
  UpstreamError,
  type InteractionErrorCode,
  type WayOn,
} from './errors.ts'
import type { LoginBinding } from './interaction/login-binding.ts'
import type { MessageKindName } from './pages/message-kinds.ts'
import { messagePage, messageStatus, type MessageOptions } from './pages/message-page.ts'
import { currentContext, noteFields } from '../service/request-context.ts'
import type { Log } from '../service/log.ts'
import type { Refuse } from '../service/refuse.ts'

export interface OAuthProblem {
  error: string
  error_description?: string | undefined
}

interface Problem {
  kind: MessageKindName
  /** Where the kind's own status does not say it. */
  status?: number | undefined
  oauth?: OAuthProblem | undefined
  wayOn?: WayOn | undefined
  upstream?: string | undefined
  /** The same request may be sent again: it is a GET. */
  isRepeatable?: boolean
}

interface Reply {
  status: number
  headers: Record<string, string>
  html: string
  json: OAuthProblem & { flow_id?: string | undefined; request_id?: string | undefined }
}

const INTERACTION_PAGES: Record<InteractionErrorCode, MessageKindName> = {
  not_started_here: 'not_started_here',
  expired: 'expired',
  cookies_blocked: 'cookies_blocked',
  upstream_mismatch: 'not_started_here',
  unknown_upstream: 'unknown_upstream',
  method_not_allowed: 'method_not_allowed',
  already_signed_in: 'already_signed_in',
}

/** OAuth errors that are shown because there is no redirect URI to trust. */
const OAUTH_PAGES: Record<string, MessageKindName> = {
  access_denied: 'access_denied',
  not_found: 'not_found',
  server_error: 'server_error',
  temporarily_unavailable: 'temporarily_unavailable',
}

const RETRY_AFTER_SECONDS = '2'
const LOGOUT = '/connect/logout'

interface ErrorHandlerOptions {
  config: Config
  log: Log
  /** Knows which app a login of this browser began at. */
  binding: Pick<LoginBinding, 'find'>
}

export function createErrorHandler({ config, log, binding }: ErrorHandlerOptions) {
  const reply = (problem: Problem) => replyTo(problem, config)

  return {
    /** For Express; the last handler. */
    express(error: unknown, request: Request, response: Response, next: NextFunction): void {
      if (response.headersSent) return next(error)
      report(log, error)
      send(
        response,
        request,
        reply({ ...problemOf(error), isRepeatable: request.method === 'GET' }),
      )
    },

    notFound(request: Request, response: Response): void {
      send(response, request, reply({ kind: 'not_found', oauth: { error: 'not_found' } }))
    },

    /** For oidc-provider: its `renderError`, and what fails around it. */
    provider(ctx: KoaContextWithOIDC, error: unknown, out?: OAuthProblem): void {
      if (!out) report(log, error)
      if (nameOf(error) === 'SessionNotFound') noteLogin(ctx, binding)
      const { status, headers, html, json } = reply({
        ...providerProblem(ctx, error, out),
        isRepeatable: ctx.method === 'GET',
      })
      ctx.status = status
      ctx.set(headers)
      // Who POSTs and takes anything is an app at the token endpoint.
      ctx.body = ctx.method === 'GET' || ctx.accepts('json', 'html') === 'html' ? html : json
      if (typeof ctx.body === 'string') ctx.type = 'html'
    },

    /** For the checks that stand before every room. */
    refuse: ((_request, response, refusal) => {
      const { headers, html } = reply({ kind: refusal.kind })
      response
        .writeHead(refusal.status, { ...headers, 'content-type': 'text/html; charset=utf-8' })
        .end(html)
    }) satisfies Refuse,
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof InteractionError)
    return { kind: INTERACTION_PAGES[error.code], wayOn: error.wayOn, oauth: { error: error.code } }
  if (error instanceof UpstreamError) return upstreamProblem(error)
  if (storageError(error))
    return { kind: 'temporarily_unavailable', oauth: { error: 'temporarily_unavailable' } }
  const status = requestFault(error)
  const kind = status === 413 ? 'too_large' : 'invalid_request'
  if (status !== undefined) return { kind, status, oauth: { error: 'invalid_request' } }
  return { kind: 'server_error', oauth: { error: 'server_error' } }
}

/** Express and its parsers mark what the request did wrong with a 4xx status. */
function requestFault(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null | undefined)?.status
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}

/** oidc-provider's models throw it in OAuth's words, also where they are used outside its own routes. */
function storageError(error: unknown): StorageError | undefined {
  const candidates = [error, (error as { cause?: unknown } | null | undefined)?.cause]
  return candidates.find((candidate) => candidate instanceof StorageError)
}

function upstreamProblem({ code, upstream, wayOn }: UpstreamError): Problem {
  return {
    kind: code === 'unavailable' ? 'upstream_unavailable' : 'upstream_failed',
    upstream,
    wayOn,
    oauth: { error: 'temporarily_unavailable' },
  }
}

function providerProblem(
  ctx: KoaContextWithOIDC,
  error: unknown,
  out: OAuthProblem | undefined,
): Problem {
  const oauth = out ?? oauthProblem(error)
  if (!oauth) return problemOf(error)
  const clientId = ctx.oidc?.client?.clientId
  const { statusCode: status } = (error ?? {}) as { statusCode?: number }
  // oidc-provider finds no interaction to resume: it is over, which is no fault when this browser is signed in.
  if (nameOf(error) === 'SessionNotFound')
    return {
      kind: ctx.oidc.session?.accountId === undefined ? 'expired' : 'already_signed_in',
      oauth,
      wayOn: { clientId: clientId ?? lastClient(ctx) },
    }
  const refused = ctx.path.startsWith(LOGOUT) ? 'logout_refused' : 'invalid_request'
  return { kind: OAUTH_PAGES[oauth.error] ?? refused, status, oauth, wayOn: { clientId } }
}

const nameOf = (error: unknown) => (error as { name?: unknown } | null | undefined)?.name

/** The interaction is gone, and with it who asked; the cookie of this browser's login still knows (F47). */
function noteLogin(ctx: KoaContextWithOIDC, binding: Pick<LoginBinding, 'find'>): void {
  const login = binding.find(ctx.path.split('/').at(-1) ?? '', ctx.get('cookie') || undefined)
  if (login) noteFields({ client_id: login.clientId, flow_id: login.flowId })
}

function oauthProblem(error: unknown): OAuthProblem | undefined {
  const { error: code, expose } = (error ?? {}) as { error?: unknown; expose?: unknown }
  return typeof code === 'string' && expose === true ? { error: code } : undefined
}

function lastClient(ctx: KoaContextWithOIDC): string | undefined {
  return Object.keys(ctx.oidc.session?.authorizations ?? {}).at(-1)
}

function replyTo(problem: Problem, config: Config): Reply {
  const { kind, status = messageStatus(kind), oauth } = problem
  const { flow_id, request_id } = currentContext()?.fields ?? {}
  const html = messagePage(kind, {
    flowId: flow_id ?? request_id,
    requestId: request_id,
    ...upstreamOf(problem, config),
    ...waysOn(problem, config),
    ...oauth,
  })
  const headers: Record<string, string> =
    kind === 'temporarily_unavailable' ? { 'retry-after': RETRY_AFTER_SECONDS } : {}
  return { status, headers, html, json: { error: 'server_error', ...oauth, flow_id, request_id } }
}

function upstreamOf(
  { upstream }: Problem,
  { upstreams }: Config,
): Pick<MessageOptions, 'upstreamName'> {
  return upstream === undefined
    ? {}
    : { upstreamName: upstreams[upstream]?.display_name ?? upstream }
}

function waysOn(
  { kind, wayOn = {}, isRepeatable = false }: Problem,
  config: Config,
): MessageOptions {
  const clientId = wayOn.clientId ?? currentContext()?.fields['client_id']
  const client = clientId === undefined ? onlyClient(config) : config.clients[clientId]
  const clientName = client?.client_name ?? clientId
  return {
    clientName,
    // Giving up leads to the app as well, and tells it.
    clientUri: wayOn.cancelPath === undefined ? client?.client_uri : undefined,
    retryUrl: wayOn.retryPath,
    // Nothing was decided yet: the store did not answer.
    hasReload: kind === 'temporarily_unavailable' && isRepeatable,
    links: [
      { text: 'Choose another way to sign in', href: wayOn.choosePath ?? '' },
      { text: `Give up and return to ${clientName ?? 'the app'}`, href: wayOn.cancelPath ?? '' },
      { text: 'Sign out here', href: kind === 'logout_refused' ? LOGOUT : '' },
    ],
  }
}

/** Where there is but one app, it is the way back from everywhere. */
function onlyClient(config: Config) {
  const clients = Object.values(config.clients)
  return clients.length === 1 ? clients[0] : undefined
}

function send(response: Response, request: Request, { status, headers, html, json }: Reply): void {
  response.status(status).set(headers)
  if (request.accepts(['html', 'json']) === 'json') response.json(json)
  else response.type('html').send(html)
}

/** An upstream's failure was logged where its cause was known. */
function report(log: Log, error: unknown): void {
  if (error instanceof UpstreamError) return
  const storage = storageError(error)
  if (error instanceof InteractionError)
    log.warn('login.refused', { code: error.code, reason: error.message })
  else if (storage) log.error('storage.failed', { code: storage.code, error: storage })
  // Anybody can send such a request: no stack, and no line that looks like a fault of ours.
  else if (requestFault(error) !== undefined)
    log.warn('request.refused', { status: requestFault(error), reason: (error as Error).message })
  else log.error('request.failed', { error })
}
