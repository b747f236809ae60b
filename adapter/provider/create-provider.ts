// The one `new Provider(...)`. Puts configuration, storage and the functions of this room together; what they do is said
// in their own files. It never talks to an upstream: where the browser goes to sign in is passed in.
import type { Provider, AdapterFactory, KoaContextWithOIDC } from 'oidc-provider'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { Identities } from '../storage/sessions/identities.ts'
import { createRevokedTokens, type RevokedTokens } from '../storage/tokens/revoked-tokens.ts'
import type { UnitOfWork } from '../storage/unit-of-work.ts'
import type { Log } from '../../service/log.ts'
import { accessTokenClaims, createFindAccount } from './people/account.ts'
import type { ClientSubjects } from './people/client-subjects.ts'
import { createIssuedTokens, type IssuedTokens } from './endpoints/issued-tokens.ts'
import { nameRefusedGrantType } from './endpoints/refused-grant-type.ts'
import { shapeAccessToken } from './endpoints/shape-access-token.ts'
import {
  answerForJwts,
  tokenEndpointFeatures,
  type TokenEndpointsOptions,
} from './endpoints/token-endpoints.ts'
import { createProofCheck } from './dpop/proof-check.ts'
import { rememberClaims } from './endpoints/requested-claims.ts'
import { answerVerify } from './endpoints/verify-endpoint.ts'
import { createVerifyToken } from './endpoints/verify-token.ts'
import { providerConfiguration, sessionTtlSeconds } from './configuration.ts'
import { answeredOnce, answerPushed } from './pushed/pushed-requests.ts'
import { ROUTES } from './routes.ts'
import { createLoadExistingGrant } from './people/grants.ts'
import { createLogoutPages } from './logout/logout-pages.ts'
import { nameSessions } from './logout/logout-token.ts'
import { oauthErrors, translated } from './oauth-errors.ts'
import { logProviderEvents } from './provider-events.ts'
import { createMiddleware, type ShowError } from './middleware.ts'
import {
  createSecretJudge,
  judgeSecretsByHash,
  withoutStoredClients,
} from './client-authentication/client-secrets.ts'
import { acceptOncePerJti } from './client-authentication/once-per-jti.ts'
import { AdapterProvider, takeOnlyIdTokensAsHint, trustOnlyTheIssuer } from './adapt-provider.ts'
import { openDevice } from './device/open-device.ts'
import { createConsentGate } from './consent/consent-gate.ts'
import type { Consents } from '../storage/consents/consents.ts'
import type { Sealing } from '../storage/sealing/sealing.ts'
import type { FollowUpstream } from './refresh/follow-upstream.ts'
import type { AcceptUpstream } from './exchange/accept-upstream.ts'
import { registerTokenExchange } from './exchange/exchange-grant.ts'
import type { UpstreamTokenSource } from './exchange/upstream-token.ts'
import { openRefresh, type Refreshing } from './refresh/open-refresh.ts'
import {
  accessTokenContext,
  omitUnknownAuthTime,
  tellAcr,
  type RequestedContext,
} from './authorize/requested-context.ts'
import type { SignOut } from './logout/sign-out.ts'
import type { LiveKeys } from './keys/live-keys.ts'
import { cacheKeys, followKeys } from './keys/provider-keystore.ts'
import { audiencesServedBy, grantedResources, mayBeTypedJwt, requireKeys } from './resources.ts'
import type { ChoiceOfUpstream } from './authorize/upstream-choice.ts'

export interface ProviderOptions {
  config: Config
  signingKeys: LiveKeys
  cookieKeys: string[]
  /** 32 bytes that all instances share; what secrets of this room are made of. */
  subjectKey: Uint8Array
  subjects: ClientSubjects
  sealing: Sealing
  consents: Consents
  adapter: AdapterFactory
  unitOfWork: UnitOfWork
  identities: Identities
  /** What keeps grants alive, or ends them. */
  lifecycle: FollowUpstream & UpstreamTokenSource & AcceptUpstream
  signOut: SignOut
  /** Where the browser goes to be signed in; sets the cookies it needs on the way. */
  interactionUrl: (ctx: KoaContextWithOIDC, interaction: { uid: string }) => string
  upstreamChoice: ChoiceOfUpstream
  requestedContext: RequestedContext
  showError: ShowError
  log: Log
  now: () => number
}

export interface Issuing {
  provider: Provider
  /** What was issued, and whether it still lives. */
  tokens: IssuedTokens
}

