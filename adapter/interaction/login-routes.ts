// The HTTP side of an upstream login: /oauth2/authorization/<upstream> starts it, /login/oauth2/code/<upstream> finishes it.
// Reads the request, runs the step with its storage writes sent together, redirects.
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { Provider } from 'oidc-provider'
import { InteractionError } from '../errors.ts'
import type { UnitOfWork } from '../storage/unit-of-work.ts'
import { finishLogin, type FinishParts } from './finish-login.ts'
import type { LoginBinding } from './login-binding.ts'
import { cancelLogin, startLogin, type Location, type StartRequest } from './start-login.ts'

export interface LoginRouteOptions extends Omit<FinishParts, 'signedInClient' | 'isSessionAlive'> {
  provider: Provider
  unitOfWork: UnitOfWork
}

const UID = /^[A-Za-z0-9_-]{10,64}$/

export function createLoginRoutes(options: LoginRouteOptions): Router {
  const { unitOfWork } = options
  const go =
    (step: (request: Request, response: Response) => Promise<Location>) =>
    async (request: Request, response: Response) => {
      // A link checker's HEAD must not use up a state.
      if (request.method !== 'GET') {
        response.set('allow', 'GET')
        throw new InteractionError(
          'method_not_allowed',
          `a step of a sign-in is a GET, not ${request.method}`,
        )
      }
      const location = await unitOfWork.run(() => step(request, response))
      response.redirect(302, location)
    }
  const router = Router({ strict: true, caseSensitive: true })
  router.get('/oauth2/authorize/:uid', ownLoginOnly(options.binding))
  router.all(
    '/oauth2/authorization/:upstream',
    go((request) => startLogin(options, startRequest(request))),
  )
  router.all(
    '/oauth2/authorization/:upstream/cancel',
    go((request) => cancelLogin(options, startRequest(request))),
  )
  router.all(
    '/login/oauth2/code/:upstream',
    go((request, response) => {
      const signedInClient = () => findSignedInClient(options.provider, request, response)
      const parameters = new URL(request.originalUrl, options.issuer).searchParams
      const isSessionAlive = async (uid: string) =>
        (await options.provider.Session.findByUid(uid)) !== undefined
      return finishLogin(
        { ...options, signedInClient, isSessionAlive },
        {
          upstream: String(request.params['upstream']),
          parameters,
          cookieHeader: request.headers.cookie,
        },
      )
    }),
  )
  return router
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

function startRequest(request: Request): StartRequest {
  const uid = request.query['interaction']
  if (typeof uid !== 'string' || !UID.test(uid))
    throw new InteractionError('not_started_here', 'the request names no interaction')
  return { upstream: String(request.params['upstream']), uid, cookieHeader: request.headers.cookie }
}

async function findSignedInClient(provider: Provider, request: Request, response: Response) {
  const session = await provider.Session.get(provider.createContext(request, response) as never)
  return session.accountId === undefined
    ? undefined
    : { clientId: Object.keys(session.authorizations ?? {}).at(-1) }
}
