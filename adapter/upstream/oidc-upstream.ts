// One OpenID Connect upstream, as the contract in upstream.ts has it: sends the browser there, and turns its answer into
// a verified identity. Keeps no login; what to expect of an answer is handed in.
import { buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client'
import { UpstreamError } from '../errors.ts'
import type { Log } from '../../service/log.ts'
import type { UpstreamConfig } from '../config/schema.ts'
import { codeFrom } from './authorization-response.ts'
import { createMetadataSource } from './discovery.ts'
import type { UpstreamMetadata } from './discovery.ts'
import { createJwksCache } from './jwks-cache.ts'
import { startDeadline } from './outgoing-http.ts'
import type { OutgoingHttp } from './outgoing-http.ts'
import type { Claims } from './safe-claims.ts'
import { clientAuthFrom, configurationOf, requestTokens } from './token-request.ts'
import type { TokenAnswer } from './token-request.ts'
import type { Upstream, UpstreamAuthorizationRequest, UpstreamExpectation, UpstreamIdentity, UpstreamTokens } from './upstream.ts'
import { createUserinfo } from './userinfo.ts'
import { verifyIdToken } from './verify-id-token.ts'

export interface OidcUpstreamOptions {
  name: string
  config: UpstreamConfig
  http: OutgoingHttp
  /** Epoch milliseconds. */
  now: () => number
  log: Log
}

/** @throws ConfigError when `client_auth_method` needs a secret and there is none */
export function createOidcUpstream({ name, config, http, now, log }: OidcUpstreamOptions): Upstream {
  const { issuer, client_id: clientId } = config
  const clientAuth = clientAuthFrom(name, config)
  const metadata = createMetadataSource({ upstream: name, issuer, http, now, log })
  const jwksUri = async () => (await metadata.current()).jwks_uri
  const jwks = createJwksCache({ upstream: name, jwksUri, http, now, log })
  const userinfo = createUserinfo({ upstream: name, config, http, log })

  async function authorizationUrl(request: UpstreamAuthorizationRequest): Promise<URL> {
    const known = await metadata.current()
    return buildAuthorizationUrl(configurationOf(known, clientId, clientAuth), await parametersOf(request, config.scope))
  }

  async function redeemWithin(signal: AbortSignal, parameters: URLSearchParams, expected: UpstreamExpectation) {
    const known = await metadata.current()
    const promisesIss = known.authorization_response_iss_parameter_supported === true
    const code = codeFrom(parameters, expected, { upstream: name, issuer, promisesIss })
    const response = { code, state: expected.state, iss: issuer }
    const tokens = await requestTokens(known, response, expected, signal, { upstream: name, clientId, clientAuth, http })
    const idTokenClaims = await verified(tokens, code, expected)
    const userinfoClaims = await userinfo(known, tokens.access_token, idTokenClaims, signal)
    return identityFrom(tokens, idTokenClaims, userinfoClaims)
  }

  function verified(tokens: TokenAnswer, code: string, expected: UpstreamExpectation): Promise<Claims> {
    // OpenID Connect Core §3.1.3.3: https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
    if (!tokens.id_token) throw new UpstreamError('identity_invalid', name, 'Token response holds no id_token')
    return verifyIdToken(tokens.id_token, jwks, {
      upstream: name,
      issuer,
      clientId,
      algorithms: config.id_token_algs,
      nonce: expected.nonce,
      maxAge: expected.max_age,
      accessToken: tokens.access_token,
      code,
      clockToleranceSeconds: config.clock_tolerance,
      now: now(),
    })
  }

  function identityFrom(tokens: TokenAnswer, claims: Claims, userinfoClaims: Claims | undefined): UpstreamIdentity {
    const { auth_time: authTime, acr, amr } = claims
    return {
      upstream: name,
      iss: issuer,
      sub: claims.sub as string,
      idTokenClaims: claims,
      ...(userinfoClaims ? { userinfoClaims } : {}),
      ...(typeof authTime === 'number' ? { auth_time: authTime } : {}),
      ...(typeof acr === 'string' ? { acr } : {}),
      ...(isStrings(amr) ? { amr } : {}),
      tokens: tokensFrom(tokens, now()),
    }
  }

  return {
    name,
    issuer,
    authorizationUrl,
    redeem: (parameters, expected) =>
      withinDeadline(name, http.timeoutMs, (signal) => redeemWithin(signal, parameters, expected)),
    close: () => http.close(),
  }
}

async function parametersOf(request: UpstreamAuthorizationRequest, scope: string): Promise<Record<string, string>> {
  const { redirect_uri, state, nonce, codeVerifier, ...hints } = request
  const optional = Object.entries(hints).filter(([, value]) => value !== undefined)
  return {
    redirect_uri,
    response_type: 'code',
    scope,
    state,
    nonce,
    // RFC 7636 §4.2: https://www.rfc-editor.org/rfc/rfc7636.html#section-4.2
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...Object.fromEntries(optional.map(([parameter, value]) => [parameter, String(value)])),
  }
}

/** Metadata, tokens, keys and userinfo together may take this long; fetches shared with other logins go on without us. */
async function withinDeadline<T>(upstream: string, timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, clear } = startDeadline(timeoutMs)
  const { promise: late, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () =>
    reject(new UpstreamError('unavailable', upstream, `No complete sign-in within ${timeoutMs} ms`)),
  )
  try {
    return await Promise.race([work(signal), late])
  } finally {
    clear()
  }
}

function tokensFrom(tokens: TokenAnswer, now: number): UpstreamTokens {
  const { id_token, access_token, refresh_token, expires_in: lifetimeSeconds } = tokens
  return {
    ...(id_token ? { id_token } : {}),
    access_token,
    ...(refresh_token ? { refresh_token } : {}),
    ...(lifetimeSeconds === undefined ? {} : { expires_at: Math.floor(now / 1000 + lifetimeSeconds) }),
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
