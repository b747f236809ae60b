// This app as an OpenID Connect client of the adapter: the only place that knows openid-client.
import * as client from 'openid-client'
import { isLoopback } from '../environment.ts'
import type { SignIn } from '../session/session-data.ts'
import type { PendingLogin } from './pending-login.ts'
import { SignInError } from './sign-in-error.ts'

const TIMEOUT_SECONDS = 5
const RETRY_AFTER_MS = 200
/** A sign-in that starts asks again after this, so that a dead adapter is a page here and not a browser error. */
const METADATA_FRESH_MS = 5000
/** Public-key signatures only, whatever the metadata offers: with `none` or HMAC listed, a forger needs no key. */
const SIGNING_ALGORITHMS = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/

export interface RelyingPartyOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
  readonly now: () => number
}

export interface RelyingParty {
  /** Where to send the browser. @throws {SignInError} adapter_unavailable or answer_invalid */
  authorizationUrl(login: PendingLogin): Promise<URL>
  /** Checks the answer in `query` (`?code=…`), redeems the code and verifies the ID token. @throws {SignInError} */
  redeem(query: string, login: PendingLogin): Promise<SignIn>
  /** Where to end the session at the adapter; undefined if it has no such endpoint. @throws {SignInError} */
  endSessionUrl(idToken: string, state: string): Promise<URL | undefined>
  /** The address asked for metadata, for messages. */
  readonly discoveryUrl: string
}

export function createRelyingParty(options: RelyingPartyOptions): RelyingParty {
  const metadata = keepMetadata(options)
  const configure = keepKeys(options)
  return {
    discoveryUrl: discoveryUrlOf(options.issuer),
    async authorizationUrl(login) {
      const { config } = configure(await metadata.fresh())
      return client.buildAuthorizationUrl(config, {
        redirect_uri: options.redirectUri,
        scope: options.scope,
        state: login.state,
        nonce: login.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(login.codeVerifier),
        code_challenge_method: 'S256',
      })
    },
    async redeem(query, login) {
      const { config, rememberKeys } = configure(await metadata.known())
      try {
        const tokens = await client.authorizationCodeGrant(config, new URL(options.redirectUri + query), {
          expectedState: login.state,
          expectedNonce: login.nonce,
          pkceCodeVerifier: login.codeVerifier,
          idTokenExpected: true,
        })
        return signInFrom(tokens, options.now())
      } catch (error) {
        throw signInError(error)
      } finally {
        rememberKeys()
      }
    },
    async endSessionUrl(idToken, state) {
      const { config } = configure(await metadata.fresh())
      if (!config.serverMetadata().end_session_endpoint) return undefined
      // All three: without a hint or client_id the redirect is dropped.
      // https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
      return client.buildEndSessionUrl(config, {
        id_token_hint: idToken,
        client_id: options.clientId,
        post_logout_redirect_uri: options.postLogoutRedirectUri,
        state,
      })
    },
  }
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

function signInFrom(tokens: Tokens, now: number): SignIn {
  const claims = tokens.claims()
  if (!claims || !tokens.id_token) throw new SignInError('answer_invalid', 'No ID token in the answer')
  const lifetimeSeconds = tokens.expiresIn()
  return {
    subject: claims.sub,
    idToken: tokens.id_token,
    idTokenClaims: claims,
    accessToken: tokens.access_token,
    accessTokenExpiresAt: lifetimeSeconds === undefined ? undefined : now + lifetimeSeconds * 1000,
    scope: tokens.scope ?? '',
    signedInAt: now,
  }
}

function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

interface Metadata {
  /** Asked for lately. */
  fresh(): Promise<client.ServerMetadata>
  /** Of any age, so that a sign-in on its way needs no second look. */
  known(): Promise<client.ServerMetadata>
}

function keepMetadata(options: RelyingPartyOptions): Metadata {
  let current: { metadata: client.ServerMetadata; readAt: number } | undefined
  let running: Promise<client.ServerMetadata> | undefined
  const read = async (): Promise<client.ServerMetadata> => {
    const metadata = await discoverTwice(options)
    current = { metadata, readAt: options.now() }
    return metadata
  }
  const refresh = (): Promise<client.ServerMetadata> => {
    running ??= read().finally(() => (running = undefined))
    return running
  }
  return {
    async fresh() {
      const age = options.now() - (current?.readAt ?? -Infinity)
      return current && age >= 0 && age < METADATA_FRESH_MS ? current.metadata : refresh()
    },
    known: async () => current?.metadata ?? refresh(),
  }
}

async function discoverTwice(options: RelyingPartyOptions): Promise<client.ServerMetadata> {
  try {
    return await discover(options)
  } catch (error) {
    if (!isConnectionError(error)) throw signInError(error)
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS))
  return discover(options).catch((error: unknown) => {
    throw signInError(error)
  })
}

