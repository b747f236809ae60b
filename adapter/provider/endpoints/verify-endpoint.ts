// POST /verify: tells a service in one call whether a JWT access token is good for it now, or what exactly is wrong. It needs
// no credentials, because whoever holds the token can read all that is told; the service has to say which audience it is, so
// that it can not take a token that was meant for another.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ProofCheck } from '../dpop/proof-check.ts'
import type { IssuedTokens, ReadToken } from './issued-tokens.ts'
import { readJson } from './read-json.ts'
import type { AccessTokenClaims, TokenFault } from './verify-token.ts'

export const VERIFY_ROUTE = '/verify'

/** Bytes; a token of ours has a few thousand. */
const BODY_LIMIT = 48 * 1024

export type Verdict =
  | { valid: true; claims: AccessTokenClaims }
  | ({ valid: false } & (
      | TokenFault
      | { error: 'audience'; expected: string; found: string[] }
      | { error: 'dpop'; problem: string }
      | { error: 'revoked' }
      | { error: 'session_ended' }
    ))

type Next = () => Promise<unknown>

/** 200 with a `Verdict`, 400 for a request that can not be understood. */
export function answerVerify(tokens: IssuedTokens, checkProof: ProofCheck) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    if (ctx.path !== VERIFY_ROUTE || ctx.method !== 'POST') return void (await next())
    ctx.set('cache-control', 'no-store')
    const read = await readJson(ctx.req, BODY_LIMIT)
    if ('problem' in read) return refuse(ctx, read.problem)
    const { token, audience, dpop } = read.body
    if (!isText(token)) return refuse(ctx, 'expected token, a text')
    if (!isText(audience))
      return refuse(ctx, 'expected audience, a text: which the service is that asks')
    if (dpop !== undefined && !isPresented(dpop))
      return refuse(ctx, 'expected dpop, the texts proof, method and url of the request')
    ctx.status = 200
    const verdict = await judge(tokens, token, audience)
    ctx.body = verdict.valid ? await judgeHolder(checkProof, token, verdict, dpop) : verdict
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

interface Presented {
  proof: string
  method: string
  url: string
}

function isPresented(dpop: unknown): dpop is Presented {
  const { proof, method, url } = (dpop ?? {}) as Record<string, unknown>
  return [proof, method, url].every(isText)
}

/** A token that is bound is no bearer token: https://www.rfc-editor.org/rfc/rfc9449#section-7.1 */
async function judgeHolder(
  checkProof: ProofCheck,
  accessToken: string,
  verdict: Extract<Verdict, { valid: true }>,
  dpop: Presented | undefined,
): Promise<Verdict> {
  const { client_id: clientId, cnf } = verdict.claims
  const fail = (problem: string): Verdict => ({ valid: false, error: 'dpop', problem })
  if (cnf?.jkt === undefined)
    return dpop ? fail('the token is bound to no key, and is a bearer token') : verdict
  if (!dpop) return fail('the token is bound to a key: expected dpop, with the proof of its holder')
  const problem = await checkProof({ ...dpop, accessToken, clientId, jkt: cnf.jkt })
  return problem === undefined ? verdict : fail(problem)
}

async function judge(tokens: IssuedTokens, token: string, expected: string): Promise<Verdict> {
  const read: ReadToken = await tokens.read(token)
  if ('fault' in read) return { valid: false, ...read.fault }
  const { issued, claims } = read
  if (!issued.audience.includes(expected))
    return { valid: false, error: 'audience', expected, found: issued.audience }
  const { state } = await tokens.standingOf(issued)
  return state === 'live' ? { valid: true, claims } : { valid: false, error: state }
}

function refuse(ctx: KoaContextWithOIDC, problem: string): void {
  ctx.status = 400
  ctx.body = { error: 'invalid_request', error_description: problem }
}
