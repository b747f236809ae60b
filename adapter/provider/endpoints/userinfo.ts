// The userinfo endpoint for our access tokens, JWT and opaque. oidc-provider keeps no record of a JWT, so its own endpoint
// refuses them; here what stands behind the token is asked for (endpoints/issued-tokens.ts).
import type { Request, Response } from 'express'
import type { Grant, Provider } from 'oidc-provider'
import { claimsForClient } from '../../claims/mapping/client-claims.ts'
import { claimsForScope } from '../../claims/scopes.ts'
import type { Log } from '../../../service/log.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import { PROOF_ALGS } from '../dpop/dpop-settings.ts'
import { createProofCheck, type ProofCheck } from '../dpop/proof-check.ts'
import type { IssuedToken, IssuedTokens } from './issued-tokens.ts'

export interface UserinfoOptions {
  provider: Provider
  tokens: IssuedTokens
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

interface Granted {
  grant: Grant
  identity: Identity
  issued: IssuedToken
}

// https://www.rfc-editor.org/rfc/rfc6750#section-2.1 and https://www.rfc-editor.org/rfc/rfc9449#section-7.1
const CREDENTIALS = /^(Bearer|DPoP) +([A-Za-z0-9_.-]+)$/i
/** 256 random bits, as oidc-provider writes them. */
const OPAQUE = /^[A-Za-z0-9_-]{43}$/

/** GET and POST /userinfo. 200 with claims, or 401 as RFC 6750, section 3.1 has it. */
export function createUserinfo(
  options: UserinfoOptions,
): (request: Request, response: Response) => Promise<void> {
  const checkProof = createProofCheck(options)
  return async (request, response) => {
    response.set('cache-control', 'no-store')
    // Programs ask here: an error is never a page.
    request.headers.accept = 'application/json'
    const [, scheme, token] = CREDENTIALS.exec(request.headers.authorization ?? '') ?? []
    if (scheme === undefined || token === undefined) return refuse(response)
    const granted = await find(options, token)
    const isProven = scheme.toLowerCase() === 'dpop'
    // Either way round: a bound token for a bearer would be of use to who stole it.
    if (!granted || (granted.issued.jkt !== undefined) !== isProven)
      return refuse(response, isProven || granted ? 'DPoP' : 'Bearer', 'invalid_token')
    const problem = await proofProblem(options, checkProof, { request, token, ...granted.issued })
    if (problem === undefined) response.json(claims(granted))
    else refuse(response, 'DPoP', 'invalid_dpop_proof', problem)
  }
}

async function proofProblem(
  { provider }: UserinfoOptions,
  checkProof: ProofCheck,
  { request, token, clientId, jkt }: IssuedToken & { request: Request; token: string },
): Promise<string | undefined> {
  if (jkt === undefined) return undefined
  const url = `${provider.issuer}/userinfo`
  const proof = String(request.headers['dpop'] ?? '')
  return checkProof({ proof, method: request.method, url, accessToken: token, clientId, jkt })
}

async function find(options: UserinfoOptions, token: string): Promise<Granted | undefined> {
  const issued = OPAQUE.test(token)
    ? await findOpaque(options, token)
    : await findJwt(options, token)
  // A token for another audience is not for us: https://www.rfc-editor.org/rfc/rfc8707#section-3
  const isForUserinfo =
    issued?.scope.split(' ').includes('openid') === true &&
    issued.audience.includes(issued.clientId)
  if (!isForUserinfo) return undefined
  const standing = await options.tokens.standingOf(issued)
  if (standing.state !== 'live' || !standing.grant || !standing.identity) return undefined
  const { grant, identity } = standing
  return { grant, identity, issued }
}

async function findJwt({ tokens }: UserinfoOptions, token: string) {
  const read = await tokens.read(token)
  return 'issued' in read ? read.issued : undefined
}

async function findOpaque({ provider, tokens }: UserinfoOptions, token: string) {
  const model = await provider.AccessToken.find(token)
  return model && tokens.fromModel(model)
}

function claims({ grant, identity, issued }: Granted): Record<string, unknown> {
  const ours = claimsForClient('userinfo', identity, grant.clientId)
  // The grant is the session's, and knows what any request in it asked for.
  const granted = new Set(grant.getOIDCClaims())
  const single = Object.fromEntries(
    issued.userinfoClaims
      .filter((name) => granted.has(name) && Object.hasOwn(ours, name))
      .map((name) => [name, ours[name]]),
  )
  return { ...claimsForScope(issued.scope, ours), ...single, sub: issued.sub }
}

const ALGS = `algs="${PROOF_ALGS.join(' ')}"`

function refuse(
  response: Response,
  scheme?: 'Bearer' | 'DPoP',
  error?: 'invalid_token' | 'invalid_dpop_proof',
  problem?: string,
): void {
  const told = ` error="${error ?? 'invalid_token'}"`
  const challenge = scheme === 'DPoP' ? `DPoP${told}, ${ALGS}` : `Bearer${told}`
  // No error code for a request without a token: https://www.rfc-editor.org/rfc/rfc6750#section-3.1
  response.set('www-authenticate', scheme ? challenge : `Bearer, DPoP ${ALGS}`)
  response.status(401).json({ error, error_description: problem })
}
