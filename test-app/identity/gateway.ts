// The gateway: /api/auth/* of this app is the identity service, as far as identity-paths.ts says. Headers pass by allow-list.
import express from 'express'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { currentRequestId } from '../../service/request-ids.ts'
import { clientAddress } from '../../service/forwarded.ts'
import type { IsTrusted } from '../../service/trusted-proxies.ts'
import { cookiesOf } from '../browser/cookies.ts'
import { isOwnForm } from '../browser/own-form.ts'
import type { Forward, IdentityAnswer } from './forward.ts'
import { IDENTITY_PREFIX, methodOf } from './identity-paths.ts'
import { IdentityServiceError } from './identity-service.ts'

export interface GatewayOptions {
  readonly forward: Forward
  /** Origin of this app. */
  readonly url: string
  readonly trusted: IsTrusted
}

const REQUEST_HEADERS = ['accept', 'authorization', 'content-type'] as const
const ANSWER_HEADERS = ['allow', 'cache-control', 'content-type', 'retry-after', 'www-authenticate']
/** The one cookie that is theirs; no other of this origin is told, and none can be set. */
const COOKIE = 'TEST_AUTH_SERVER_REFRESH'

// As it came: what is to be said of a body, the identity service says.
const BODY = express.raw({ type: () => true, limit: '16kb', inflate: false })

export function createGateway({
  forward,
  url,
  trusted,
}: GatewayOptions): (RequestHandler | ErrorRequestHandler)[] {
  const isSecure = url.startsWith('https:')
  const check = onlyRouted(url)
  const pass: RequestHandler = async (req, res) => {
    const answer = await forward({
      method: req.method === 'GET' ? 'GET' : 'POST',
      path: req.path,
      headers: headersOf(req),
      body: Buffer.isBuffer(req.body) ? req.body : undefined,
      address: clientAddress(req, trusted),
    })
    send(res, answer, isSecure)
  }
  return [check, ofGateway(readBody), ofGateway(pass), answerError]
}

const isOurs = (req: Request) => req.path.startsWith(IDENTITY_PREFIX)

const ofGateway =
  (handler: RequestHandler): RequestHandler =>
  (req, res, next) =>
    isOurs(req) ? handler(req, res, next) : next()

const readBody: RequestHandler = (req, res, next) =>
  req.method === 'GET' ? next() : BODY(req, res, next)

const refused = (status: number, code: string, message: string) =>
  new IdentityServiceError(code, message, { status })

const onlyRouted = (url: string) =>
  ofGateway((req, res, next) => {
    const method = methodOf(req.path)
    if (method === undefined) throw refused(404, 'NOT_FOUND', 'There is no such path.')
    if (req.method !== method) {
      res.set('Allow', method)
      throw refused(405, 'METHOD_NOT_ALLOWED', 'This path does not answer this method.')
    }
    if (method === 'POST' && !isOwnForm(req, url))
      throw refused(403, 'CROSS_ORIGIN', 'Other sites may not send this.')
    next()
  })

function headersOf(req: Request): Record<string, string> {
  const kept = REQUEST_HEADERS.flatMap((name) => {
    const value = req.headers[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  const cookie = cookiesOf(req).get(COOKIE)
  return {
    ...Object.fromEntries(kept),
    ...(cookie === undefined ? {} : { cookie: `${COOKIE}=${cookie}` }),
  }
}

function send(res: Response, { status, headers, text }: IdentityAnswer, isSecure: boolean): void {
  for (const name of ANSWER_HEADERS) {
    const value = headers.get(name)
    if (value !== null) res.setHeader(name, value)
  }
  const cookies = headers.getSetCookie().filter((one) => one.startsWith(`${COOKIE}=`))
  for (const one of cookies) res.append('Set-Cookie', secured(one, isSecure))
  res.status(status).end(text)
}

/** This app may be on https where the identity service is not. */
const secured = (cookie: string, isSecure: boolean) =>
  isSecure && !/;\s*secure\s*(;|$)/i.test(cookie) ? `${cookie}; Secure` : cookie

const OF_PARSER: Readonly<Record<string, IdentityServiceError>> = {
  'entity.too.large': refused(413, 'PAYLOAD_TOO_LARGE', 'The body is larger than 16 kB.'),
  'encoding.unsupported': refused(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'Send the body as application/json in UTF-8.',
  ),
  'request.size.invalid': refused(400, 'MALFORMED_JSON', 'The body is not JSON.'),
}

// In the shape of the identity service, so that there is one for whoever calls.
const answerError: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (!isOurs(req) || res.headersSent) return next(error)
  const known =
    error instanceof IdentityServiceError
      ? error
      : OF_PARSER[String((Object(error) as { type?: unknown }).type)]
  if (!known) return next(error)
  const { status, code, message } = known
  res.status(status).json({ success: false, code, message, request_id: currentRequestId() })
}
