// The HTTP side of logout that oidc-provider does not serve: the way back from the upstream's logout.
import { Router } from 'express'
import type { Config } from '../config/schema.ts'
import { loggedOutPage } from '../pages/logout-page.ts'
import type { LeaveUpstream } from './leave-upstream.ts'

export interface LogoutRouteOptions {
  config: Pick<Config, 'upstreams'>
  leaveUpstream: Pick<LeaveUpstream, 'return'>
}

export function createLogoutRoutes({ config, leaveUpstream }: LogoutRouteOptions): Router {
  const router = Router({ strict: true, caseSensitive: true })
  router.get('/logout/callback/:upstream', async (request, response, next) => {
    const { upstream } = request.params
    if (!Object.hasOwn(config.upstreams, upstream)) return next()
    const state = request.query['state']
    const target =
      typeof state === 'string'
        ? await leaveUpstream.return(upstream, state, request.headers.cookie)
        : undefined
    // Reloaded, late, or without a state: what there was to end has ended.
    if (target === undefined) response.type('html').send(loggedOutPage())
    else response.redirect(302, target)
  })
  return router
}
