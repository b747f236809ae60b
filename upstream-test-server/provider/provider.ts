// The one `new Provider(...)` of the test server: a strict OpenID Provider, its rules as data.
import Provider from 'oidc-provider'
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { Log } from '../../service/log.ts'
import { refreshConfiguration } from '../behaviour/refresh.ts'
import { loginPolicy } from '../behaviour/sign-in/login-policy.ts'
import type { Scenario } from '../behaviour/scenario.ts'
import type { Quirks } from '../issuers/quirks/quirks.ts'
import { serviceGrantType } from '../token-service/service-tokens.ts'
import { accountFrom, claimsByScope, loadExistingGrant } from './account.ts'
import { interactionTtlSeconds } from './interaction-binding.ts'
import type { InteractionBinding } from './interaction-binding.ts'
import type { ServerKeys } from './keys.ts'
import type { ProviderStorage } from './provider-adapter.ts'
import { showError, showLoggedOut, showLogout, showNotFound } from './provider-pages.ts'
import type { Users } from '../people/users.ts'

export interface UpstreamClient {
  clientId: string
  clientSecret: string
  /** Compared as exact strings. */
  redirectUris: readonly string[]
  postLogoutRedirectUris?: readonly string[]
  /** Told when a person signs out here. */
  backchannelLogoutUri?: string | undefined
  /** Default: required. `optional`: checked where it is sent. */
  pkce?: 'required' | 'optional'
  /** Makes it a service, which signs nobody in: whom it gets tokens for, by client_credentials. */
  serviceAudiences?: readonly string[]
}

export interface ProviderOptions {
  issuer: string
  /** Begins the names of its cookies; other issuers at this origin have others. */
  cookiePrefix: string
  clients: readonly UpstreamClient[]
  keys: ServerKeys
  storage: ProviderStorage
  users: Users
  quirks: Quirks
  /** What is switched at this issuer. */
  scenario: Scenario
  binding: InteractionBinding
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

const minute = 60
const hour = 60 * minute
const sessionIdleSeconds = 8 * hour
const sessionAbsoluteSeconds = 12 * hour
const refreshTokenSeconds = 14 * 24 * hour

const responseModes = ['query', 'form_post']

const rules: Configuration = {
  routes: {
    authorization: '/oauth2/authorize',
    token: '/oauth2/token',
    jwks: '/oauth2/jwks',
    userinfo: '/userinfo',
    end_session: '/connect/logout',
  },
  scopes: [...Object.keys(claimsByScope), 'offline_access'],
  claims: claimsByScope,
  // Relying parties read people from the ID token; they need not ask userinfo.
  conformIdTokenClaims: false,
  responseTypes: ['code'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
  allowOmittingSingleRegisteredRedirectUri: false,
  clientBasedCORS: () => false,
  loadExistingGrant,
  renderError: showError,
}

const cookieRules = { httpOnly: true, sameSite: 'lax', signed: true } as const

const cookiesFor = (issuer: string, prefix: string) => ({
  names: {
    session: `${prefix}_SESSION`,
    interaction: `${prefix}_INTERACTION`,
    resume: `${prefix}_RESUME`,
  },
  long: { ...cookieRules, path: new URL(issuer).pathname },
  short: cookieRules,
})

function featuresFor(users: Users, quirks: Quirks): Configuration['features'] {
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    resourceIndicators: { enabled: false },
    jwtUserinfo: { enabled: quirks.signsUserinfo === true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx) => showLogout(ctx, users),
      postLogoutSuccessSource: showLoggedOut,
    },
  }
}

const signInMetadata: Partial<ClientMetadata> = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
}
const serviceMetadata: Partial<ClientMetadata> = {
  grant_types: [serviceGrantType],
  response_types: [],
}

