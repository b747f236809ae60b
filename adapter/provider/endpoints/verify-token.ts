// Tells whether a text is a JWT access token that we signed and that is valid now, or what exactly is wrong with it. Whether
// what it stands for still lives is not asked here (issued-tokens.ts).
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'
import { verificationKeys } from '../keys/live-keys.ts'
import { SIGNING_ALGS, type SigningKeys } from '../keys/signing-keys.ts'

export interface AccessTokenClaims extends JWTPayload {
  sub: string
  exp: number
  iat: number
  jti: string
  client_id: string
  scope?: string
  cnf?: { jkt?: string }
}

export type TokenFault =
  | { error: 'malformed' }
  | { error: 'signature' }
  | { error: 'issuer'; expected: string; found: string }
  /** Of ours, but no access token. */
  | { error: 'type' }
  /** ISO 8601, UTC. */
  | { error: 'expired'; since: string }
  | { error: 'not_yet_valid'; until: string }

export type Verified = { claims: AccessTokenClaims } | { fault: TokenFault }
export type VerifyToken = (token: string) => Promise<Verified>

export interface VerifyTokenOptions {
  issuer: string
  signingKeys: SigningKeys
  /** Whether an access token of this client or audience may have `typ: JWT`. */
  mayBeTypedJwt: (clientId: string, audience: readonly string[]) => boolean
  now: () => number
}

/** Between our instances. A token of a time further ahead was made before our clock was set back. */
const CLOCKS_DIFFER_SECONDS = 60
/** More than any token of ours; what is longer is not looked at. */
const MAX_LENGTH = 32_768
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
// RFC 9068, section 2.2: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
const REQUIRED = ['sub', 'exp', 'iat', 'jti', 'client_id']

export function createVerifyToken(options: VerifyTokenOptions): VerifyToken {
  const { issuer, signingKeys, now } = options
  const keys = verificationKeys(signingKeys)
  const algorithms = [...SIGNING_ALGS]
  return async (token) => {
    if (token.length > MAX_LENGTH || !COMPACT.test(token)) return { fault: { error: 'malformed' } }
    // RFC 9068, section 4: https://www.rfc-editor.org/rfc/rfc9068#section-4
    const demands = { issuer, algorithms, currentDate: new Date(now()), requiredClaims: REQUIRED }
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, demands)
      if ((payload.iat as number) > now() / 1000 + CLOCKS_DIFFER_SECONDS)
        return { fault: { error: 'not_yet_valid', until: isoTime(payload.iat) } }
      return hasTexts(payload) && isTyped(options, protectedHeader.typ, payload)
        ? { claims: payload }
        : { fault: { error: 'type' } }
    } catch (error) {
      return { fault: faultFrom(error, issuer, token) }
    }
  }
}

function hasTexts(payload: JWTPayload): payload is AccessTokenClaims {
  const { sub, jti, client_id, scope = '' } = payload
  return [sub, jti, client_id, scope].every((claim) => typeof claim === 'string')
}

function isTyped(
  { mayBeTypedJwt }: VerifyTokenOptions,
  typ: string | undefined,
  { client_id: clientId, aud = [] }: AccessTokenClaims,
): boolean {
  return typ === 'at+jwt' || (typ === 'JWT' && mayBeTypedJwt(clientId, [aud].flat()))
}

function faultFrom(error: unknown, issuer: string, token: string): TokenFault {
  if (error instanceof errors.JWTExpired)
    return { error: 'expired', since: isoTime(error.payload.exp) }
  if (error instanceof errors.JWTClaimValidationFailed) return claimFault(error, issuer)
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JOSEAlgNotAllowed
  )
    return { error: 'signature' }
  return { error: isReadable(token) ? 'signature' : 'malformed' }
}

function claimFault(
  { claim, reason, payload }: errors.JWTClaimValidationFailed,
  issuer: string,
): TokenFault {
  if (claim === 'iss') return { error: 'issuer', expected: issuer, found: String(payload.iss) }
  const isEarly = claim === 'nbf' && reason === 'check_failed'
  return isEarly ? { error: 'not_yet_valid', until: isoTime(payload.nbf) } : { error: 'type' }
}

const isoTime = (seconds = 0) => new Date(seconds * 1000).toISOString()

/** What no algorithm of ours fits is not ours, however well it is written. */
function isReadable(token: string): boolean {
  try {
    decodeJwt(token)
    return true
  } catch {
    return false
  }
}
