// The one `new Provider(...)` of the test server: a strict OpenID Provider, its rules as data.
import Provider, { interactionPolicy } from 'oidc-provider'
import type { Account, AccountClaims, Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { Log } from '../service/log.ts'
import type { ServerKeys } from './keys.ts'
import { logoutPage, messagePage } from './pages.ts'
import type { ProviderStorage } from './provider-adapter.ts'
import type { User, Users } from './users.ts'

export interface UpstreamClient {
  clientId: string
  clientSecret: string
  /** Compared as exact strings. */
  redirectUris: readonly string[]
  postLogoutRedirectUris?: readonly string[]
}

export interface ProviderOptions {
  issuer: string
  clients: readonly UpstreamClient[]
  keys: ServerKeys
  storage: ProviderStorage
  users: Users
  log: Log
  /** Binds the interaction to this browser and says where the end-user signs in. */
  interactionUrl(ctx: KoaContextWithOIDC, interactionUid: string): string
}

const minute = 60
const hour = 60 * minute
const sessionIdleSeconds = 8 * hour
const sessionAbsoluteSeconds = 12 * hour
export const interactionTtlSeconds = 10 * minute

const responseModes = ['query', 'form_post']

function claimsFrom(user: User): AccountClaims {
  const { sub, username, name, email, emailVerified, roles, attributes } = user
  const { locale, department, groups } = attributes
  const mail = email === undefined ? {} : { email, email_verified: emailVerified }
  return { sub, preferred_username: username, name, roles, locale, department, groups, ...mail }
}

function accountFrom(user: User | undefined): Account | undefined {
  return user && { accountId: user.sub, claims: () => claimsFrom(user) }
}

// A known id for each session and client: tabs that sign in at the same time share one grant, and no code is lost.
async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { account, client, provider, session } = ctx.oidc
  if (!account || !client || !session) return undefined
  const id = `${session.uid}.${client.clientId}`
  const stored = await provider.Grant.find(id)
  const known = stored?.accountId === account.accountId ? stored : undefined
  const grant = known ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  const scopes = ctx.oidc.requestParamOIDCScopes
  const requested = [...scopes].join(' ')
  if (known?.getOIDCScopeFiltered(scopes) === requested) return known
  grant.jti = id
  grant.addOIDCScope(requested)
  await grant.save()
  return grant
}

function sessionTtlSeconds(_ctx: KoaContextWithOIDC, session: { loginTs?: number | undefined }): number {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const sinceLogin = nowSeconds - (session.loginTs ?? nowSeconds)
  return Math.max(1, Math.min(sessionIdleSeconds, sessionAbsoluteSeconds - sinceLogin))
}

// Nobody is asked for consent here, so `prompt=consent` is not offered either.
function loginOnlyPolicy() {
  const policy = interactionPolicy.base()
  policy.remove('consent')
  return policy
}

function showPage(ctx: Pick<KoaContextWithOIDC, 'type' | 'body'>, page: string): void {
  ctx.type = 'html'
  ctx.body = page
}

function showNotFound(ctx: Pick<KoaContextWithOIDC, 'type' | 'body' | 'status'>): void {
  showPage(ctx, messagePage('There is no such page', 'Applications send you here to sign in.'))
  ctx.status = 404
}

function showLogoutPage(ctx: KoaContextWithOIDC, users: Users): void {
  const { session, provider } = ctx.oidc
  const user = users.find(session?.accountId ?? '')
  const xsrf = String((session?.state as { secret?: unknown } | undefined)?.secret ?? '')
  showPage(ctx, logoutPage({ name: user?.name ?? '', action: provider.urlFor('end_session_confirm'), xsrf }))
}

const errorTitles: Record<string, string> = {
  server_error: 'Something went wrong here',
  invalid_client: 'This application is not known here',
  invalid_redirect_uri: 'This application asked to go to an unknown place',
}