/** @throws ConfigError when a client can not be served as configured */
export async function createProvider(options: ProviderOptions): Promise<Issuing> {
  const { config } = options
  requireKeys(config, options.signingKeys)
  const identities = translated(options.identities)
  const device = openDevice({ ...options, identities })
  const adapter = withoutStoredClients(device.adapter)
  const refreshing = openRefresh({ ...options, adapter, identities })
  const revokedTokens = translated(createRevokedTokens(options.unitOfWork.driver))
  const tokens = openIssuedTokens({ ...options, identities, revokedTokens }, () => provider)
  const provider: Provider = new AdapterProvider(
    config.issuer,
    providerConfiguration({
      ...options,
      ...createLogoutPages(options),
      refresh: refreshing.policy,
      deviceFlow: device.feature,
      adapter: oauthErrors(answeredOnce(refreshing.adapter, config.login.ttl)),
      findAccount: createFindAccount(identities),
      loadExistingGrant: loadGrants({ ...options, identities }, refreshing),
      extraTokenClaims,
      renderError: (ctx, out, error) => options.showError(ctx, error, out),
      customizeAccessToken: shapeAccessToken(config, options.subjects),
      tokenEndpoints: tokenEndpointFeatures({ tokens, log: options.log }),
    }),
  )
  refreshing.attach(provider)
  shape(provider, options)
  registerTokenExchange(provider, { ...options, identities, tokens })
  useMiddleware(provider, options, { ...options, tokens, revokedTokens })
  for (const middleware of device.middleware) provider.use(middleware)
  prepareLogout(provider, config.clients)
  logProviderEvents(provider, options.log)
  await judgeClients(provider, config)
  return { provider, tokens }
}

function loadGrants(
  { config, consents, identities, now }: ProviderOptions,
  { policy }: Refreshing,
): ReturnType<typeof createLoadExistingGrant> {
  return createLoadExistingGrant({
    ...policy,
    identities,
    mayHave: createConsentGate(config, translated(consents)),
    resourcesOf: (clientId) => grantedResources(config, clientId),
    sessionTtlSeconds: (ctx) => sessionTtlSeconds(ctx.oidc.session ?? {}, config.session, now),
  })
}

/** What no setting of oidc-provider's says. */
function shape(provider: Provider, options: ProviderOptions): void {
  followKeys(provider, options.signingKeys)
  trustOnlyTheIssuer(provider)
  takeOnlyIdTokensAsHint(provider)
  acceptOncePerJti(provider)
  judgeSecretsByHash(provider, createSecretJudge(options.config.clients, options.now))
  omitUnknownAuthTime(provider)
  tellAcr(provider, options.requestedContext)
}

/** Outermost first. */
function useMiddleware(
  provider: Provider,
  options: ProviderOptions,
  tokenEndpoints: TokenEndpointsOptions,
): void {
  const all = [
    ...createMiddleware(provider, options),
    cacheKeys(ROUTES.jwks, options.signingKeys),
    answerForJwts(provider, tokenEndpoints),
    answerPushed,
    answerVerify(tokenEndpoints.tokens, createProofCheck({ ...options, provider })),
    nameRefusedGrantType(ROUTES.token),
  ]
  for (const middleware of all) provider.use(middleware)
}

function openIssuedTokens(
  parts: ProviderOptions & { revokedTokens: RevokedTokens },
  provider: () => Provider,
): IssuedTokens {
  const { config, signingKeys, now } = parts
  const verify = createVerifyToken({
    issuer: config.issuer,
    signingKeys,
    mayBeTypedJwt: (clientId, audience) => mayBeTypedJwt(config, clientId, audience),
    now,
  })
  const audiencesOf = (clientId: string) => [clientId, ...audiencesServedBy(config, clientId)]
  return createIssuedTokens({ ...parts, provider, verify, audiencesOf })
}

function extraTokenClaims(ctx: KoaContextWithOIDC, token: { scope?: string | undefined }) {
  return {
    ...accessTokenClaims(ctx.oidc.account, token.scope),
    ...accessTokenContext(ctx),
    ...rememberClaims(ctx),
  }
}

/** oidc-provider judges a client at its first use; a wrong one has to stop the start instead. */
async function judgeClients(provider: Provider, { clients }: Config): Promise<void> {
  for (const clientId of Object.keys(clients))
    await provider.Client.find(clientId).catch(refuseClient(clientId))
}

function refuseClient(clientId: string) {
  return (cause: { error_description?: string }): never => {
    throw new ConfigError(
      [{ path: `clients.${clientId}`, message: cause.error_description ?? 'can not be used' }],
      { cause },
    )
  }
}

/** What oidc-provider does not bind to the session itself (`expiresWithSession`) it would spare at logout. The session is not saved yet. */
function prepareLogout(provider: Provider, clients: Config['clients']): void {
  nameSessions(provider, clients)
  provider.on('authorization.success', ({ oidc: { session, client } }: KoaContextWithOIDC) => {
    if (session && client) delete session.authorizationFor(client.clientId)?.persistsLogout
  })
}
