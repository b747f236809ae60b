// The HTTP side of an upstream login: /oauth2/authorization/<upstream> starts it, /login/oauth2/code/<upstream> finishes it.
// Reads the request, runs the step with its storage writes sent together, redirects.
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { Provider } from 'oidc-provider'
import { InteractionError } from '../errors.ts'
import type { UnitOfWork } from '../storage/unit-of-work.ts'
import { answeringSilently } from './context/silent-answer.ts'
import { finishLogin, type FinishParts } from './finish-login.ts'
import { FORM, formPostToQuery } from './form-post-answer.ts'
import type { LoginBinding } from './login-binding.ts'
import { cancelLogin, startLogin, type Location, type StartRequest } from './start-login.ts'

export interface LoginRouteOptions extends Omit<FinishParts, 'signedInClient' | 'isSessionAlive'> {
  provider: Provider
  unitOfWork: UnitOfWork
}

const UID = /^[A-Za-z0-9_-]{10,64}$/

const CALLBACK = '/login/oauth2/code/:upstream'

type Step = (request: Request, response: Response) => Promise<Location>

export function createLoginRoutes(options: LoginRouteOptions): Router {
  const routes: Record<string, Step> = {
    '/oauth2/authorization/:upstream': (request) => start(options, startRequest(request)),
    '/oauth2/authorization/:upstream/cancel': (request) =>
      cancelLogin(options, startRequest(request)),
    [CALLBACK]: (request, response) => finish(options, request, response),
  }
  const router = Router({ strict: true, caseSensitive: true })
  router.post(CALLBACK, answersByForm(options.upstreamConfigs), FORM, formPostToQuery)
  router.get(['/oauth2/authorize/:uid', '/device/:uid'], ownLoginOnly(options.binding))
  for (const [path, step] of Object.entries(routes)) router.all(path, go(options.unitOfWork, step))
  return router
}

/** A form from any other upstream is none of its answers. */
function answersByForm(
  upstreams: LoginRouteOptions['upstreamConfigs'],
): RequestHandler<{ upstream: string }> {
  return ({ params }, _response, next) => {
    const upstream = Object.hasOwn(upstreams, params.upstream)
      ? upstreams[params.upstream]
      : undefined
    const isExpected = upstream?.kind === 'oidc' && upstream.response_mode === 'form_post'
    next(isExpected ? undefined : 'route')
  }
}

function go(unitOfWork: UnitOfWork, step: Step) {
  return async (request: Request, response: Response): Promise<void> => {
    // A link checker's HEAD must not use up a state.
    if (request.method !== 'GET') {
      response.set('allow', 'GET')
      const message = `a step of a sign-in is a GET, not ${request.method}`
      throw new InteractionError('method_not_allowed', message)
    }
    const location = await unitOfWork.run(() => step(request, response))
    response.redirect(302, location)
  }
}

function finish(options: LoginRouteOptions, request: Request, response: Response) {
  const { provider, issuer } = options
  const parts = {
    ...options,
    signedInClient: () => findSignedInClient(provider, request, response),
    isSessionAlive: async (uid: string) => (await provider.Session.findByUid(uid)) !== undefined,
  }
  const upstream = String(request.params['upstream'])
  const parameters = new URL(request.originalUrl, issuer).searchParams
  return finishLogin(parts, { upstream, parameters, cookieHeader: request.headers.cookie })
}

function start(options: LoginRouteOptions, request: StartRequest): Promise<Location> {
  return answeringSilently(options, request.uid, () => startLogin(options, request))
}

/** Before oidc-provider resumes a login: an attacker's, finished but for this step, is not to become this browser's (A03). */
function ownLoginOnly(binding: LoginBinding): RequestHandler<{ uid: string }> {
  return (request, _response, next) => {
    const [uid, cookieHeader] = [request.params.uid, request.headers.cookie]
    if (!binding.mayResume(uid, cookieHeader))
      throw new InteractionError(
        'not_started_here',
        'this browser holds no cookie of the sign-in to resume',
        { wayOn: { clientId: binding.find(uid, cookieHeader)?.clientId } },
      )
    next()
  }
}

/** @throws InteractionError `not_started_here` */
export function interactionUid(request: Request): string {
  const uid = request.query['interaction']
  if (typeof uid !== 'string' || !UID.test(uid))
    throw new InteractionError('not_started_here', 'the request names no interaction')
  return uid
}

function startRequest(request: Request): StartRequest {
  const uid = interactionUid(request)
  return { upstream: String(request.params['upstream']), uid, cookieHeader: request.headers.cookie }
}

async function findSignedInClient(provider: Provider, request: Request, response: Response) {
  const session = await provider.Session.get(provider.createContext(request, response) as never)
  return session.accountId === undefined
    ? undefined
    : { clientId: Object.keys(session.authorizations ?? {}).at(-1) }
}
