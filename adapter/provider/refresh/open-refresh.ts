// Puts together what refresh tokens need of the authorization server: policy, storage with a grace, derived values.
import type { AdapterFactory, Provider } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import { withGrace } from '../../storage/tokens/refresh-tokens.ts'
import type { UnitOfWork } from '../../storage/unit-of-work.ts'
import { translated } from '../oauth-errors.ts'
import type { FollowUpstream } from './follow-upstream.ts'
import { createRefreshPolicy, type RefreshPolicy } from './refresh-policy.ts'
import { createSuccessorOf, deriveSuccessors } from './successors.ts'

export interface RefreshParts {
  config: Config
  /** 32 bytes that all instances share; what the values of refresh tokens are made with. */
  subjectKey: Uint8Array
  adapter: AdapterFactory
  unitOfWork: UnitOfWork
  identities: Identities
  lifecycle: FollowUpstream
  /** Epoch milliseconds. */
  now: () => number
}

export interface Refreshing {
  policy: RefreshPolicy
  adapter: AdapterFactory
  attach(provider: Provider): void
}

export function openRefresh(parts: RefreshParts): Refreshing {
  const { clients } = parts.config
  const successorOf = createSuccessorOf(parts.subjectKey)
  const graceSeconds = (clientId: string) => clients[clientId]?.refresh?.grace ?? 0
  const { driver } = parts.unitOfWork
  return {
    policy: createRefreshPolicy({ ...parts, lifecycle: translated(parts.lifecycle), clients }),
    adapter: withGrace(parts.adapter, { driver, successorOf, graceSeconds, now: parts.now }),
    attach: (provider) => deriveSuccessors(provider, successorOf),
  }
}
