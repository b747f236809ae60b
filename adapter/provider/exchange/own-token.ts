// An access token of ours for a token of an upstream: with a grant and an identity of its own, so that introspection, userinfo,
// /verify and revocation know it as any other, and both end when it does. No session, no refresh token.
import { randomBytes } from 'node:crypto'
import type { Grant, KoaContextWithOIDC, Provider, ResourceServer } from 'oidc-provider'
import { doesFor } from '../../claims/mapping/client-claims.ts'
import type { Config } from '../../config/schema.ts'
import type { Identities, Identity } from '../../storage/sessions/identities.ts'
import type { LiveKeys } from '../keys/live-keys.ts'
import { account } from '../people/account.ts'
import { DEFAULT_RESOURCE, resourceIndicators, tokenSettings } from '../resources.ts'
import { invalidScope, invalidSubject, invalidTarget } from './exchange-errors.ts'
import { ACCESS_TOKEN, TOKEN_EXCHANGE, type ExchangeRequest } from './exchange-request.ts'

export interface OwnTokenOptions {
  provider: Provider
  config: Pick<Config, 'clients' | 'resources'>
  signingKeys: LiveKeys
  identities: Pick<Identities, 'saveForGrant'>
  /** Epoch milliseconds. */
  now: () => number
}

export interface Wanted {
  resource: string
  scope: string
  ttlSeconds: number
}

const random = () => randomBytes(16).toString('base64url')

const NO_SESSION = 'exchange-'

/** Whether a token was given in an exchange: then it is the only one of its grant. */
export const isExchanged = (sessionUid: string | undefined): boolean =>
  sessionUid?.startsWith(NO_SESSION) === true

/** What the client asks for and may have. @throws the error that the client is told */
export function wantedToken(
  config: OwnTokenOptions['config'],
  clientId: string,
  { audience, scope }: Pick<ExchangeRequest, 'audience' | 'scope'>,
): Wanted {
  const resource = resourceFor(config, clientId, audience)
  const settings = tokenSettings(config, clientId, resource)
  if (!settings) throw invalidTarget('no resource of the client')
  // What outlives a sign-in takes one: https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
  const own = (config.clients[clientId]?.scope ?? '')
    .split(' ')
    .filter((name) => name !== 'offline_access')
  const wanted = scope === undefined || scope === '' ? own : [...new Set(scope.split(' '))]
  if (!wanted.every((name) => own.includes(name)))
    throw invalidScope('wider than that of the client')
  const served = settings.scope.split(' ')
  return {
    resource,
    scope: wanted.filter((name) => served.includes(name)).join(' '),
    ttlSeconds: settings.ttl,
  }
}

/** By its URI, or by the `aud` of its tokens; the client itself where none is named. */
function resourceFor(
  { resources }: OwnTokenOptions['config'],
  clientId: string,
  audience: string | undefined,
): string {
  if (audience === undefined || audience === clientId) return DEFAULT_RESOURCE
  const found = Object.entries(resources).find(
    ([name, resource]) => name === audience || resource.audience === audience,
  )
  if (!found) throw invalidTarget('no such resource')
  return found[0]
}

/** The answer: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1. @throws the error that the client is told */
export async function issueOwnToken(
  options: OwnTokenOptions,
  ctx: KoaContextWithOIDC,
  identity: Identity,
  wanted: Wanted,
): Promise<Record<string, unknown>> {
  const clientId = ctx.oidc.client?.clientId ?? ''
  if (!doesFor(identity, clientId)) throw invalidSubject('the identity does not do for the client')
  const grant = newGrant(options, identity, clientId, wanted)
  const grantId = await grant.save()
  await options.identities.saveForGrant(grantId, identity, wanted.ttlSeconds)
  ctx.oidc.entity('Grant', grant)
  ctx.oidc.entity('Account', account(identity, clientId))
  const token = newToken(options, ctx, { accountId: identity.accountId, grantId, wanted })
  ctx.oidc.entity('AccessToken', token)
  return {
    access_token: await token.save(),
    issued_token_type: ACCESS_TOKEN,
    token_type: token.tokenType,
    expires_in: token.expiration,
    ...(wanted.scope === '' ? {} : { scope: wanted.scope }),
  }
}

function newGrant(
  { provider, now }: OwnTokenOptions,
  { accountId }: Identity,
  clientId: string,
  { resource, scope, ttlSeconds }: Wanted,
): Grant {
  const Model = provider.Grant as unknown as new (properties: object) => Grant
  const grant = new Model({ jti: random(), accountId, clientId })
  grant.addOIDCScope(scope)
  grant.addResourceScope(resource, scope)
  grant.exp = Math.floor(now() / 1000) + ttlSeconds
  return grant
}

interface IssuedModel {
  scope: string | undefined
  resourceServer: unknown
  tokenType: string
  expiration: number
  save(): Promise<string>
}

function newToken(
  { provider, config, signingKeys }: OwnTokenOptions,
  ctx: KoaContextWithOIDC,
  { accountId, grantId, wanted }: { accountId: string; grantId: string; wanted: Wanted },
): IssuedModel {
  const { AccessToken, ResourceServer: Server } = provider as unknown as {
    AccessToken: new (properties: object) => IssuedModel
    ResourceServer: new (name: string, info: ResourceServer) => unknown
  }
  const client = ctx.oidc.client as NonNullable<typeof ctx.oidc.client>
  const { getResourceServerInfo } = resourceIndicators(config, signingKeys)
  const info = getResourceServerInfo(ctx, wanted.resource, client)
  // Every token names a session that it lives by; this one has none, so nothing else can end it or keep it alive.
  const sessionUid = NO_SESSION + random()
  const token = new AccessToken({ accountId, client, grantId, gty: TOKEN_EXCHANGE, sessionUid })
  token.resourceServer = new Server(wanted.resource, info)
  token.scope = wanted.scope === '' ? undefined : wanted.scope
  return token
}