async function discover({ issuer, clientId }: RelyingPartyOptions): Promise<client.ServerMetadata> {
  const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    timeout: TIMEOUT_SECONDS,
    execute: isPlainLoopback(issuer) ? [client.allowInsecureRequests] : [],
  })
  return strict(found.serverMetadata())
}

function isPlainLoopback(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'http:' && isLoopback(hostname)
}

type Configure = (metadata: client.ServerMetadata) => { config: client.Configuration; rememberKeys(): void }

/**
 * Makes a configuration for one use, with the keys of the uses before. openid-client asks again for an unknown `kid` only
 * when its copy of the keys is 60 s old: a key rotated right after a sign-in would fail the next ones. Dating the copy
 * back makes it ask at once; it still forgets the copy after some minutes.
 */
function keepKeys({ issuer, clientId, clientSecret }: RelyingPartyOptions): Configure {
  let keys: client.ExportedJWKSCache | undefined
  return (metadata) => {
    const authentication = client.ClientSecretBasic(clientSecret)
    const config = new client.Configuration({ ...metadata }, clientId, undefined, authentication)
    config.timeout = TIMEOUT_SECONDS
    if (isPlainLoopback(issuer)) client.allowInsecureRequests(config)
    client.enableNonRepudiationChecks(config)
    if (keys) client.setJwksCache(config, keys)
    return {
      config,
      rememberKeys() {
        const used = client.getJwksCache(config)
        if (used) keys = { ...used, uat: Math.min(used.uat, Math.floor(Date.now() / 1000) - 61) }
      },
    }
  }
}

/** The metadata with what this app insists on. */
function strict(metadata: client.ServerMetadata): client.ServerMetadata {
  const offered = metadata.id_token_signing_alg_values_supported ?? ['RS256']
  return {
    ...metadata,
    id_token_signing_alg_values_supported: offered.filter((alg) => SIGNING_ALGORITHMS.test(alg)),
    // RFC 9207 §2.4: https://www.rfc-editor.org/rfc/rfc9207.html#section-2.4
    authorization_response_iss_parameter_supported: true,
  }
}

function isConnectionError(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed'
}

function statusOf(error: client.ClientError): number {
  return error.cause instanceof Response ? error.cause.status : 0
}

function signInError(error: unknown): SignInError {
  if (error instanceof SignInError) return error
  if (error instanceof client.AuthorizationResponseError) {
    const oauth = { error: error.error, description: error.error_description }
    return new SignInError('sign_in_refused', 'The adapter answered with an error', { oauth, cause: error })
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return new SignInError('client_refused', 'The adapter refused client_id and client_secret', { cause: error })
  }
  if (error instanceof client.ResponseBodyError) return tokenError(error)
  if (isUnavailable(error)) {
    return new SignInError('adapter_unavailable', 'The adapter did not answer', { cause: error })
  }
  return new SignInError('answer_invalid', 'The answer of the adapter is not valid', { cause: error })
}

function tokenError(error: client.ResponseBodyError): SignInError {
  const oauth = { error: error.error, description: error.error_description }
  const code =
    error.status >= 500 || error.error === 'temporarily_unavailable'
      ? 'adapter_unavailable'
      : error.error === 'invalid_client'
        ? 'client_refused'
        : 'code_refused'
  return new SignInError(code, `The token endpoint answered ${error.error}`, { oauth, cause: error })
}

function isUnavailable(error: unknown): boolean {
  if (isConnectionError(error)) return true
  if (!(error instanceof client.ClientError)) return false
  return error.code === 'OAUTH_TIMEOUT' || statusOf(error) >= 500
}
