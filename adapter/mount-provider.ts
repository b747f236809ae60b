// Which paths oidc-provider answers, and the ones beside it that are ours.
import { Router, type Request, type RequestHandler, type Response } from 'express'

type Handler = (request: Request, response: Response) => void

/**
 * Exactly as written: oidc-provider would also take `/oauth2/Token` and `/oauth2/token/`, past what stands around it by path.
 */
const PROVIDER_PATHS =
  /^\/(?:verify|\.well-known\/[a-z-]+|device(?:\/[\w-]+)?|oauth2\/(?:device_authorization|token|jwks|introspect|revoke|par|authorize(?:\/[\w-]+)?)|connect\/logout(?:\/[a-z]+)?)$/

/** What oidc-provider serves, and userinfo, which is ours. */
export function providerRoutes(handler: Handler, userinfo: RequestHandler): Router {
  const router = Router()
  router.route('/userinfo').get(userinfo).post(userinfo)
  router.use(providerPaths(handler))
  return router
}

/** Mounted at the root: oidc-provider would take a mount path for a part of its URLs. */
function providerPaths(handler: Handler): RequestHandler {
  return (request, response, next) =>
    PROVIDER_PATHS.test(request.path) ? handler(request, response) : next()
}
