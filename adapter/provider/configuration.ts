// oidc-provider's configuration as data: what this authorization server offers, and the limits it keeps. Anything not
// listed here is off. The functions behind it live in the files beside this one.
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { claimsByScope, mintedClaims } from '../claims/scopes.ts'
import type { Config } from '../config/schema.ts'
import { CLIENT_AUTH_ALGS } from '../config/client-schema/is-confidential.ts'
import { clientAuthentication } from './client-authentication/client-assertions.ts'
import { cookieNames } from './cookie-names.ts'
import { DEVICE_CODE_TTL } from './device/device-grant.ts'
import type { Device } from './device/open-device.ts'
import { features } from './features.ts'
import { allScopes, clientMetadata } from './clients.ts'
import type { ClientSubjects } from './people/client-subjects.ts'
import { loginPolicy } from './authorize/login-policy.ts'
import {
  CONTEXT_CLAIMS,
  contextParams,
  type RequestedContext,
} from './authorize/requested-context.ts'
import type { tokenEndpointFeatures } from './endpoints/token-endpoints.ts'
import type { RefreshPolicy } from './refresh/refresh-policy.ts'
import { pushedParams } from './pushed/pushed-requests.ts'
import { REQUEST_OBJECT_ALGS } from './pushed/request-objects.ts'
import { ROUTES } from './routes.ts'
import type { LiveKeys } from './keys/live-keys.ts'
import { initialJwks } from './keys/provider-keystore.ts'
import { PROOF_ALGS } from './dpop/dpop-settings.ts'
import { upstreamHints, type ChoiceOfUpstream } from './authorize/upstream-choice.ts'

/** Seconds. Everything that is not the session's own lifetime. */
const CODE_TTL = 60
const ID_TOKEN_TTL = 300
const UNFINISHED_SESSION_TTL = 600

export interface SessionTimes {
  accountId?: string | undefined
  /** Epoch seconds of the first save. */
  iat?: number | undefined
}

/** Seconds the session may live on from now: its idle time, cut at its absolute end; never below 1. */
export function sessionTtlSeconds(
  session: SessionTimes,
  limits: Config['session'],
  now: () => number,
): number {
  if (session.accountId === undefined) return UNFINISHED_SESSION_TTL
  const age = session.iat === undefined ? 0 : Math.floor(now() / 1000) - session.iat
  return Math.max(1, Math.min(limits.idle, limits.absolute - age))
}

export interface ProviderParts extends Required<
  Pick<
    Configuration,
    'adapter' | 'findAccount' | 'loadExistingGrant' | 'extraTokenClaims' | 'renderError'
  >
> {
  config: Config
  signingKeys: LiveKeys
  cookieKeys: string[]
  subjects: ClientSubjects
  subjectKey: Uint8Array
  /** Where the browser goes to be signed in; sets what must be set on the way. */
  interactionUrl: (ctx: KoaContextWithOIDC, interaction: { uid: string }) => string
  tokenEndpoints: ReturnType<typeof tokenEndpointFeatures>
  upstreamChoice: ChoiceOfUpstream
  requestedContext: RequestedContext
  refresh: RefreshPolicy
  deviceFlow: Device['feature']
  logoutSource: (ctx: KoaContextWithOIDC, form: string) => Promise<void>
  postLogoutSuccessSource: (ctx: KoaContextWithOIDC) => void
  customizeAccessToken: (
    ctx: KoaContextWithOIDC,
    token: object,
    jwt: { header?: object | undefined; payload: Record<string, unknown> },
  ) => void
  now: () => number
}

