// Puts the room of lifecycle together: which upstreams it asks, what it stores, and how a session ends that is over.
import { provenAcrs } from './interaction/context/judge-context.ts'
import { createLifecycle, type Lifecycle, type LifecycleOptions } from './lifecycle/lifecycle.ts'
import type { AdapterOptions } from './server.ts'
import type { EndSessions } from './logout/end-sessions.ts'
import type { SessionParts } from './storage/sessions/end-session.ts'
import { sessionMember } from './storage/sessions/live-sessions.ts'
import { createUpstreamTokens } from './storage/tokens/upstream-tokens.ts'
import type { Upstreams } from './upstream/upstreams.ts'

export interface LifecycleParts extends Pick<LifecycleOptions, 'mapIdentity'> {
  upstreams: Upstreams
  endSessions: EndSessions
}

export function openLifecycle(
  { config, driver, secrets, log, now }: AdapterOptions,
  { upstreams, endSessions, mapIdentity }: LifecycleParts,
): Lifecycle {
  return createLifecycle({
    ...config,
    upstreamNamed: upstreams.get,
    // Not put off to the end of a request: what the upstream has replaced must be stored, whatever comes of the request.
    tokens: createUpstreamTokens(driver, secrets.sealing),
    mapIdentity,
    provenAcrs,
    endSession: async (sessionUid, upstreamTokens) => {
      const isMeant = ({ identity }: SessionParts) => identity?.upstreamTokens === upstreamTokens
      await endSessions({ members: [sessionMember(sessionUid)], isMeant, cause: 'upstream' })
    },
    log,
    now,
  })
}
