// One plain OAuth 2.0 upstream, as the contract in upstream.ts has it: no ID token, no nonce; who the person is comes from an
// endpoint that is asked with the access token, which was got over a channel of our own, for a code bound by PKCE.
import { buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client'
import { UpstreamError } from '../errors.ts'
import type { OAuth2UpstreamConfig } from '../config/schema.ts'
import { codeFrom } from './authorization-response.ts'
import { fetchProfile } from './identity/oauth2-profile.ts'
import type { OidcUpstreamOptions } from './oidc-upstream.ts'
import {
  clientAuthFrom,
  configurationOf,
  refreshTokens,
  requestTokens,
  tokensFrom,
} from './token/token-request.ts'
import type { TokenAnswer, TokenClient, TokenMetadata } from './token/token-request.ts'
import type {
  RefreshExpectation,
  Upstream,
  UpstreamAuthorizationRequest,
  UpstreamExpectation,
  UpstreamIdentity,
  UpstreamTokens,
} from './upstream.ts'
import { withinDeadline } from './http/within-deadline.ts'

export type OAuth2UpstreamOptions = Omit<OidcUpstreamOptions, 'config' | 'log'> & {
  config: OAuth2UpstreamConfig
}

/** @throws ConfigError when `client_auth_method` needs a secret or a key and there is none */
export function createOAuth2Upstream(options: OAuth2UpstreamOptions): Upstream {
  const { name: upstream, config, http } = options
  const parts = partsOf(options)
  const { metadata, client } = parts
  return {
    name: upstream,
    issuer: config.issuer,
    authorizationUrl: async (request) =>
      buildAuthorizationUrl(
        configurationOf(metadata, client.clientId, client.clientAuth),
        await parametersOf(request, config),
      ),
    redeem: (parameters, expected) =>
      withinDeadline(upstream, http.timeoutMs, (signal) =>
        redeem(parts, parameters, expected, signal),
      ),
    refresh: (refreshToken, expected, keep) =>
      withinDeadline(upstream, http.timeoutMs, (signal) =>
        refresh(parts, { refreshToken, expected, keep, signal }),
      ),
    close: () => http.close(),
  }
}

interface Parts {
  config: OAuth2UpstreamConfig
  metadata: TokenMetadata
  client: TokenClient
  now: () => number
}

function partsOf({ name: upstream, config, http, now }: OAuth2UpstreamOptions): Parts {
  const { issuer, client_id: clientId, endpoints } = config
  const { authorization: authorization_endpoint, token: token_endpoint } = endpoints
  return {
    config,
    metadata: { issuer, authorization_endpoint, token_endpoint },
    client: { upstream, clientId, clientAuth: clientAuthFrom(upstream, config), http },
    now,
  }
}

async function redeem(
  parts: Parts,
  parameters: URLSearchParams,
  expected: UpstreamExpectation,
  signal: AbortSignal,
): Promise<UpstreamIdentity> {
  const { config, metadata, client } = parts
  const { upstream } = client
  const code = codeFrom(parameters, expected, {
    upstream,
    issuer: config.issuer,
    promisesIss: false,
  })
  if (expected.max_age !== undefined) throw noAuthTime(upstream)
  const tokens = await requestTokens(metadata, code, expected, { ...client, signal })
  return identityOf(parts, tokens, signal)
}

interface Refreshing {
  refreshToken: string
  expected: RefreshExpectation
  keep: (tokens: UpstreamTokens) => Promise<void>
  signal: AbortSignal
}

async function refresh(
  parts: Parts,
  { refreshToken, expected, keep, signal }: Refreshing,
): Promise<UpstreamIdentity | undefined> {
  const { metadata, client, now } = parts
  const tokens = await refreshTokens(metadata, refreshToken, { ...client, signal }, expected.scope)
  await keep(keptOf(tokens, now()))
  if (expected.scope !== undefined) return undefined
  const said = await identityOf(parts, tokens, signal)
  if (said.sub === expected.sub) return said
  const message = 'Userinfo after a refresh: another person'
  throw new UpstreamError('identity_invalid', client.upstream, message)
}

async function identityOf(
  { config, client, now }: Parts,
  tokens: TokenAnswer,
  signal: AbortSignal,
): Promise<UpstreamIdentity> {
  const { upstream, http } = client
  const request = { upstream, config, http, accessToken: tokens.access_token, signal }
  const { sub, claims } = await fetchProfile(request)
  const idTokenClaims: Record<string, unknown> = Object.create(null)
  idTokenClaims['sub'] = sub
  const kept = keptOf(tokens, now())
  return { upstream, iss: config.issuer, sub, idTokenClaims, userinfoClaims: claims, tokens: kept }
}

/** An ID token that came all the same was not asked for, and is not kept. */
function keptOf(tokens: TokenAnswer, now: number): UpstreamTokens {
  return tokensFrom({ ...tokens, id_token: undefined }, now)
}

/** When the person signed in there is not known: a limit on it can not be kept, so it is refused. */
function noAuthTime(upstream: string): UpstreamError {
  return new UpstreamError(
    'context_unmet',
    upstream,
    'max_age was asked for, and OAuth 2.0 does not say when a person signed in',
  )
}

async function parametersOf(
  request: UpstreamAuthorizationRequest,
  config: OAuth2UpstreamConfig,
): Promise<Record<string, string>> {
  const { client_id, scope, response_mode, authorization_params } = config
  return {
    // First, so that nothing of the sign-in can be overridden.
    ...authorization_params,
    ...request.params,
    client_id,
    redirect_uri: request.redirect_uri,
    response_type: 'code',
    ...(response_mode === 'query' ? {} : { response_mode }),
    ...(scope === undefined ? {} : { scope }),
    state: request.state,
    // RFC 7636 §4.2: https://www.rfc-editor.org/rfc/rfc7636.html#section-4.2
    code_challenge: await calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: 'S256',
    ...(request.prompt === undefined ? {} : { prompt: request.prompt }),
  }
}
