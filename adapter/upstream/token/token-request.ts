// Redeems an authorization code with openid-client and sorts what can go wrong. The ID token is taken out of the answer
// before openid-client sees it: it is judged once, in verify-id-token.ts.
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  ClientError,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  PrivateKeyJwt,
  refreshTokenGrant,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import type { ClientAuth, CustomFetchOptions, TokenEndpointResponse } from 'openid-client'
import { ConfigError, UpstreamError } from '../../errors.ts'
import type { UpstreamErrorCode } from '../../errors.ts'
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { appleClientSecret } from './apple-client-secret.ts'
import { oauthErrorFrom } from '../authorization-response.ts'
import { assertionKeyFrom } from './client-key.ts'
import { isHttpLoopback } from '../metadata/discovery.ts'
import type { UpstreamMetadata } from '../metadata/discovery.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import { tokenResponseFrom } from './token-response.ts'
import type { UpstreamExpectation, UpstreamTokens } from '../upstream.ts'

export interface TokenAnswer {
  id_token: string | undefined
  access_token: string
  refresh_token: string | undefined
  /** Seconds, as the upstream said. */
  expires_in: number | undefined
  scope: string | undefined
}

/** What there is of an upstream without discovery, too. */
export type TokenMetadata = Pick<
  UpstreamMetadata,
  'issuer' | 'authorization_endpoint' | 'token_endpoint'
>

/** Who we are at the upstream's token endpoint, and how to get there. */
export interface TokenClient {
  upstream: string
  clientId: string
  clientAuth: ClientAuth
  http: OutgoingHttp
}

export interface TokenRequestOptions extends TokenClient {
  /** Ends the request. */
  signal: AbortSignal
}

/** @throws ConfigError when the method needs a secret or a key and there is none that can be used */
export function clientAuthFrom(upstream: string, config: AnyUpstreamConfig): ClientAuth {
  const { client_auth_method: method, client_secret: secret } = config
  if (method === 'none') return None()
  if (method === 'apple_jwt') return appleClientSecret(upstream, config)
  if (method === 'private_key_jwt') return PrivateKeyJwt(assertionKeyFrom(upstream, config))
  if (!secret) {
    const message = `is needed for ${method}; without a secret set client_auth_method: none`
    throw new ConfigError([{ path: `upstreams.${upstream}.client_secret`, message }])
  }
  return method === 'client_secret_post' ? ClientSecretPost(secret) : basicAuth(secret)
}

/**
 * `client_secret_basic`, with only those characters encoded that have to be: `my-client` stays itself, for the many servers that
 * forget to decode. openid-client's own writes `my%2Dclient`, which is right as well, and fails there.
 */
function basicAuth(secret: string): ClientAuth {
  // RFC 6749 §2.3.1: https://www.rfc-editor.org/rfc/rfc6749.html#section-2.3.1
  return (_server, client, _body, headers) => {
    const pair = [client.client_id, secret].map((text) => encoded(text)).join(':')
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
  }
}

function encoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

/** openid-client's view of the upstream. Cheap: one is made for each token request. */
export function configurationOf(
  metadata: TokenMetadata,
  clientId: string,
  clientAuth: ClientAuth,
): Configuration {
  const configuration = new Configuration({ ...metadata }, clientId, undefined, clientAuth)
  // discovery.ts and the configuration let http through for loopback only.
  const { issuer, authorization_endpoint, token_endpoint } = metadata
  const urls = [issuer, authorization_endpoint, token_endpoint]
  if (urls.some((url) => isHttpLoopback(new URL(url)))) allowInsecureRequests(configuration)
  return configuration
}

/** @throws UpstreamError `unavailable`, `code_rejected`, `client_rejected` */
export async function requestTokens(
  metadata: TokenMetadata,
  code: string,
  expected: UpstreamExpectation,
  options: TokenRequestOptions,
): Promise<TokenAnswer> {
  // What codeFrom let through, on the redirect URI of the authorization request: never a URL built from Host.
  const callback = new URL(expected.redirect_uri)
  callback.search = new URLSearchParams({
    code,
    state: expected.state,
    iss: metadata.issuer,
  }).toString()
  const checks = { expectedState: expected.state, pkceCodeVerifier: expected.codeVerifier }
  const grant = (configuration: Configuration) =>
    authorizationCodeGrant(configuration, callback, checks)
  return askForTokens(metadata, options, grant, CODE_OF_ERROR)
}

