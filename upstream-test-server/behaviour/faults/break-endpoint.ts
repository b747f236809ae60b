// Answers an endpoint wrongly, as often as it was switched on. Without a switch every request passes.
import { setTimeout as wait } from 'node:timers/promises'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Users } from '../../people/users.ts'
import { personalEndpoints } from './faults.ts'
import type { EndpointFault, Faults } from './faults.ts'
import { endpointOf } from './journal.ts'

interface Step {
  req: Request
  res: Response
  next: NextFunction
  issuer: string
  redirectUris: ReadonlySet<string>
}

type Breaks = {
  [Kind in EndpointFault['kind']]: (
    step: Step,
    fault: Extract<EndpointFault, { kind: Kind }>,
  ) => void
}

const queryText = (value: unknown) => (typeof value === 'string' ? value : '')

// https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2.1
function errorToClient({ req, res, next, issuer, redirectUris }: Step, error: string): void {
  const target = queryText(req.query['redirect_uri'])
  if (!redirectUris.has(target)) return next()
  const url = new URL(target)
  const answer = { error, state: queryText(req.query['state']), iss: issuer }
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  res.redirect(302, url.href)
}

function errorAsJson({ req, res }: Step, error: string): void {
  // https://www.rfc-editor.org/rfc/rfc6750.html#section-3
  const isUserinfo = endpointOf(req.path) === 'userinfo'
  if (isUserinfo) res.set('WWW-Authenticate', `Bearer error="${error}"`)
  res.status(isUserinfo ? 401 : 400).json({ error })
}

const breaks: Breaks = {
  status: ({ res }, { status }) => void res.status(status).type('text').send('switched to fail'),
  oauth_error: (step, { error }) =>
    endpointOf(step.req.path) === 'authorize'
      ? errorToClient(step, error)
      : errorAsJson(step, error),
  delay: ({ next }, { milliseconds }) => void setTimeout(next, milliseconds).unref(),
  drop: ({ req }) => void req.socket.destroy(),
  truncated({ res }) {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    res.write('{"issuer":"', () => res.destroy())
  },
  content_type: ({ res }, { contentType }) =>
    void res.writeHead(200, { 'content-type': contentType }).end('<!doctype html><title>.</title>'),
  oversized: ({ res }, { bytes }) => void res.json({ padding: 'x'.repeat(bytes) }),
}

export interface BreakEndpointsOptions {
  issuer: string
  faults: Faults
  redirectUris: ReadonlySet<string>
}

function answerWrongly(step: Step, fault: EndpointFault): void {
  const answer = breaks[fault.kind] as (step: Step, fault: EndpointFault) => void
  answer(step, fault)
}

/** Goes behind the checks of host and URL. */
export function breakEndpoints(options: BreakEndpointsOptions): RequestHandler {
  const { issuer, faults, redirectUris } = options
  return (req, res, next) => {
    const endpoint = endpointOf(req.path)
    const fault = endpoint && faults.takeEndpoint(endpoint)
    if (!fault) return next()
    answerWrongly({ req, res, next, issuer, redirectUris }, fault)
  }
}

export interface BreakAnswersOptions {
  issuer: string
  faults: Faults
  users: Users
}

async function breakAnswer(ctx: KoaContextWithOIDC, fault: EndpointFault, issuer: string) {
  if (fault.kind === 'delay') return wait(fault.milliseconds)
  ctx.body = null
  ctx.respond = false
  const [req, res] = [ctx.req as Request, ctx.res as Response]
  answerWrongly({ req, res, next: () => undefined, issuer, redirectUris: new Set() }, fault)
}

/** For what is bound to a person: who that is comes out while the request is answered. */
export function breakAnswersOf(provider: Provider, options: BreakAnswersOptions): void {
  const { issuer, faults, users } = options
  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx as KoaContextWithOIDC
    const endpoint = personalEndpoints.find((name) => name === oidc?.route)
    const username = users.find(oidc?.account?.accountId ?? '')?.username
    if (endpoint === undefined || username === undefined) return
    const fault = faults.takeEndpointOf(endpoint, username)
    if (fault) return breakAnswer(ctx as KoaContextWithOIDC, fault, issuer)
    if (endpoint === 'userinfo' && ctx.status === 200 && faults.takeOtherSub(username))
      ctx.body = { ...(ctx.body as object), sub: 'somebody-else' }
  })
}
