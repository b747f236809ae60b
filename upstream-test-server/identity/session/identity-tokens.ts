// The access tokens of the API: JWTs of this issuer, signed by the key in use, and the judge of those that come back.
import { randomBytes, randomUUID } from 'node:crypto'
import { passwordAcr } from '../../behaviour/sign-in/authentication.ts'
import type { KeyRing, SigningKey } from '../../behaviour/tokens/key-ring.ts'
import { isSignedBy, readToken, signToken } from '../../behaviour/tokens/sign-token.ts'
import type { Json } from '../../behaviour/tokens/sign-token.ts'
import { accountFrom, claimsByScope, furtherClaims } from '../../provider/account.ts'
import type { User } from '../../people/users.ts'
import { IdentityError } from '../api/identity-error.ts'

/** `account`: good for choosing a branch only. `system`: for programs. */
export type TokenUse = 'branch' | 'account' | 'system'

export interface TokenSubject {
  use: TokenUse
  user: User
  sessionId: string
  jti: string
  /** Epoch milliseconds. */
  authenticatedAt: number
  /** Claims beyond those that every token has. */
  further?: Json
}

export interface VerifiedToken {
  use: TokenUse
  sessionId: string
  jti: string
  branchId: string | undefined
}

export interface IdentityTokens {
  /** @throws {IdentityError} JWT_KEY_NOT_CONFIGURED */
  requireKey(): SigningKey
  issue(subject: TokenSubject): string
  /** Its session may be over. @throws {IdentityError} INVALID_TOKEN */
  verify(token: string | undefined, rules?: { mayBeExpired: boolean }): VerifiedToken
}

export interface IdentityTokensOptions {
  issuer: string
  /** For whom branch-scoped tokens are, beside this API: they can be exchanged there. */
  clientId: string
  keys: Pick<KeyRing, 'find' | 'kids'> & { active(): SigningKey | undefined }
  /** Epoch milliseconds. */
  now: () => number
}

export const accessTokenSeconds = 900
export const newJti = () => randomUUID()
export const newRefreshToken = () => randomBytes(32).toString('base64url')

// The same as in an ID token for the scope `profile`, so that both ways of signing in tell the same of a person.
function profileOf(user: User): Json {
  const claims = (accountFrom(user)?.claims('', '', {}, []) ?? {}) as Json
  const names = claimsByScope.profile.filter((name) => claims[name] !== undefined)
  return { ...furtherClaims(user), ...Object.fromEntries(names.map((n) => [n, claims[n]])) }
}

const uses: readonly unknown[] = ['branch', 'account', 'system'] satisfies TokenUse[]

function readable(token: string) {
  try {
    return readToken(token)
  } catch {
    throw new IdentityError('INVALID_TOKEN')
  }
}

export function createIdentityTokens(options: IdentityTokensOptions): IdentityTokens {
  const { issuer, clientId, keys, now } = options
  const api = `${issuer}/api/auth`
  // Who has not chosen a branch gets in nowhere else: the audience is this API alone.
  const placeOf: Record<TokenUse, Json> = {
    branch: { aud: [clientId, api], client_id: clientId, scope: 'openid profile' },
    account: { aud: api, scope: 'select_branch' },
    system: { aud: api, scope: 'system' },
  }
  const requireKey = () => {
    const key = keys.active()
    if (!key) throw new IdentityError('JWT_KEY_NOT_CONFIGURED')
    return key
  }
  const isSigned = (token: string, { alg, kid, typ }: Json) => {
    const key = alg === 'RS256' && typ === 'at+jwt' ? keys.find(kid) : undefined
    return key !== undefined && !keys.kids().withdrawn.includes(key.kid) && isSignedBy(token, key)
  }
  return {
    requireKey,
    issue({ use, user, sessionId, jti, authenticatedAt, further = {} }) {
      const iat = Math.floor(now() / 1000)
      const times = { iat, exp: iat + accessTokenSeconds, ...authenticated(authenticatedAt) }
      const session = { jti, token_use: use, auth_session: sessionId }
      const profile = use === 'branch' ? profileOf(user) : {}
      const own = { iss: issuer, sub: user.sub, ...placeOf[use], ...times, ...session }
      const claims = { ...profile, ...further, ...own }
      // https://www.rfc-editor.org/rfc/rfc9068.html#section-2.1
      return signToken({ header: { typ: 'at+jwt' }, claims }, requireKey())
    },
    verify(token = '', { mayBeExpired } = { mayBeExpired: false }) {
      const { header, claims } = readable(token)
      const { iss, aud, exp, token_use: use, auth_session: sessionId, jti, branch_id } = claims
      const isOurs = iss === issuer && [aud].flat().includes(api) && uses.includes(use)
      const isTimely = mayBeExpired || (typeof exp === 'number' && exp * 1000 > now())
      if (!isOurs || !isTimely || !isSigned(token, header)) throw new IdentityError('INVALID_TOKEN')
      const branchId = branch_id === undefined ? undefined : String(branch_id)
      return { use: use as TokenUse, sessionId: String(sessionId), jti: String(jti), branchId }
    },
  }
}

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000)

/** The one way to sign in here: https://www.rfc-editor.org/rfc/rfc9068.html#section-2.2.1 */
const authenticated = (at: number): Json => ({
  auth_time: seconds(at),
  acr: passwordAcr,
  amr: ['pwd'],
})
