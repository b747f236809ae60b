// Puts the room of logout together: what the authorization server asks it when a person signs out, and its own routes.
import type { Router } from 'express'
import type { Provider } from 'oidc-provider'
import { createDeliverLogouts, type DeliverLogouts } from './logout/down/deliver-logouts.ts'
import { createEndSessions, type EndSessions } from './logout/end-sessions.ts'
import { createHearUpstream } from './logout/hear-upstream.ts'
import { createLeaveUpstream } from './logout/up/leave-upstream.ts'
import { createLogoutRoutes } from './logout/logout-routes.ts'
import { createSignOut } from './logout/sign-out.ts'
import { createTellApps, type TellApps } from './logout/down/tell-apps.ts'
import { createSignLogoutToken } from './provider/logout/logout-token.ts'
import type { SignOut } from './provider/logout/sign-out.ts'
import type { AdapterOptions } from './server.ts'
import type { UnitOfWork } from './storage/unit-of-work.ts'
import { createLogoutDeliveries } from './storage/logouts/logout-deliveries.ts'
import { createLogoutTrails } from './storage/logouts/logout-trails.ts'
import { createUpstreamLogouts } from './storage/logouts/upstream-logouts.ts'
import { createUpstreamSessions } from './storage/sessions/upstream-session.ts'
import type { Upstreams } from './upstream/upstreams.ts'

export interface LogoutParts {
  upstreams: Upstreams
  unitOfWork: UnitOfWork
  /** Once it is there. */
  provider: () => Provider
}

export interface Logout {
  signOut: SignOut
  routes: Router
  endSessions: EndSessions
  tellApps: TellApps
  deliver: DeliverLogouts
}

type Options = Pick<AdapterOptions, 'config' | 'secrets' | 'driver' | 'log' | 'now'>

export function openLogout(
  options: Options,
  { upstreams, unitOfWork, provider }: LogoutParts,
): Logout {
  const { config, secrets, driver, log, now } = options
  // Not with the other writes of the request: whoever is to be told is put down before the session ends, so that a store that
  // fails in between, or a process that dies, leaves apps told of a session that is there still, not the reverse.
  const deliveries = createLogoutDeliveries({ driver, now })
  const signLogoutToken = createSignLogoutToken(provider)
  const trails = createLogoutTrails(driver)
  const parts = { deliveries, trails, now }
  const deliver = createDeliverLogouts({ ...config, ...parts, signLogoutToken, log })
  const tellApps = createTellApps({ config, ...parts, log })
  const endSessions = createEndSessions({ driver, tellApps, deliver, log })
  const leaveUpstream = createLeaveUpstream({
    config,
    upstreams,
    upstreamSessions: createUpstreamSessions(secrets.sealing),
    logouts: createUpstreamLogouts(unitOfWork.driver),
    log,
  })
  const hearUpstream = createHearUpstream({
    driver,
    upstreams,
    endSessions,
    tellApps,
    deliver,
    log,
    now,
  })
  return {
    signOut: createSignOut({ ...config, leaveUpstream, tellApps, deliver }),
    routes: createLogoutRoutes({ config, leaveUpstream, hearUpstream }),
    endSessions,
    tellApps,
    deliver,
  }
}
