// The one judge of an upstream's ID token: signature always, algorithm pinned, every claim that OpenID Connect asks for.
// Says what it expected and received; never the nonce or the token.
import { createHash } from 'node:crypto'
import { UpstreamError } from '../../errors.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import type { Claims } from './safe-claims.ts'
import { issuerFault } from './tenant-issuer.ts'
import type { Tenants } from './tenant-issuer.ts'
import { shown, verifyJws } from './verify-jws.ts'

export interface IdTokenExpectation {
  upstream: string
  /** As configured. */
  issuer: string
  /** Those whose people may come, where the issuer holds `{tenantid}`. */
  tenants?: Tenants | undefined
  clientId: string
  algorithms: readonly string[]
  /** Absent: of an answer that carries none (a refresh). */
  nonce?: string | undefined
  /** Seconds; auth_time is demanded when it is there. */
  maxAge?: number | undefined
  /** Seconds since it was made; absent: a minute, of a token that we have just asked for. */
  maxTokenAge?: number | undefined
  accessToken?: string | undefined
  code?: string | undefined
  clockToleranceSeconds: number
  /** Epoch milliseconds. */
  now: number
}

/** How long ago, beyond the clock tolerance, a token may have been made that we have just asked for. */
const MAX_AGE_SECONDS = 60
const MAX_CLOCK_VALUE = 253_402_300_799

/**
 * The claims of a token that holds.
 * @throws UpstreamError `identity_invalid`; `context_unmet` when the sign-in is older than `maxAge`; `unavailable` or `metadata_invalid` when its keys can not be had
 */
export async function verifyIdToken(
  token: string,
  jwks: JwksCache,
  expected: IdTokenExpectation,
): Promise<Claims> {
  const { algorithms } = expected
  const invalid = (fault: string) =>
    new UpstreamError('identity_invalid', expected.upstream, `ID token ${fault}`)
  const { claims, ...signed } = await verifyJws(token, jwks, { algorithms, invalid })
  for (const check of CHECKS) {
    const fault = check(claims, expected, signed)
    if (fault) throw invalid(fault)
  }
  const old = ageFault(claims, expected)
  if (old) throw new UpstreamError('context_unmet', expected.upstream, `ID token ${old}`)
  return claims
}

type Check = (
  claims: Claims,
  expected: IdTokenExpectation,
  signed: { alg: string; keyIssuer: string | undefined },
) => string | undefined

// OpenID Connect Core §3.1.3.7, in its order: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
const CHECKS: readonly Check[] = [
  (claims, expected, { keyIssuer }) => issuerFault(claims, expected, keyIssuer),
  ({ aud, azp }, { clientId }) => {
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
    if (!audiences.includes(clientId)) return `aud: expected "${clientId}", got ${shown(aud)}`
    // "additional audiences not trusted by the Client": trusted where azp says the token was made for us.
    return audiences.every((audience) => audience === clientId) || azp === clientId
      ? undefined
      : `aud: expected only "${clientId}" where azp does not name it, got ${shown(aud)}`
  },
  ({ azp }, { clientId }) =>
    azp === undefined || azp === clientId
      ? undefined
      : `azp: expected "${clientId}", got ${shown(azp)}`,
  ...(['exp', 'iat', 'nbf', 'auth_time'] as const).map((name): Check => (claims) => {
    const value = claims[name]
    if (value === undefined && (name === 'nbf' || name === 'auth_time')) return undefined
    return isTime(value) ? undefined : `${name}: expected epoch seconds, got ${shown(value)}`
  }),
  ({ exp }, expected) => {
    const late = secondsOf(expected) - (exp as number)
    return late < expected.clockToleranceSeconds
      ? undefined
      : `exp: clock: ${offset(late, 'past', expected)}`
  },
  ({ iat }, expected) => {
    const ahead = (iat as number) - secondsOf(expected)
    if (ahead > expected.clockToleranceSeconds)
      return `iat: clock: ${offset(ahead, 'ahead of ours', expected)}`
    const { maxTokenAge = MAX_AGE_SECONDS } = expected
    return -ahead <= maxTokenAge + expected.clockToleranceSeconds
      ? undefined
      : `iat: clock: ${offset(-ahead, 'behind ours', expected)}`
  },
  ({ nbf }, expected) => {
    const ahead = ((nbf as number | undefined) ?? 0) - secondsOf(expected)
    return ahead <= expected.clockToleranceSeconds
      ? undefined
      : `nbf: clock: ${offset(ahead, 'ahead of ours', expected)}`
  },
  ({ nonce }, expected) => {
    if (expected.nonce === undefined) return undefined
    if (nonce === undefined) return 'nonce: missing'
    return nonce === expected.nonce ? undefined : 'nonce: not the one of this login'
  },
  ({ auth_time: authTime }, expected) => {
    const ahead = ((authTime as number | undefined) ?? 0) - secondsOf(expected)
    return ahead <= expected.clockToleranceSeconds
      ? undefined
      : `auth_time: clock: ${offset(ahead, 'ahead of ours', expected)}`
  },
  // §2, "MUST NOT exceed 255 ASCII characters": https://openid.net/specs/openid-connect-core-1_0.html#IDToken
  ({ sub }) => (isSubject(sub) ? undefined : 'sub: expected 1 to 255 printable ASCII characters'),
  // §3.1.3.8: https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation
  ({ at_hash: hash }, { accessToken }, { alg }) => hashFault('at_hash', hash, accessToken, alg),
  ({ c_hash: hash }, { code }, { alg }) => hashFault('c_hash', hash, code, alg),
]

/** The token holds; what it says of the sign-in is not what was asked for. */
function ageFault({ auth_time: authTime }: Claims, expected: IdTokenExpectation) {
  if (expected.maxAge === undefined) return undefined
  if (authTime === undefined) return 'auth_time: missing, though max_age was sent'
  const age = secondsOf(expected) - (authTime as number)
  return age <= expected.maxAge + expected.clockToleranceSeconds
    ? undefined
    : `auth_time: expected at most ${expected.maxAge} s ago, got ${Math.round(age)} s`
}

export function isSubject(sub: unknown): sub is string {
  return typeof sub === 'string' && /^[\x20-\x7e]{1,255}$/.test(sub)
}

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_CLOCK_VALUE
}

function secondsOf({ now }: IdTokenExpectation): number {
  return now / 1000
}

/** A clock that is off and a token that is old look the same: the operator gets the number. */
function offset(
  seconds: number,
  where: string,
  { clockToleranceSeconds }: IdTokenExpectation,
): string {
  return `${Math.round(seconds)} s ${where} (clock_tolerance ${clockToleranceSeconds} s)`
}

function hashFault(
  name: string,
  hash: unknown,
  value: string | undefined,
  alg: string,
): string | undefined {
  if (hash === undefined || value === undefined) return undefined
  const digest = createHash(alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(2)}`)
    .update(value)
    .digest()
  const expected = digest.subarray(0, digest.length / 2).toString('base64url')
  return hash === expected ? undefined : `${name}: does not fit what came with it`
}
