// One OpenID Connect upstream, as the contract in upstream.ts has it: sends the browser there, and turns its answer into
// a verified identity. Keeps no login; what to expect of an answer is handed in.
import { buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client'
import { UpstreamError } from '../errors.ts'
import type { Log } from '../../service/log.ts'
import type { ClientConfig, UpstreamConfig } from '../config/schema.ts'
import { checkSameIssuer, codeFrom } from './authorization-response.ts'
import { createMetadataSource } from './metadata/discovery.ts'
import type { MetadataSource } from './metadata/discovery.ts'
import { createJwksCache } from './metadata/jwks-cache.ts'
import type { JwksCache } from './metadata/jwks-cache.ts'
import type { OutgoingHttp } from './http/outgoing-http.ts'
import type { Claims } from './identity/safe-claims.ts'
import {
  clientAuthFrom,
  configurationOf,
  refreshTokens,
  requestTokens,
  tokensFrom,
} from './token/token-request.ts'
import type { TokenClient } from './token/token-request.ts'
import type {
  RefreshExpectation,
  Upstream,
  UpstreamAuthorizationRequest,
  UpstreamExpectation,
  UpstreamIdentity,
  UpstreamTokens,
} from './upstream.ts'
import { createOidcLogout } from './logout/oidc-logout.ts'
import { createPresentedTokens, type PresentedParts } from './presented/presented-tokens.ts'
import { createUserinfo } from './identity/userinfo.ts'
import type { Userinfo } from './identity/userinfo.ts'
import { verifyIdToken } from './identity/verify-id-token.ts'
import type { IdTokenExpectation } from './identity/verify-id-token.ts'
import { withinDeadline } from './http/within-deadline.ts'

export interface OidcUpstreamOptions {
  name: string
  config: UpstreamConfig
  /** Absent: no app has claims of its own. */
  clients?: Readonly<Record<string, ClientConfig>> | undefined
  http: OutgoingHttp
  /** Epoch milliseconds. */
  now: () => number
  log: Log
}

/** @throws ConfigError when `client_auth_method` needs a secret and there is none */
export function createOidcUpstream(options: OidcUpstreamOptions): Upstream {
  const { name, config, http } = options
  const parts = partsOf(options)

  async function authorizationUrl(request: UpstreamAuthorizationRequest): Promise<URL> {
    const parameters = await parametersOf(request, config)
    const { clientId, clientAuth } = parts.client
    const configuration = configurationOf(await parts.metadata.current(), clientId, clientAuth)
    return buildAuthorizationUrl(configuration, parameters)
  }

  return {
    name,
    issuer: config.issuer,
    authorizationUrl,
    redeem: (parameters, expected) =>
      withinDeadline(name, http.timeoutMs, (signal) =>
        redeem({ parts, parameters, expected, signal }),
      ),
    refresh: (refreshToken, expected, keep) =>
      withinDeadline(name, http.timeoutMs, (signal) =>
        refresh({ parts, refreshToken, expected, keep, signal }),
      ),
    logout: createOidcLogout(parts),
    presented: createPresentedTokens(presentedParts(parts, options)),
    close: () => http.close(),
  }
}

interface Parts {
  metadata: MetadataSource
  jwks: JwksCache
  userinfo: Userinfo
  client: TokenClient
  /** What is true of every ID token of this upstream. */
  idToken: Pick<
    IdTokenExpectation,
    'upstream' | 'issuer' | 'tenants' | 'clientId' | 'algorithms' | 'clockToleranceSeconds'
  >
  now: () => number
}

function partsOf({ name: upstream, config, clients, http, now, log }: OidcUpstreamOptions): Parts {
  const { issuer, client_id: clientId, endpoints } = config
  const metadata = createMetadataSource({ upstream, issuer, endpoints, http, now, log })
  const jwksUri = async () => (await metadata.current()).jwks_uri
  const jwks = createJwksCache({ upstream, jwksUri, http, now, log })
  return {
    metadata,
    jwks,
    userinfo: createUserinfo({ upstream, config, clients, http, now, jwks, log }),
    client: { upstream, clientId, clientAuth: clientAuthFrom(upstream, config), http },
    idToken: {
      upstream,
      issuer,
      tenants: config.allowed_tenants,
      clientId,
      algorithms: config.id_token_algs,
      clockToleranceSeconds: config.clock_tolerance,
    },
    now,
  }
}

function presentedParts(parts: Parts, { name, config, http }: OidcUpstreamOptions): PresentedParts {
  const { userinfo, userinfo_required: isRequired } = config
  return {
    ...parts,
    identityFrom,
    needsUserinfo: isRequired ?? userinfo === 'always',
    userinfo: (accessToken, claims) =>
      withinDeadline(name, http.timeoutMs, async (signal) =>
        parts.userinfo(await parts.metadata.current(), accessToken, claims, signal),
      ),
  }
}

interface Redemption {
  parts: Parts
  parameters: URLSearchParams
  expected: UpstreamExpectation
  signal: AbortSignal
}

async function redeem({
  parts,
  parameters,
  expected,
  signal,
}: Redemption): Promise<UpstreamIdentity> {
  const { client, idToken, now } = parts
  const { upstream, issuer } = idToken
  const metadata = await parts.metadata.current()
  const promisesIss = metadata.authorization_response_iss_parameter_supported === true
  const code = codeFrom(parameters, expected, { upstream, issuer, promisesIss })
  const tokens = await requestTokens(metadata, code, expected, { ...client, signal })
  // OpenID Connect Core §3.1.3.3: https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse
  if (!tokens.id_token) {
    throw new UpstreamError('identity_invalid', upstream, 'Token response holds no id_token')
  }
  const claims = await verifyIdToken(tokens.id_token, parts.jwks, {
    ...idToken,
    nonce: expected.nonce,
    maxAge: expected.max_age,
    accessToken: tokens.access_token,
    code,
    now: now(),
  })
  const iss = claims.iss as string
  checkSameIssuer(parameters, { upstream, issuer: iss })
  const userinfoClaims = await parts.userinfo(metadata, tokens.access_token, claims, signal)
  const identity = identityFrom(claims, userinfoClaims)
  return { upstream, iss, ...identity, tokens: tokensFrom(tokens, now()) }
}

interface Refreshing {
  parts: Parts
  refreshToken: string
  expected: RefreshExpectation
  keep: (tokens: UpstreamTokens) => Promise<void>
  signal: AbortSignal
}

async function refresh({
  parts,
  refreshToken,
  expected,
  keep,
  signal,
}: Refreshing): Promise<UpstreamIdentity | undefined> {
  const { client, idToken, now } = parts
  const { upstream } = idToken
  const metadata = await parts.metadata.current()
  const tokens = await refreshTokens(metadata, refreshToken, { ...client, signal }, expected.scope)
  const kept = tokensFrom(tokens, now())
  await keep(kept)
  if (!tokens.id_token) return undefined
  const accessToken = tokens.access_token
  const claims = await verifyIdToken(tokens.id_token, parts.jwks, {
    ...idToken,
    accessToken,
    now: now(),
  })
  // OpenID Connect Core §12.2: https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
  for (const name of ['iss', 'sub'] as const) {
    if (claims[name] !== expected[name])
      throw new UpstreamError(
        'identity_invalid',
        upstream,
        `Refreshed ID token ${name}: not as before`,
      )
  }
  if (expected.scope !== undefined) return undefined
  const userinfoClaims = await parts.userinfo(metadata, accessToken, claims, signal)
  return { upstream, iss: expected.iss, ...identityFrom(claims, userinfoClaims), tokens: kept }
}

/** They are kept with the session; what is longer says nothing that anybody asked for. */
const MAX_ACR_LENGTH = 255

function identityFrom(
  claims: Claims,
  userinfoClaims: Claims | undefined,
): Omit<UpstreamIdentity, 'upstream' | 'iss' | 'tokens'> {
  const { auth_time: authTime, acr, amr } = claims
  return {
    sub: claims.sub as string,
    idTokenClaims: claims,
    ...(userinfoClaims ? { userinfoClaims } : {}),
    ...(typeof authTime === 'number' ? { auth_time: authTime } : {}),
    ...(typeof acr === 'string' && acr.length <= MAX_ACR_LENGTH ? { acr } : {}),
    ...(isStrings(amr) && amr.join().length <= MAX_ACR_LENGTH ? { amr } : {}),
  }
}

const HINTS = ['prompt', 'max_age'] as const

async function parametersOf(
  request: UpstreamAuthorizationRequest,
  config: Pick<UpstreamConfig, 'client_id' | 'scope' | 'response_mode' | 'authorization_params'>,
): Promise<Record<string, string>> {
  const { redirect_uri, state, nonce, codeVerifier } = request
  const { client_id, scope, response_mode, authorization_params } = config
  const hints = HINTS.filter((name) => request[name] !== undefined)
  return {
    // First, so that nothing of the sign-in can be overridden.
    ...authorization_params,
    ...request.params,
    client_id,
    redirect_uri,
    response_type: 'code',
    ...(response_mode === 'query' ? {} : { response_mode }),
    scope,
    state,
    nonce,
    // RFC 7636 §4.2: https://www.rfc-editor.org/rfc/rfc7636.html#section-4.2
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...Object.fromEntries(hints.map((name) => [name, String(request[name])])),
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
