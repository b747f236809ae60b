// The two tokens that the adapter gives for one of the identity service, both verified before anything is done with them.
import type { VerifyToken } from '../authentication/token/verify-token.ts'
import type { ExchangedToken, TokenExchange } from '../relying-party/exchanged-tokens.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { Claims } from '../session/session-data.ts'
import type { TokenPair } from './token-cookies.ts'

/** Name and value of a cookie; what is longer, browsers drop without a word. */
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6
const LONGEST_COOKIE = 4096
/** __Host-, the longest TEST_APP_COOKIE, and what is added to it. */
const LONGEST_NAME = 80

export interface NewTokens {
  readonly pair: TokenPair
  readonly subject: string
  /** Of the refresh JWT. */
  readonly jti: string
  /** Of the access JWT. */
  readonly claims: Claims
}

export interface ExchangeTokensOptions {
  readonly exchange: Pick<TokenExchange, 'exchange'>
  readonly verify: VerifyToken
  readonly clientId: string
  /** Resource and audience of refresh JWTs. */
  readonly refreshAudience: string
}

/** For the identity service's access token. Rejects with SignInError. */
export type ExchangeTokens = (accessToken: string) => Promise<NewTokens>

export function createExchangeTokens(options: ExchangeTokensOptions): ExchangeTokens {
  const { exchange, verify, clientId, refreshAudience } = options

  async function verified({ token }: ExchangedToken, audience: string): Promise<Claims> {
    if (token.length > LONGEST_COOKIE - LONGEST_NAME)
      throw new SignInError('answer_invalid', 'A token of the adapter is too long for a cookie')
    const verdict = await verify(token, { via: 'exchange', audience })
    if (verdict.valid) return verdict.claims
    throw new SignInError('answer_invalid', 'The adapter gave a token that is no good here', {
      cause: new Error(`${verdict.reason}, for ${audience}`),
    })
  }

  return async (accessToken) => {
    const [access, refresh] = await Promise.all([
      exchange.exchange(accessToken),
      exchange.exchange(accessToken, refreshAudience),
    ])
    const [claims, refreshClaims] = await Promise.all([
      verified(access, clientId),
      verified(refresh, refreshAudience),
    ])
    const { jti } = refreshClaims
    if (typeof jti !== 'string' || refreshClaims['sub'] !== claims['sub'])
      throw new SignInError('answer_invalid', 'The tokens of the adapter do not belong together')
    return { pair: { access, refresh }, subject: String(claims['sub']), jti, claims }
  }
}
