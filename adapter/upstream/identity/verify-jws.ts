// What every signed answer of an upstream has in common: an algorithm that is pinned, a key of its JWKS, a signature that
// verifies, claims that can do no harm. What the claims must say is the business of who asked for them.
import { compactVerify, decodeProtectedHeader } from 'jose'
import type { ProtectedHeaderParameters } from 'jose'
import type { UpstreamError } from '../../errors.ts'
import type { JwksCache, KeySet, KeyWanted } from '../metadata/jwks-cache.ts'
import { copyClaims } from './safe-claims.ts'
import type { Claims } from './safe-claims.ts'

export interface JwsExpectation {
  algorithms: readonly string[]
  /** Makes the error of what is wrong with it, said as `is …` or `kid: …`. */
  invalid(fault: string): UpstreamError
}

export interface VerifiedJws {
  alg: string
  claims: Claims
  /** Whose key it is that signed, where the JWKS says so. */
  keyIssuer: string | undefined
}

interface Header extends KeyWanted {
  alg: string
}

const MAX_LENGTH = 256 * 1024

/**
 * @throws what `invalid` makes; UpstreamError `unavailable` or `metadata_invalid` when the keys can not be had
 */
export async function verifyJws(
  token: string,
  jwks: JwksCache,
  expected: JwsExpectation,
): Promise<VerifiedJws> {
  if (token.length > MAX_LENGTH) throw expected.invalid(`is longer than ${MAX_LENGTH} characters`)
  const header = headerOf(token, expected)
  const { payload, keyIssuer } = await verifiedPayload(token, header, jwks, expected)
  return { alg: header.alg, claims: claimsOf(payload, expected), keyIssuer }
}

function headerOf(token: string, { algorithms, invalid }: JwsExpectation): Header {
  let header: ProtectedHeaderParameters
  try {
    header = decodeProtectedHeader(token)
  } catch {
    throw invalid('is not a signed JWT')
  }
  const { alg, kid, crit } = header
  // RFC 8725 §3.1: https://www.rfc-editor.org/rfc/rfc8725.html#section-3.1
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw invalid(`alg: expected ${algorithms.join(' or ')}, got ${shown(alg)}`)
  }
  // RFC 7515 §4.1.11: https://www.rfc-editor.org/rfc/rfc7515.html#section-4.1.11
  if (crit !== undefined) throw invalid('has critical header parameters (crit)')
  if (kid !== undefined && typeof kid !== 'string') throw invalid('kid is not a string')
  return { alg, kid }
}

/** Headers that offer a key of their own (jwk, jku, x5c, x5u) are not looked at: keys come from the JWKS only. */
async function verifiedPayload(
  token: string,
  header: Header,
  jwks: JwksCache,
  { invalid }: JwsExpectation,
): Promise<Verified> {
  const since = performance.now()
  let keySet: KeySet | undefined = await jwks.current()
  let verdict: Verdict = { fault: 'was not looked at' }
  // The upstream may have changed its keys since; some keep the kid when they do.
  for (let tries = 0; keySet && tries < 3; tries += 1) {
    verdict = await tryKeySet(token, header, keySet)
    if (verdict.payload) return verdict
    keySet = await jwks.newerThan(keySet, since)
  }
  throw invalid(verdict.fault)
}

interface Verified {
  payload: Uint8Array
  keyIssuer: string | undefined
}

type Verdict = (Verified & { fault?: never }) | { payload?: never; fault: string }

async function tryKeySet(token: string, header: Header, keySet: KeySet): Promise<Verdict> {
  const key = await keySet.find(header)
  if (!key)
    return {
      fault: `kid ${shown(header.kid)}: the upstream's JWKS has not exactly one ${header.alg} key for it`,
    }
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [header.alg] })
    return { payload, keyIssuer: keySet.issuerOf(header) }
  } catch {
    return { fault: `signature does not verify (alg ${header.alg}, kid ${shown(header.kid)})` }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function claimsOf(payload: Uint8Array, { invalid }: JwsExpectation): Claims {
  let claims: Claims | undefined
  try {
    claims = copyClaims(JSON.parse(decoder.decode(payload)))
  } catch {
    throw invalid('payload is not JSON')
  }
  if (!claims)
    throw invalid('payload is not an object, is nested too deeply or holds too many values')
  return claims
}

/** A received value as a message may show it: short, quoted, on one line. */
export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'none').slice(0, 200)
}
