// Opens the context of a request and writes one line when it is over.
import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { clientAddress } from './forwarded.ts'
import type { Log } from './log.ts'
import { REDACTED, redactText } from './redact-text.ts'
import { createRequestContext, runInContext, type RequestContext } from './request-context.ts'
import type { IsTrusted } from './trusted-proxies.ts'

export interface RequestLogOptions {
  readonly log: Log
  /** Peers whose X-Request-Id is taken over; nobody's by default. */
  readonly trusted?: IsTrusted
}

// Shorter than anything the log takes for a secret.
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{7,39}$/
// The one endpoint whose name is as long, and as odd.
const RANDOM_SEGMENT = /^(?!device_authorization$)(?=[a-z0-9-]*[A-Z_])[A-Za-z0-9_-]{20,}$/
const MAX_PATH = 512

/** The path without what looks like a handle of one login: `/oauth2/authorize/[redacted]`. */
export function shownPath(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1)
  const segments = path.slice(0, MAX_PATH).split('/')
  return segments
    .map((segment) => (RANDOM_SEGMENT.test(segment) ? REDACTED : redactText(segment)))
    .join('/')
}

/** 8 to 40 letters, digits, dots, hyphens and underscores. */
export const isRequestId = (given: unknown): given is string =>
  typeof given === 'string' && REQUEST_ID.test(given)

function requestId(request: Request, trusted: IsTrusted): string {
  const given = request.headers['x-request-id']
  return isRequestId(given) && trusted(request.socket.remoteAddress)
    ? given
    : // One that is well-formed, too, so that whoever it is sent on to takes it over.
      randomBytes(12).toString('base64url').replace(/^[-_]/, 'r')
}

function doneFields(
  request: Request,
  response: Response,
  context: RequestContext,
  startedMs: number,
) {
  const { operations, roundTrips } = context.storage
  const route: unknown = request.route?.path
  return {
    method: request.method,
    path: shownPath(request.originalUrl),
    ...(typeof route === 'string' && { route: `${request.baseUrl}${route}` }),
    status: response.statusCode,
    ms: Math.round((performance.now() - startedMs) * 10) / 10,
    ...(operations > 0 && { storage: { operations, round_trips: roundTrips } }),
    ...(!response.writableFinished && { aborted: true }),
  }
}

/**
 * Runs what follows in a request context with `request_id`, answers it as X-Request-Id, and logs `request.done` with method,
 * path (no query), status, ms, and storage use; a request the peer gave up is logged too, with `aborted`.
 */
export function requestLog({ log, trusted = () => false }: RequestLogOptions): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now()
    const context = createRequestContext({ request_id: requestId(request, trusted) })
    const ip = clientAddress(request, trusted)
    response.setHeader('X-Request-Id', context.fields['request_id'] ?? '')
    response.once('close', () =>
      runInContext(context, () =>
        log.info('request.done', { ...doneFields(request, response, context, startedMs), ip }),
      ),
    )
    runInContext(context, next)
  }
}
