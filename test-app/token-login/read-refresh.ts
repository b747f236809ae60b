// Whether the refresh cookie of a request is one to refresh with, and the access cookie beside it of the same person.
import type { IncomingMessage } from 'node:http'
import type { TokenVerdict, VerifyToken } from '../authentication/token/verify-token.ts'
import type { RefreshToken } from './renew-login.ts'
import type { TokenCookies } from './token-cookies.ts'

export type RefreshRead =
  | { readonly kind: 'good'; readonly refresh: RefreshToken }
  | { readonly kind: 'refused'; readonly reason: string }

export interface ReadRefreshOptions {
  readonly tokenCookies: Pick<TokenCookies, 'read'>
  readonly verify: VerifyToken
  readonly clientId: string
  readonly refreshAudience: string
}

/** Rejects with SignInError `adapter_unavailable` where the adapter's keys can not be had. */
export type ReadRefresh = (req: Pick<IncomingMessage, 'headers'>) => Promise<RefreshRead>

const refused = (reason: string): RefreshRead => ({ kind: 'refused', reason })

export function createReadRefresh(options: ReadRefreshOptions): ReadRefresh {
  const { tokenCookies, verify, clientId, refreshAudience } = options

  /** Also of an access token that is over. */
  async function accessSubject(access: string): Promise<unknown> {
    const verdict = await verify(access, { via: 'cookie', audience: clientId })
    return subjectIn(verdict)
  }

  return async (req) => {
    const { access, refresh: token } = tokenCookies.read(req)
    if (token === undefined) return refused('no_refresh_token')
    const verdict = await verify(token, { via: 'refresh', audience: refreshAudience })
    if (!verdict.valid) return refused(`refresh_token_${verdict.reason}`)
    const { sub: subject, jti } = verdict.claims
    if (typeof subject !== 'string' || typeof jti !== 'string')
      return refused('refresh_token_claims')
    if (access !== undefined && (await accessSubject(access)) !== subject)
      return refused('access_token_of_another')
    return { kind: 'good', refresh: { token, jti, subject } }
  }
}

function subjectIn(verdict: TokenVerdict): unknown {
  return verdict.claims?.['sub']
}
