// Whether who presents an access token holds the key that it is bound to (RFC 9449, section 7), for what oidc-provider does
// not answer itself: userinfo and /verify. A proof is good once, on all instances together.
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWK, type JWTPayload } from 'jose'
import type { Provider } from 'oidc-provider'
import type { Log } from '../../../service/log.ts'
import { PROOF_ALGS, PROOF_WINDOW } from './dpop-settings.ts'

export interface PresentedProof {
  /** The header `DPoP`. */
  proof: string
  method: string
  /** Of the request, query and fragment apart. */
  url: string
  accessToken: string
  clientId: string
  /** The thumbprint in the token. */
  jkt: string
}

/** What is wrong with it, for whoever made it; undefined when nothing is. Rejects as the storage does. */
export type ProofCheck = (presented: PresentedProof) => Promise<string | undefined>

const MAX_LENGTH = 8192
const MAX_JTI = 512

interface ReplayDetection {
  unique(issuer: string, jti: string, exp: number): Promise<boolean>
}

export interface ProofCheckOptions {
  provider: Provider
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export function createProofCheck({ provider, log, now }: ProofCheckOptions): ProofCheck {
  const { ReplayDetection } = provider as unknown as { ReplayDetection: ReplayDetection }
  return async (presented) => {
    const seconds = Math.floor(now() / 1000)
    const proof = await readProof(presented.proof, now())
    if (!proof) return 'expected a DPoP proof, signed by the key in it'
    const problem = claimProblem(proof.claims, presented, seconds)
    if (problem !== undefined) return problem
    if (proof.jkt !== presented.jkt) return 'the proof is of another key than the token'
    const jti = String(proof.claims.jti)
    const isFirst = await ReplayDetection.unique(presented.clientId, jti, seconds + PROOF_WINDOW)
    if (isFirst) return undefined
    log.warn('dpop.replayed', { client_id: presented.clientId })
    return 'the proof was used before'
  }
}

/** https://www.rfc-editor.org/rfc/rfc9449#section-4.3 */
async function readProof(
  proof: string,
  now: number,
): Promise<{ claims: JWTPayload; jkt: string } | undefined> {
  if (proof.length > MAX_LENGTH) return undefined
  const demands = { algorithms: [...PROOF_ALGS], typ: 'dpop+jwt', currentDate: new Date(now) }
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, demands)
    const jkt = await calculateJwkThumbprint(protectedHeader.jwk as JWK)
    return { claims: payload, jkt }
  } catch {
    return undefined
  }
}

function claimProblem(
  { htm, htu, iat, jti, ath }: JWTPayload,
  { method, url, accessToken }: PresentedProof,
  now: number,
): string | undefined {
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI)
    return `expected jti, a text of ${MAX_JTI} characters at most`
  if (typeof iat !== 'number' || Math.abs(now - iat) > PROOF_WINDOW)
    return `expected iat within ${PROOF_WINDOW} s of our clock`
  if (htm !== method) return `expected htm to be ${method}`
  if (typeof htu !== 'string' || bareUrl(htu) !== bareUrl(url) || bareUrl(url) === undefined)
    return 'expected htu to be the URL of the request'
  return ath === hashOf(accessToken) ? undefined : 'expected ath to be the hash of the access token'
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')

function bareUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url) return undefined
  url.search = ''
  url.hash = ''
  return url.href
}
