// The judge of an upstream's access token that somebody brings: a signed JWT for one of the audiences that are allowed, given to
// a party that is. What it may be used for there is not looked at.
import { decodeProtectedHeader } from 'jose'
import { UpstreamError } from '../../errors.ts'
import type { Claims } from '../identity/safe-claims.ts'
import { issuerFault } from '../identity/tenant-issuer.ts'
import { isSubject, isTime, type IdTokenExpectation } from '../identity/verify-id-token.ts'
import { shown, verifyJws } from '../identity/verify-jws.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'

export interface AccessTokenExpectation extends Pick<
  IdTokenExpectation,
  'upstream' | 'issuer' | 'tenants' | 'algorithms' | 'clockToleranceSeconds' | 'now'
> {
  audiences: readonly string[]
  authorizedParties: readonly string[]
  /** Whether it has to say to whom it was given. */
  needsParty: boolean
}

/** @throws UpstreamError `identity_invalid`; `unavailable` or `metadata_invalid` when its keys can not be had */
export async function verifyAccessToken(
  token: string,
  jwks: JwksCache,
  expected: AccessTokenExpectation,
): Promise<Claims> {
  const invalid = (fault: string) =>
    new UpstreamError('identity_invalid', expected.upstream, `Access token ${fault}`)
  const { algorithms } = expected
  const { claims, keyIssuer } = await verifyJws(token, jwks, { algorithms, invalid })
  const fault =
    typeFault(decodeProtectedHeader(token).typ, claims) ??
    issuerFault(claims, expected, keyIssuer) ??
    CHECKS.map((check) => check(claims, expected)).find((found) => found !== undefined)
  if (fault !== undefined) throw invalid(fault)
  return claims
}

/** An ID token is no access token: https://www.rfc-editor.org/rfc/rfc9068#section-4, and where there is no such type, a scope. */
function typeFault(typ: unknown, { scope, scp, nonce, at_hash, events }: Claims) {
  if (/^(application\/)?at\+jwt$/i.test(String(typ))) return undefined
  const isPlain = typ === undefined || /^jwt$/i.test(String(typ))
  const isOther = [nonce, at_hash, events].some((claim) => claim !== undefined)
  return isPlain && !isOther && (scope ?? scp) !== undefined
    ? undefined
    : `typ: expected "at+jwt", or a scope and nothing of an ID token, got ${shown(typ)}`
}

/** To whom it was given; the last two are what Okta and Microsoft Entra write. */
const PARTY_CLAIMS = ['azp', 'client_id', 'cid', 'appid'] as const

type Check = (claims: Claims, expected: AccessTokenExpectation) => string | undefined

const CHECKS: readonly Check[] = [
  ({ aud }, { audiences }) =>
    [aud].flat().some((one) => audiences.includes(one as string))
      ? undefined
      : `aud: expected one of the audiences, got ${shown(aud)}`,
  (claims, { authorizedParties, needsParty }) => {
    const named = PARTY_CLAIMS.map((name) => claims[name]).filter((one) => one !== undefined)
    const isKnown = named.every((one) => authorizedParties.includes(one as string))
    return isKnown && (named.length > 0 || !needsParty)
      ? undefined
      : `${PARTY_CLAIMS.join(', ')}: expected one of the authorized parties, got ${shown(named)}`
  },
  ({ exp }, { now, clockToleranceSeconds }) =>
    isTime(exp) && now / 1000 - exp < clockToleranceSeconds
      ? undefined
      : `exp: expected a time ahead, got ${shown(exp)}`,
  ...(['iat', 'nbf'] as const).map((name): Check => (claims, { now, clockToleranceSeconds }) => {
    const value = claims[name]
    if (value === undefined) return undefined
    return isTime(value) && value - now / 1000 <= clockToleranceSeconds
      ? undefined
      : `${name}: expected a time before now, got ${shown(value)}`
  }),
  ({ sub }) => (isSubject(sub) ? undefined : 'sub: expected 1 to 255 printable ASCII characters'),
  ({ cnf }) => (cnf === undefined ? undefined : 'cnf: is bound to a key, and comes without proof'),
  ({ act }) => (act === undefined ? undefined : 'act: somebody acts for the person'),
]
