// The judge of an upstream's logout token: everything that OpenID Connect Back-Channel Logout asks for, but that its jti is
// new, which only a store can tell.
import { decodeProtectedHeader } from 'jose'
import { UpstreamError } from '../../errors.ts'
import { issuerFault } from '../identity/tenant-issuer.ts'
import type { Tenants } from '../identity/tenant-issuer.ts'
import type { Claims } from '../identity/safe-claims.ts'
import { shown, verifyJws } from '../identity/verify-jws.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import type { UpstreamLogoutToken } from '../upstream.ts'

export interface LogoutTokenExpectation {
  upstream: string
  /** As configured. */
  issuer: string
  tenants?: Tenants | undefined
  clientId: string
  algorithms: readonly string[]
  clockToleranceSeconds: number
  /** Epoch milliseconds. */
  now: number
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Older than this nobody delivers one; and so long must its jti be known. */
const MAX_AGE_SECONDS = 3600
const MAX_NAME_LENGTH = 255

/** @throws UpstreamError `identity_invalid`; `unavailable` or `metadata_invalid` when its keys can not be had */
export async function verifyLogoutToken(
  token: string,
  jwks: JwksCache,
  expected: LogoutTokenExpectation,
): Promise<UpstreamLogoutToken> {
  const { algorithms } = expected
  const invalid = (fault: string) =>
    new UpstreamError('identity_invalid', expected.upstream, `Logout token ${fault}`)
  const { claims, keyIssuer } = await verifyJws(token, jwks, { algorithms, invalid })
  // https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken: explicit typing, which no ID token has
  const { typ } = decodeProtectedHeader(token)
  if (!/^(application\/)?logout\+jwt$/i.test(String(typ)))
    throw invalid(`typ: expected "logout+jwt", got ${shown(typ)}`)
  for (const check of CHECKS) {
    const fault = check(claims, expected, keyIssuer)
    if (fault) throw invalid(fault)
  }
  return tokenFrom(claims)
}

type Check = (
  claims: Claims,
  expected: LogoutTokenExpectation,
  keyIssuer: string | undefined,
) => string | undefined

// In its order: https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation
const CHECKS: readonly Check[] = [
  (claims, expected, keyIssuer) => issuerFault(claims, expected, keyIssuer),
  ({ aud }, { clientId }) => {
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
    return audiences.includes(clientId)
      ? undefined
      : `aud: expected "${clientId}", got ${shown(aud)}`
  },
  ({ iat }, { now, clockToleranceSeconds }) => {
    if (typeof iat !== 'number') return `iat: expected epoch seconds, got ${shown(iat)}`
    const age = now / 1000 - iat
    if (age < -clockToleranceSeconds) return `iat: clock: ${Math.round(-age)} s ahead of ours`
    return age <= MAX_AGE_SECONDS + clockToleranceSeconds
      ? undefined
      : `iat: ${Math.round(age)} s ago, expected ${MAX_AGE_SECONDS} s at most`
  },
  ({ exp }, { now, clockToleranceSeconds }) => {
    if (typeof exp !== 'number') return `exp: expected epoch seconds, got ${shown(exp)}`
    const late = now / 1000 - exp
    return late < clockToleranceSeconds ? undefined : `exp: clock: ${Math.round(late)} s past`
  },
  ({ sub, sid }) => {
    if (sub === undefined && sid === undefined) return 'names neither sub nor sid'
    return [sub, sid].every((name) => name === undefined || isName(name))
      ? undefined
      : `sub and sid: expected texts of 1 to ${MAX_NAME_LENGTH} characters`
  },
  ({ events }) =>
    isMap(events) && isMap(events[EVENT])
      ? undefined
      : `events: expected "${EVENT}" with an object`,
  ({ nonce }) => (nonce === undefined ? undefined : 'has a nonce, as no logout token may'),
  ({ jti }) => (isName(jti) ? undefined : 'jti: missing, or no text'),
]

function tokenFrom({ iss, sub, sid, jti, iat, exp }: Claims): UpstreamLogoutToken {
  return {
    iss: iss as string,
    ...(sub === undefined ? {} : { sub: sub as string }),
    ...(sid === undefined ? {} : { sid: sid as string }),
    jti: jti as string,
    exp: Math.min(exp as number, (iat as number) + MAX_AGE_SECONDS),
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