function describeError(error: { error: string; error_description?: string | undefined }): [string, string] {
  const title = errorTitles[error.error] ?? 'This request can not be answered'
  return [title, [error.error, error.error_description].filter(Boolean).join(': ')]
}

function configurationFrom(options: ProviderOptions): Configuration {
  const { clients, keys, storage, users } = options
  return {
    adapter: storage.adapterFor,
    jwks: keys.jwks,
    clients: clients.map((client) => ({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [...client.redirectUris],
      post_logout_redirect_uris: [...(client.postLogoutRedirectUris ?? [])],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      require_auth_time: true,
    })),
    routes: {
      authorization: '/oauth2/authorize',
      token: '/oauth2/token',
      jwks: '/oauth2/jwks',
      userinfo: '/userinfo',
      end_session: '/connect/logout',
    },
    cookies: {
      names: {
        session: 'TEST_AUTH_SERVER_SESSION',
        interaction: 'TEST_AUTH_SERVER_INTERACTION',
        resume: 'TEST_AUTH_SERVER_RESUME',
      },
      keys: keys.cookieKeys,
      long: { httpOnly: true, sameSite: 'lax', signed: true },
      short: { httpOnly: true, sameSite: 'lax', signed: true },
    },
    scopes: ['openid', 'profile', 'email'],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name', 'roles', 'locale', 'department', 'groups'],
      email: ['email', 'email_verified'],
    },
    // Relying parties read people from the ID token; they need not ask userinfo.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    allowOmittingSingleRegisteredRedirectUri: false,
    // RFC 9700 section 2.1.1: https://www.rfc-editor.org/rfc/rfc9700.html#section-2.1.1
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    ttl: {
      AccessToken: hour,
      AuthorizationCode: minute,
      IdToken: 5 * minute,
      Interaction: interactionTtlSeconds,
      Session: sessionTtlSeconds,
      Grant: sessionAbsoluteSeconds,
    },
    findAccount: (_ctx, sub) => accountFrom(users.find(sub)),
    loadExistingGrant,
    interactions: {
      policy: loginOnlyPolicy(),
      url: (ctx, interaction) => options.interactionUrl(ctx, interaction.uid),
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => showLogoutPage(ctx, users),
        postLogoutSuccessSource: (ctx) =>
          showPage(ctx, messagePage('You are signed out', 'You can close this page.')),
      },
    },
    renderError: (ctx, error) => showPage(ctx, messagePage(...describeError(error))),
  }
}

function logEvents(provider: Provider, log: Log): void {
  const clientOf = (ctx: KoaContextWithOIDC | undefined) => ctx?.oidc.client?.clientId
  const failures = {
    'authorization.error': 'authorization.failed',
    'grant.error': 'token.failed',
    'userinfo.error': 'userinfo.failed',
    'end_session.error': 'logout.failed',
  } as const
  for (const [name, event] of Object.entries(failures))
    provider.on(name as 'grant.error', (ctx, error) => {
      const { error: code, error_detail: detail } = error
      log.info(event, { client_id: clientOf(ctx), error: code, detail: detail ?? error.error_description })
    })
  provider.on('server_error', (ctx, error) => log.error('server.failed', { path: ctx.path, error }))
  provider.on('authorization.success', (ctx) => log.info('authorization.granted', { client_id: clientOf(ctx) }))
  provider.on('grant.success', (ctx) => log.info('token.issued', { client_id: clientOf(ctx) }))
  provider.on('end_session.success', (ctx) => log.info('logout.done', { client_id: clientOf(ctx) }))
}

export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuer, configurationFrom(options))
  // Not what the request says but what is configured decides on URLs: server.ts overwrites the forwarded headers.
  provider.proxy = true
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.status === 303 && ctx.method === 'GET') ctx.status = 302
    if (ctx.path.startsWith('/.well-known/') && ctx.status === 200)
      ctx.body = { ...(ctx.body as object), response_modes_supported: responseModes }
    if (ctx.status === 404 && !ctx.body) showNotFound(ctx)
  })
  logEvents(provider, options.log)
  return provider
}