export function providerConfiguration(parts: ProviderParts): Configuration {
  const { config } = parts
  return {
    ...authorizationServer(parts),
    adapter: parts.adapter,
    findAccount: parts.findAccount,
    loadExistingGrant: parts.loadExistingGrant,
    extraTokenClaims: parts.extraTokenClaims,
    renderError: parts.renderError,
    formats: {
      bitsOfOpaqueRandomness: 256,
      customizers: { jwt: parts.customizeAccessToken },
    } as unknown as NonNullable<Configuration['formats']>,
    cookies: cookies(config, parts.cookieKeys),
    ...subjectTypes(parts),
    ...parts.refresh.configuration,
    interactions: {
      policy: loginPolicy(parts.upstreamChoice, parts.requestedContext),
      url: parts.interactionUrl,
    },
    ttl: ttl(parts),
    features: features(parts),
  }
}

function authorizationServer({
  config,
  signingKeys,
  upstreamChoice,
  requestedContext,
  refresh,
  now,
}: ProviderParts): Configuration {
  const { alg } = signingKeys
  return {
    clients: clientMetadata(config.clients, alg),
    jwks: initialJwks(signingKeys),
    routes: ROUTES,
    scopes: allScopes(config.clients),
    claims: claimsByScope([...CONTEXT_CLAIMS, ...mintedClaims(config)]),
    extraParams: {
      ...contextParams(requestedContext),
      ...upstreamHints(upstreamChoice),
      ...refresh.parameters,
      ...pushedParams,
    },
    acrValues: [...requestedContext.acrNames],
    // RFC 9700, sections 2.1.1 and 2.1.2: https://www.rfc-editor.org/rfc/rfc9700#section-2.1
    responseTypes: ['code'],
    pkce: { required: (_ctx, client) => config.clients[client.clientId]?.pkce !== 'optional' },
    ...clientAuthentication(now),
    enabledJWA: algorithms(alg),
    allowOmittingSingleRegisteredRedirectUri: false,
    // Codes and tokens end with the session all the same: without its identity record they belong to nobody (account.ts).
    // oidc-provider's own check would also refuse one of two codes that two tabs got for one app at the same time (F62).
    expiresWithSession: () => false,
    acceptQueryParamAccessTokens: false,
    discovery: { frontchannel_logout_supported: true, frontchannel_logout_session_supported: true },
    conformIdTokenClaims: false,
    clientBasedCORS: () => false,
    clockTolerance: 15,
  }
}

function algorithms(alg: LiveKeys['alg']): NonNullable<Configuration['enabledJWA']> {
  return {
    idTokenSigningAlgValues: [alg],
    introspectionSigningAlgValues: [alg],
    clientAuthSigningAlgValues: [...CLIENT_AUTH_ALGS],
    dPoPSigningAlgValues: [...PROOF_ALGS],
    requestObjectSigningAlgValues: [...REQUEST_OBJECT_ALGS],
  }
}

/** A sector is what the configuration says: no URL of it is asked (A28). */
function subjectTypes({ config, subjects }: ProviderParts): Configuration {
  if (!Object.keys(config.clients).some((id) => subjects.isPairwise(id))) return {}
  return {
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, { clientId }) =>
      subjects.subjectFor(clientId, accountId),
    sectorIdentifierUriValidate: () => false,
  }
}

function cookies(config: Config, keys: string[]): NonNullable<Configuration['cookies']> {
  const isHttps = config.issuer.startsWith('https:')
  const options = { httpOnly: true, sameSite: 'lax', secure: isHttps, signed: true } as const
  return { names: cookieNames(isHttps), keys, long: { ...options, path: '/' }, short: options }
}

function ttl({ config, now, refresh }: ProviderParts): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ID_TOKEN_TTL,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ID_TOKEN_TTL,
    AuthorizationCode: CODE_TTL,
    DeviceCode: DEVICE_CODE_TTL,
    IdToken: ID_TOKEN_TTL,
    Interaction: config.login.ttl,
    RefreshToken: (_ctx, token, client) => refresh.ttlSeconds(token, client),
    Session: (_ctx, session) => sessionTtlSeconds(session, config.session, now),
    Grant: (ctx) => sessionTtlSeconds(ctx.oidc.session ?? {}, config.session, now),
  }
}