/** @throws UpstreamError `unavailable`, `refresh_rejected`, `client_rejected` */
export async function refreshTokens(
  metadata: TokenMetadata,
  refreshToken: string,
  options: TokenRequestOptions,
  scope?: string,
): Promise<TokenAnswer> {
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-6
  const parameters = scope === undefined ? undefined : { scope }
  const grant = (configuration: Configuration) =>
    refreshTokenGrant(configuration, refreshToken, parameters)
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2
  const codes = { ...CODE_OF_ERROR, invalid_grant: 'refresh_rejected' } as const
  return askForTokens(metadata, options, grant, codes)
}

async function askForTokens(
  metadata: TokenMetadata,
  { upstream, clientId, clientAuth, http, signal }: TokenRequestOptions,
  grant: (configuration: Configuration) => Promise<TokenEndpointResponse>,
  codes: CodeOfError,
): Promise<TokenAnswer> {
  const configuration = configurationOf(metadata, clientId, clientAuth)
  let idToken: unknown
  configuration.timeout = 0
  configuration[customFetch] = async (url: string, { headers, body }: CustomFetchOptions) => {
    const answer = await http.exchange(url, { method: 'POST', headers, body: String(body), signal })
    const parted = tokenResponseFrom(answer)
    idToken = parted.idToken
    return parted.response
  }
  try {
    const tokens = await grant(configuration)
    return {
      id_token: typeof idToken === 'string' ? idToken : undefined,
      access_token: tokens.access_token,
      refresh_token: tokens.refresh_token,
      expires_in: tokens.expires_in,
      scope: tokens.scope,
    }
  } catch (error) {
    throw tokenRequestError(error, upstream, codes)
  }
}

/** The second is GitHub's word. */
const CLIENT_ERRORS = ['invalid_client', 'incorrect_client_credentials']
/** What whoever reads the log has to look at. */
const CLIENT_HINT = ': it does not accept client_id, client_secret or client_auth_method'

type CodeOfError = Readonly<Record<string, UpstreamErrorCode>>

const CODE_OF_ERROR: CodeOfError = {
  invalid_grant: 'code_rejected',
  // GitHub's word for it.
  bad_verification_code: 'code_rejected',
  server_error: 'unavailable',
  temporarily_unavailable: 'unavailable',
}

/** The causes are left out: openid-client's hold the token response. */
function tokenRequestError(error: unknown, upstream: string, codes: CodeOfError): UpstreamError {
  if (error instanceof UpstreamError) return error
  if (error instanceof ClientError && error.cause instanceof UpstreamError) return error.cause
  if (error instanceof WWWAuthenticateChallengeError) {
    return new UpstreamError(
      'client_rejected',
      upstream,
      `Token endpoint refused us: ${error.status}${CLIENT_HINT}`,
    )
  }
  if (error instanceof ResponseBodyError) {
    const oauthError = oauthErrorFrom(error.error)
    const code = codes[oauthError] ?? 'client_rejected'
    return new UpstreamError(
      code,
      upstream,
      `Token endpoint answered ${error.status} ${oauthError}${CLIENT_ERRORS.includes(oauthError) ? CLIENT_HINT : ''}`,
      { oauthError },
    )
  }
  const reason = error instanceof ClientError ? (error.code ?? error.message) : 'unknown failure'
  return new UpstreamError(
    'unavailable',
    upstream,
    `Token endpoint gave no usable answer: ${reason}`,
  )
}

/** What is kept of the answer, its lifetime as a point in time. `now` is epoch milliseconds. */
export function tokensFrom(tokens: TokenAnswer, now: number): UpstreamTokens {
  const { id_token, access_token, refresh_token, expires_in: lifetimeSeconds, scope } = tokens
  return {
    ...(id_token ? { id_token } : {}),
    access_token,
    ...(refresh_token ? { refresh_token } : {}),
    ...(lifetimeSeconds === undefined
      ? {}
      : { expires_at: Math.floor(now / 1000 + lifetimeSeconds) }),
    ...(scope === undefined ? {} : { scope }),
  }
}
