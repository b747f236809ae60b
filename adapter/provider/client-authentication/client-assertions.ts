// What a client assertion (private_key_jwt) has to say beside what oidc-provider asks: for us alone, for this purpose, and
// not for long. Signature, iss, sub, exp, nbf and a single use are oidc-provider's.
import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { CLIENT_AUTH_METHODS } from '../../config/client-schema/is-confidential.ts'

/** Libraries make them for an hour at most; a longer one is a password. */
const LONGEST_SECONDS = 3600
/** FAPI 2.0, section 5.3.2.1: https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.1 */
const CLOCKS_DIFFER_SECONDS = 60
const LONGEST_JTI = 512

/** https://datatracker.ietf.org/doc/html/draft-ietf-oauth-rfc7523bis#section-4 asks for its own type; many say JWT, or nothing. */
const TYPES = ['jwt', 'client-authentication+jwt']

export interface AssertionClaims {
  aud?: unknown
  iat?: unknown
  exp?: unknown
  jti?: unknown
}

export interface AssertionRules {
  /** Names by which we may be addressed. */
  audiences: ReadonlySet<string>
  issuer: string
  isFapi: boolean
  /** Epoch milliseconds. */
  now: number
}

/** What is wrong with it, for the log; undefined when nothing is. */
export function assertionFault(
  claims: AssertionClaims,
  header: { typ?: unknown; alg?: unknown },
  rules: AssertionRules,
): string | undefined {
  if (!isOfType(header.typ)) return 'this type of JWT is not for client authentication'
  // https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1
  if (rules.isFapi && header.alg === 'RS256') return 'expected PS256, ES256 or EdDSA'
  return audienceFault(claims.aud, rules) ?? timeFault(claims, rules.now) ?? jtiFault(claims.jti)
}

/** A request object or a DPoP proof, signed with the same key, is no proof of who calls (RFC 8725, section 3.11). */
function isOfType(typ: unknown): boolean {
  // https://www.rfc-editor.org/rfc/rfc8725#section-3.11
  if (typ === undefined) return true
  return typeof typ === 'string' && TYPES.includes(typ.toLowerCase().replace(/^application\//, ''))
}

/** One that also names another server could be played on from there (CVE-2025-27370). */
function audienceFault(aud: unknown, { audiences, issuer, isFapi }: AssertionRules) {
  // https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.1: "issuer identifier value … as a string"
  if (isFapi) return aud === issuer ? undefined : 'expected our issuer as the audience'
  const named = Array.isArray(aud) ? (aud as unknown[]) : [aud]
  const areOurs = named.length > 0 && named.every((one) => audiences.has(one as string))
  return areOurs ? undefined : 'expected no audience but us: our issuer, or the endpoint'
}

function timeFault({ iat, exp }: AssertionClaims, now: number): string | undefined {
  const seconds = now / 1000
  if (typeof exp !== 'number' || exp > seconds + LONGEST_SECONDS + CLOCKS_DIFFER_SECONDS)
    return `expected exp to be ${LONGEST_SECONDS} s away at most`
  if (iat === undefined) return undefined
  if (typeof iat !== 'number' || iat > seconds + CLOCKS_DIFFER_SECONDS)
    return 'expected iat not to lie ahead'
  return iat < seconds - LONGEST_SECONDS - CLOCKS_DIFFER_SECONDS ? 'made too long ago' : undefined
}

function jtiFault(jti: unknown): string | undefined {
  return typeof jti === 'string' && jti.length > 0 && jti.length <= LONGEST_JTI
    ? undefined
    : `expected a jti of ${LONGEST_JTI} characters at most`
}

interface Context {
  issuer: string
  isFapi(profile: '2.0'): string | undefined
  clientJwtAuthExpectedAudience(): Set<string>
}

/** oidc-provider's settings of client authentication. */
export function clientAuthentication(now: () => number): Configuration {
  return {
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims, header) => {
      const fault = assertionFault(claims, header, { ...rulesOf(ctx), now: now() })
      if (fault !== undefined) throw new errors.InvalidClientAuth(fault)
    },
  }
}

function rulesOf({ oidc }: KoaContextWithOIDC): Omit<AssertionRules, 'now'> {
  const context = oidc as unknown as Context
  return {
    issuer: context.issuer,
    audiences: context.clientJwtAuthExpectedAudience(),
    isFapi: context.isFapi('2.0') !== undefined,
  }
}
