// This app as an OpenID Connect client of the adapter; openid-client is known in this room only.
import * as client from 'openid-client'
import type { SignIn } from '../session/session-data.ts'
import type { PendingLogin } from '../login/pending-login.ts'
import { discoveryUrlOf, keepKeys, keepMetadata } from './adapter-metadata.ts'
import type { AdapterOptions, Configure, Metadata } from './adapter-metadata.ts'
import { SignInError } from './sign-in-error.ts'
import { signInError } from './translate-error.ts'

export interface RelyingPartyOptions extends AdapterOptions {
  readonly scope: string
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
}

export interface RelyingParty {
  /** Where to send the browser. @throws {SignInError} adapter_unavailable or answer_invalid */
  authorizationUrl(login: PendingLogin): Promise<URL>
  /** Checks the answer in `query` (`?code=…`), redeems the code and verifies the ID token. @throws {SignInError} */
  redeem(query: string, login: PendingLogin): Promise<SignIn>
  /** New tokens of the same person. @throws {SignInError} code_refused when it is over */
  refresh(signIn: SignIn): Promise<SignIn>
  /** Where to end the session at the adapter; undefined if it has no such endpoint. @throws {SignInError} */
  endSessionUrl(idToken: string, state: string): Promise<URL | undefined>
  /** Where the adapter's keys are. @throws {SignInError} */
  jwksUri(): Promise<string>
  /** The address asked for metadata, for messages. */
  readonly discoveryUrl: string
}

export function createRelyingParty(options: RelyingPartyOptions): RelyingParty {
  const metadata = keepMetadata(options)
  const configure = keepKeys(options)
  return {
    discoveryUrl: discoveryUrlOf(options.issuer),
    authorizationUrl: async (login) =>
      authorizationUrl(configure(await metadata.fresh()).config, options, login),
    redeem: (query, login) => redeem(options, metadata, configure, query, login),
    refresh: (signIn) => refresh(options, metadata, configure, signIn),
    jwksUri: async () => (await metadata.known()).jwks_uri ?? '',
    endSessionUrl: async (idToken, state) =>
      endSessionUrl(configure(await metadata.fresh()).config, options, idToken, state),
  }
}

async function authorizationUrl(
  config: client.Configuration,
  { redirectUri, scope }: RelyingPartyOptions,
  login: PendingLogin,
): Promise<URL> {
  return client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state: login.state,
    nonce: login.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(login.codeVerifier),
    code_challenge_method: 'S256',
  })
}

async function redeem(
  { redirectUri, now }: RelyingPartyOptions,
  metadata: Metadata,
  configure: Configure,
  query: string,
  login: PendingLogin,
): Promise<SignIn> {
  const { config, rememberKeys } = configure(await metadata.known())
  try {
    const tokens = await client.authorizationCodeGrant(config, new URL(redirectUri + query), {
      expectedState: login.state,
      expectedNonce: login.nonce,
      pkceCodeVerifier: login.codeVerifier,
      idTokenExpected: true,
    })
    return signInFrom(tokens, now())
  } catch (error) {
    throw signInError(error)
  } finally {
    rememberKeys()
  }
}

async function refresh(
  { now }: RelyingPartyOptions,
  metadata: Metadata,
  configure: Configure,
  { refreshToken = '', subject, signedInAt, ...before }: SignIn,
): Promise<SignIn> {
  const { config, rememberKeys } = configure(await metadata.known())
  try {
    const tokens = await client.refreshTokenGrant(config, refreshToken)
    const after = { refreshToken, ...signInFrom(tokens, now()), signedInAt }
    // https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
    if (after.subject !== subject || after.idTokenClaims['iss'] !== before.idTokenClaims['iss'])
      throw new SignInError('answer_invalid', 'The refreshed ID token is of somebody else')
    return after
  } catch (error) {
    throw signInError(error)
  } finally {
    rememberKeys()
  }
}

function endSessionUrl(
  config: client.Configuration,
  { clientId, postLogoutRedirectUri }: RelyingPartyOptions,
  idToken: string,
  state: string,
): URL | undefined {
  if (!config.serverMetadata().end_session_endpoint) return undefined
  // All three: without a hint or client_id the redirect is dropped.
  // https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
  return client.buildEndSessionUrl(config, {
    id_token_hint: idToken,
    client_id: clientId,
    post_logout_redirect_uri: postLogoutRedirectUri,
    state,
  })
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>

function signInFrom(tokens: Tokens, now: number): SignIn {
  const claims = tokens.claims()
  if (!claims || !tokens.id_token)
    throw new SignInError('answer_invalid', 'No ID token in the answer')
  const lifetimeSeconds = tokens.expiresIn()
  return {
    subject: claims.sub,
    idToken: tokens.id_token,
    idTokenClaims: claims,
    accessToken: tokens.access_token,
    accessTokenExpiresAt: lifetimeSeconds === undefined ? undefined : now + lifetimeSeconds * 1000,
    ...(tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }),
    scope: tokens.scope ?? '',
    signedInAt: now,
  }
}
