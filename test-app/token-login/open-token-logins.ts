// The parts of signing in at /login.html, put together.
import type { Log } from '../../service/log.ts'
import { createTokenLoginEvents } from '../audit/token-login-events.ts'
import type { Trail } from '../audit/trail/trail.ts'
import type { LoginEnds } from '../authentication/login-ends.ts'
import type { VerifyToken } from '../authentication/token/verify-token.ts'
import type { IdentityService } from '../identity/identity-service.ts'
import type { TokenExchange } from '../relying-party/exchanged-tokens.ts'
import type { SealedRecords } from '../store/sealed-records.ts'
import { createTokenLogins } from './create-token-logins.ts'
import { createEndLogin } from './end-login.ts'
import { createExchangeTokens } from './exchange-tokens.ts'
import { createLoginRecords } from './login-records.ts'
import { createReadRefresh } from './read-refresh.ts'
import { createRenewLogin } from './renew-login.ts'
import type { TokenCookies } from './token-cookies.ts'
import type { TokenLogins } from './token-logins.ts'

export interface TokenLoginParts {
  readonly store: { readonly records: SealedRecords }
  readonly tokenCookies: TokenCookies
  readonly verify: VerifyToken
  readonly identity: IdentityService
  readonly exchange: TokenExchange
  readonly loginEnds: LoginEnds
  readonly clientId: string
  /** Public origin of this app. */
  readonly url: string
  readonly trail: Trail
  readonly log: Log
  readonly now: () => number
}

/** What refresh JWTs of this app are for, and nothing else is. */
export const refreshAudienceOf = (url: string): string => `${url}/refresh`

export function openTokenLogins(parts: TokenLoginParts): TokenLogins {
  const common = {
    ...parts,
    refreshAudience: refreshAudienceOf(parts.url),
    records: createLoginRecords({ records: parts.store.records, now: parts.now }),
  }
  const exchangeTokens = createExchangeTokens(common)
  return createTokenLogins({
    ...common,
    exchangeTokens,
    events: createTokenLoginEvents(parts),
    readRefresh: createReadRefresh(common),
    renewLogin: createRenewLogin({ ...common, exchangeTokens }),
    endLogin: createEndLogin(common),
  })
}
