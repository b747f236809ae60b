// Whether a JWT of the adapter is good here: signature, algorithm, type, issuer, audience, times. One log line each time.
import { errors, jwtVerify } from 'jose'
import type { JWTVerifyOptions } from 'jose'
import type { Log } from '../../../service/log.ts'
import { shortHash } from '../../audit/hashes.ts'
import { SignInError } from '../../relying-party/sign-in-error.ts'
import type { Claims } from '../../session/session-data.ts'
import { SIGNING_ALGORITHMS } from './adapter-keys.ts'
import type { AdapterKeys } from './adapter-keys.ts'
import { createVerifiedTokens, verifiedName } from './verified-tokens.ts'

const SHOWN_CLAIMS = ['iss', 'sub', 'aud', 'client_id', 'scope', 'iat', 'exp']
/** A JWT is the longest that a cookie or a header of this app holds. */
const LONGEST_TOKEN = 8192
const CLOCK_SKEW_MS = 60_000

export type TokenVerdict =
  | { readonly valid: true; readonly claims: Claims }
  /** Where it is `expired`, all else was found good, and the claims are known. */
  | { readonly valid: false; readonly reason: TokenFault; readonly claims?: Claims }

export type TokenFault =
  | 'malformed'
  | 'algorithm'
  | 'signature'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'claims'

export interface TokenUse {
  /** Where the token was found, for the log: `session`, `cookie`, `bearer`, `refresh`. */
  readonly via: string
  readonly audience: string
  /** Default: `at+jwt` (RFC 9068). A token that came from the adapter itself may be of any type. */
  readonly isOfAnyType?: boolean
}

/** Rejects with SignInError `adapter_unavailable` where the keys can not be had. */
export type VerifyToken = (token: string, use: TokenUse) => Promise<TokenVerdict>

export interface VerifyTokenOptions {
  readonly issuer: string
  readonly findKey: AdapterKeys
  readonly log: Log
  readonly now: () => number
}

export function createVerifyToken(options: VerifyTokenOptions): VerifyToken {
  const { log } = options
  const judge = createJudge(options)
  return async (token, use) => {
    const startedAt = performance.now()
    const verdict = await judge(token, use)
    log.info('token.verified', {
      token_hash: shortHash(token),
      via: use.via,
      valid: verdict.valid,
      ...(verdict.valid ? {} : { reason: verdict.reason }),
      claims: shownClaims(verdict.claims),
      ms: Math.round((performance.now() - startedAt) * 100) / 100,
    })
    return verdict
  }
}

/** Looks at the times in each request, and at all else once for each token and each reading of the keys. */
function createJudge(options: VerifyTokenOptions) {
  const { findKey, now } = options
  const verified = createVerifiedTokens()
  return async (token: string, use: TokenUse): Promise<TokenVerdict> => {
    if (token.length > LONGEST_TOKEN) return { valid: false, reason: 'malformed' }
    const [keys, name] = [findKey.inForce(), verifiedName(token, use)]
    const before = keys && verified.find(keys, name)
    if (before) return inTime(before, now())
    const verdict = await judge(options, token, use)
    // Keys that were read meanwhile may not have the one that signed it.
    if (verdict.valid && keys && keys === findKey.inForce())
      verified.keep(keys, name, verdict.claims)
    return verdict
  }
}

// https://www.rfc-editor.org/rfc/rfc7519.html#section-4.1.4
function inTime(claims: Claims, nowMs: number): TokenVerdict {
  const seconds = Math.floor(nowMs / 1000)
  if (Number(claims['exp']) <= seconds) return { valid: false, reason: 'expired', claims }
  if (Number(claims['nbf'] ?? 0) > seconds) return { valid: false, reason: 'not_yet_valid' }
  return timely(claims, nowMs)
}

function timely(claims: Claims, nowMs: number): TokenVerdict {
  return Number(claims['iat']) * 1000 > nowMs + CLOCK_SKEW_MS
    ? { valid: false, reason: 'not_yet_valid' }
    : { valid: true, claims }
}

async function judge(
  { issuer, findKey, now }: VerifyTokenOptions,
  token: string,
  { audience, isOfAnyType = false }: TokenUse,
): Promise<TokenVerdict> {
  const expected: JWTVerifyOptions = {
    issuer,
    audience,
    algorithms: SIGNING_ALGORITHMS,
    requiredClaims: ['sub', 'iat', 'exp'],
    currentDate: new Date(now()),
    // https://www.rfc-editor.org/rfc/rfc9068.html#section-4
    ...(isOfAnyType ? {} : { typ: 'at+jwt' }),
  }
  try {
    const { payload } = await jwtVerify(token, findKey, expected)
    // What is bound to a key proves nothing without that key: https://www.rfc-editor.org/rfc/rfc7800.html#section-3
    if (payload['cnf'] !== undefined) return { valid: false, reason: 'claims' }
    return timely(payload, now())
  } catch (error) {
    return faultOf(error)
  }
}

const REASONS: Readonly<Record<string, TokenFault>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'signature',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'signature',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWT_EXPIRED: 'expired',
}

const CLAIM_REASONS: Readonly<Record<string, TokenFault>> = {
  typ: 'type',
  iss: 'issuer',
  aud: 'audience',
  nbf: 'not_yet_valid',
}

/** What is wrong with a token that jose refused. @throws {SignInError} as it came */
export function faultOf(error: unknown): TokenVerdict & { valid: false } {
  if (error instanceof SignInError) throw error
  if (error instanceof errors.JWTExpired)
    return { valid: false, reason: 'expired', claims: error.payload }
  if (error instanceof errors.JWTClaimValidationFailed)
    return { valid: false, reason: CLAIM_REASONS[error.claim] ?? 'claims' }
  const code = error instanceof errors.JOSEError ? error.code : ''
  return { valid: false, reason: REASONS[code] ?? 'malformed' }
}

function shownClaims(claims: Claims | undefined): Claims | undefined {
  return claims && Object.fromEntries(SHOWN_CLAIMS.map((name) => [name, claims[name]]))
}
