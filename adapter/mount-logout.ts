// Puts the room of logout together: what the authorization server asks it when a person signs out, and its own routes.
import type { Router } from 'express'
import { createLeaveUpstream } from './logout/leave-upstream.ts'
import { createLogoutRoutes } from './logout/logout-routes.ts'
import { createSignOut } from './logout/sign-out.ts'
import type { SignOut } from './provider/sign-out.ts'
import type { AdapterOptions } from './server.ts'
import type { DeferringDriver } from './storage/unit-of-work.ts'
import { createUpstreamLogouts } from './storage/upstream-logouts.ts'
import { createUpstreamSessions } from './storage/upstream-session.ts'
import type { Upstreams } from './upstream/upstreams.ts'

export interface LogoutParts {
  upstreams: Upstreams
  /** Writes of the request's unit. */
  unit: DeferringDriver
}

export interface Logout {
  signOut: SignOut
  routes: Router
}

export function openLogout(
  { config, secrets, log }: Pick<AdapterOptions, 'config' | 'secrets' | 'log'>,
  { upstreams, unit }: LogoutParts,
): Logout {
  const leaveUpstream = createLeaveUpstream({
    config,
    upstreams,
    upstreamSessions: createUpstreamSessions(secrets.sealing),
    logouts: createUpstreamLogouts(unit),
    log,
  })
  return {
    signOut: createSignOut({ ...config, leaveUpstream }),
    routes: createLogoutRoutes({ config, leaveUpstream }),
  }
}
