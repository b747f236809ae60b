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
  requestTokens,
  tokensFrom,
} from './token/token-request.ts'
import type {
  Upstream,
  UpstreamAuthorizationRequest,
  UpstreamExpectation,
  UpstreamIdentity,
} from './upstream.ts'
import { withinDeadline } from './http/within-deadline.ts'

export type OAuth2UpstreamOptions = Omit<OidcUpstreamOptions, 'config' | 'log'> & {
  config: OAuth2UpstreamConfig
}

/** @throws ConfigError when `client_auth_method` needs a secret or a key and there is none */
export function createOAuth2Upstream(options: OAuth2UpstreamOptions): Upstream {
  const { name: upstream, config, http, now } = options
  const { issuer, client_id: clientId, endpoints } = config
  const client = { upstream, clientId, clientAuth: clientAuthFrom(upstream, config), http }
  const metadata = {
    issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
  }

  async function redeem(
    parameters: URLSearchParams,
    expected: UpstreamExpectation,
    signal: AbortSignal,
  ): Promise<UpstreamIdentity> {
    const code = codeFrom(parameters, expected, { upstream, issuer, promisesIss: false })
    if (expected.max_age !== undefined) throw noAuthTime(upstream)
    const tokens = await requestTokens(metadata, code, expected, { ...client, signal })
    const request = { upstream, config, http, accessToken: tokens.access_token, signal }
    const { sub, claims } = await fetchProfile(request)
    // An ID token that came all the same was not asked for, and is not kept.
    const kept = tokensFrom({ ...tokens, id_token: undefined }, now())
    const idTokenClaims: Record<string, unknown> = Object.create(null)
    idTokenClaims['sub'] = sub
    return { upstream, iss: issuer, sub, idTokenClaims, userinfoClaims: claims, tokens: kept }
  }

  return {
    name: upstream,
    issuer,
    authorizationUrl: async (request) =>
      buildAuthorizationUrl(
        configurationOf(metadata, clientId, client.clientAuth),
        await parametersOf(request, config),
      ),
    redeem: (parameters, expected) =>
      withinDeadline(upstream, http.timeoutMs, (signal) => redeem(parameters, expected, signal)),
    close: () => http.close(),
  }
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