const metadataOf = (client: UpstreamClient, quirks: Quirks): ClientMetadata => ({
  client_id: client.clientId,
  client_secret: client.clientSecret,
  redirect_uris: [...client.redirectUris],
  post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
  ...(client.serviceAudiences ? serviceMetadata : signInMetadata),
  require_auth_time: true,
  ...(quirks.signsUserinfo ? { userinfo_signed_response_alg: 'RS256' } : {}),
})

// RFC 9700 section 2.1.1: https://www.rfc-editor.org/rfc/rfc9700.html#section-2.1.1
function pkceFor(
  clients: readonly UpstreamClient[],
): Pick<NonNullable<Configuration['pkce']>, 'required'> {
  const optional = new Set(
    clients.filter(({ pkce }) => pkce === 'optional').map(({ clientId }) => clientId),
  )
  return { required: (_ctx, { clientId }) => !optional.has(clientId) }
}

function ttlFor(now: () => number): Configuration['ttl'] {
  return {
    AccessToken: hour,
    AuthorizationCode: minute,
    IdToken: 5 * minute,
    Interaction: interactionTtlSeconds,
    Session(_ctx, { loginTs }) {
      const nowSeconds = Math.floor(now() / 1000)
      const leftSeconds = sessionAbsoluteSeconds - (nowSeconds - (loginTs ?? nowSeconds))
      return Math.max(1, Math.min(sessionIdleSeconds, leftSeconds))
    },
    Grant: refreshTokenSeconds,
    RefreshToken: refreshTokenSeconds,
  }
}

function configurationFrom(options: ProviderOptions): Configuration {
  const { issuer, cookiePrefix, clients, quirks, keys, storage, users, scenario, binding, now } =
    options
  return {
    ...rules,
    adapter: storage.adapterFor,
    jwks: keys.jwks,
    pkce: pkceFor(clients),
    clients: clients.map((client) => metadataOf(client, quirks)),
    cookies: { ...cookiesFor(issuer, cookiePrefix), keys: keys.cookieKeys },
    ttl: ttlFor(now),
    ...refreshConfiguration(scenario.refresh),
    findAccount: (_ctx, sub) => accountFrom(scenario.people.able(users.find(sub))),
    interactions: {
      policy: loginPolicy({ scenario, users }),
      url: (ctx, interaction) => binding.begin(ctx, interaction.uid),
    },
    features: featuresFor(users, quirks),
  }
}

const failures = {
  'authorization.error': 'authorization.failed',
  'grant.error': 'token.failed',
  'userinfo.error': 'userinfo.failed',
  'end_session.error': 'logout.failed',
}

const successes = {
  'authorization.success': 'authorization.granted',
  'grant.success': 'token.issued',
  'end_session.success': 'logout.done',
}

function logEvents(provider: Provider, log: Log): void {
  const clientOf = (ctx: KoaContextWithOIDC | undefined) => ctx?.oidc.client?.clientId
  for (const [name, event] of Object.entries(failures))
    provider.on(name as 'grant.error', (ctx, { error, error_detail, error_description }) => {
      const detail = error_detail ?? error_description
      log.info(event, { client_id: clientOf(ctx), error, detail })
    })
  for (const [name, event] of Object.entries(successes))
    provider.on(name as 'grant.success', (ctx) => log.info(event, { client_id: clientOf(ctx) }))
  provider.on('server_error', (ctx, error) => log.error('server.failed', { path: ctx.path, error }))
}

export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, configurationFrom(options))
  // The configuration decides on URLs, not the request: server.ts overwrites these headers.
  provider.proxy = true
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.status === 303 && ctx.method === 'GET') ctx.status = 302
    if (ctx.status === 404 && !ctx.body) showNotFound(ctx)
    if (ctx.status === 200 && ctx.path.startsWith('/.well-known/'))
      ctx.body = {
        ...(ctx.body as object),
        response_modes_supported: responseModes,
        acr_values_supported: options.scenario.authentication.current().levels,
      }
  })
  logEvents(provider, options.log)
  return provider
}
