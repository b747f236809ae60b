// What the trail says of a sign-in with tokens in cookies, after it was begun.
import type { TokenPair } from '../token-login/token-cookies.ts'
import { shortHash } from './hashes.ts'
import type { Trail } from './trail/trail.ts'

/** Which sign-in, and whose. */
interface Login {
  readonly flowId: string
  readonly subject: string
}

export interface TokenLoginEvents {
  refreshed(login: Login, tokens: TokenPair): void
  /** Nothing is lost, or there was nothing to lose; `flowId` as the cookies say. */
  notRefreshed(flowId: string | undefined, failure: string): void
  /** `why`: `logout`, `replaced` by another sign-in, or what a refresh found. */
  ended(login: Login, why: string): void
}

/** The reason of token-login/ when a refresh token that was used up comes again. */
const REUSED = 'refresh_token_reused'

export function createTokenLoginEvents({
  trail,
  now,
}: {
  trail: Trail
  now: () => number
}): TokenLoginEvents {
  return {
    refreshed: ({ flowId, subject }, { access }) =>
      trail.note({
        event: 'tokens.refreshed',
        flowId,
        subject,
        fields: {
          way: 'form',
          token_hash: shortHash(access.token),
          expires_in_seconds: Math.round((access.expiresAt - now()) / 1000),
        },
      }),
    notRefreshed: (flowId, failure) =>
      trail.note({ event: 'tokens.refresh_failed', flowId, fields: { way: 'form', failure } }),
    ended({ flowId, subject }, why) {
      if (why === 'logout') return trail.note({ event: 'logout.here', flowId, subject })
      const event = why === REUSED ? 'tokens.reused' : 'session.ended'
      trail.note({ event, flowId, subject, fields: { way: 'form', failure: why } })
    },
  }
}
