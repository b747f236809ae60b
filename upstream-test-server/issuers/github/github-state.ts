// What the GitHub-shaped issuer remembers, in memory: sign-ins under way, codes, tokens, sessions.
import type { Log } from '../../../service/log.ts'
import type { Scenario } from '../../behaviour/scenario.ts'
import type { InteractionBinding } from '../../provider/interaction-binding.ts'
import type { UpstreamClient } from '../../provider/provider.ts'
import type { Sessions } from '../../people/sessions.ts'
import type { Users } from '../../people/users.ts'
import { createExpiringMap } from './expiring-map.ts'
import type { ExpiringMap } from './expiring-map.ts'

export interface PendingRequest {
  clientId: string
  redirectUri: string
  state: string
  scopes: string[]
  /** S256; absent without PKCE. */
  codeChallenge: string | undefined
}

export interface Code extends PendingRequest {
  sub: string
}

export interface GithubState {
  pending: ExpiringMap<PendingRequest>
  codes: ExpiringMap<Code>
  tokens: ExpiringMap<Pick<Code, 'sub' | 'scopes'>>
  /** By cookie: whose it is. */
  sessions: ExpiringMap<string>
}

/** What every route of it needs. */
export interface GithubParts extends GithubState {
  serverName: string
  /** `/github-like` */
  basePath: string
  sessionCookie: string
  clients: readonly UpstreamClient[]
  users: Users
  scenario: Scenario
  binding: InteractionBinding
  log: Log
  /** Whether it is reached over https. */
  https: boolean
  /** The token endpoint answers with a form even to those who want JSON. */
  alwaysForm: boolean
}

const minute = 60
const hour = 60 * minute

export function createGithubState(now: () => number): GithubState {
  return {
    pending: createExpiringMap({ ttlSeconds: 10 * minute, now }),
    codes: createExpiringMap({ ttlSeconds: 10 * minute, now }),
    tokens: createExpiringMap({ ttlSeconds: 8 * hour, now, prefix: 'gho_' }),
    sessions: createExpiringMap({ ttlSeconds: 8 * hour, now }),
  }
}

/** Who is signed in here, and the end of that. */
export function githubSessions({ sessions, codes, tokens }: GithubState): Sessions {
  const revokeGrants = (sub: string) => {
    codes.drop((code) => code.sub === sub)
    tokens.drop((token) => token.sub === sub)
  }
  return {
    list: () => sessions.values().map((sub) => ({ sub, sids: {} })),
    revokeGrants,
    end(sub) {
      revokeGrants(sub)
      sessions.drop((whose) => whose === sub)
    },
  }
}
