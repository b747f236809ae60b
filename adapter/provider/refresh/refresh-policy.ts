// Refresh tokens as this authorization server gives them: who gets one, how long it lives, when it is replaced. What
// happens to one that comes back is storage/refresh-tokens.ts.
import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider'
import { isConfidential } from '../../config/client-schema/is-confidential.ts'
import type { ClientConfig } from '../../config/schema.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import { outlivesSession, type KnownAccount } from '../people/account.ts'
import type { ExtraParams } from '../authorize/upstream-choice.ts'
import { sentParameters } from '../pushed/sent-parameters.ts'
import { followUpstream, type FollowUpstream } from './follow-upstream.ts'

export interface RefreshOptions {
  clients: Readonly<Record<string, ClientConfig>>
  identities: Identities
  lifecycle: FollowUpstream
  /** Epoch milliseconds. */
  now: () => number
}

export interface RefreshPolicy {
  configuration: Pick<Configuration, 'issueRefreshToken' | 'rotateRefreshToken'>
  ttlSeconds(token: TokenAge, client: { clientId: string }): number
  /** oidc-provider's `extraParams`. */
  parameters: ExtraParams
  /** A grant that is used again lives as long as the session does now; for offline_access longer. */
  prolongForRefresh(grant: Grant, ctx: KoaContextWithOIDC, sessionTtlSeconds: number): void
}

interface TokenAge {
  totalLifetime(): number
}

/** What is known of the token, and not in oidc-provider's types. */
interface IssuedToken extends TokenAge {
  iiat: number
  exp: number
  scope?: string
  grantId?: string
  save(): Promise<string>
}

export function createRefreshPolicy(options: RefreshOptions): RefreshPolicy {
  const { clients, now } = options
  const settingsOf = ({ clientId }: { clientId: string }) => clients[clientId]?.refresh
  const isServed = Object.values(clients).some(({ refresh }) => refresh !== undefined)
  return {
    // Where nobody gets any, the grant type is neither advertised nor known.
    configuration: isServed ? tokensFor(options) : {},
    ttlSeconds: (token, client) => {
      const { idle, absolute } = settingsOf(client) ?? { idle: 1, absolute: 1 }
      return Math.max(1, Math.min(idle, absolute - token.totalLifetime()))
    },
    parameters: { scope: (ctx) => keepOfflineAccess(ctx, clients) },
    prolongForRefresh: (grant, ctx, sessionTtlSeconds) => {
      const settings = ctx.oidc.client && settingsOf(ctx.oidc.client)
      if (!settings) return
      const isOffline = outlivesSession(ctx.oidc.params?.['scope'] as string)
      const ttlSeconds = isOffline ? settings.absolute : sessionTtlSeconds
      grant.exp = Math.max(grant.exp ?? 0, Math.floor(now() / 1000) + ttlSeconds)
    },
  }
}

function tokensFor(options: RefreshOptions): RefreshPolicy['configuration'] {
  const { clients, now } = options
  return {
    issueRefreshToken: async (ctx, client, code) => {
      const isOffline = outlivesSession(code.scope)
      const settings = clients[client.clientId]?.refresh
      if (!settings || (settings.when === 'offline_access' && !isOffline)) return false
      return keepAlive(options, ctx, isOffline ? settings.absolute : undefined)
    },
    rotateRefreshToken: async (ctx) => {
      const token = ctx.oidc.entities.RefreshToken as unknown as IssuedToken
      const client = clients[ctx.oidc.client?.clientId ?? '']
      if (!client?.refresh) return true
      await followUpstream(options.lifecycle, options.identities, ctx)
      if (isRotated(client)) return true
      await prolong(token, client.refresh, now())
      return false
    },
  }
}

/** False where the app follows the upstream and can not. The session may be over long before an offline token is. */
async function keepAlive(
  { identities, lifecycle }: RefreshOptions,
  { oidc }: KoaContextWithOIDC,
  offlineSeconds: number | undefined,
): Promise<boolean> {
  const { grantId = '' } = oidc.entities.AuthorizationCode ?? oidc.entities.DeviceCode ?? {}
  const { identity } = oidc.account as KnownAccount
  if (!(await lifecycle.join(identity, oidc.client?.clientId ?? '', grantId))) return false
  if (offlineSeconds !== undefined) await identities.saveForGrant(grantId, identity, offlineSeconds)
  return true
}

function isRotated(client: ClientConfig): boolean {
  const { refresh } = client
  if (refresh?.rotation !== 'public_only') return refresh?.rotation === 'always'
  // RFC 9700, section 2.2.2: https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2
  return !isConfidential(client)
}

/** A tenth of its idle time has to be gone, so that not every use is a write. */
async function prolong(
  token: IssuedToken,
  { idle, absolute }: { idle: number; absolute: number },
  now: number,
): Promise<void> {
  const exp = Math.min(Math.floor(now / 1000) + idle, token.iiat + absolute)
  if (exp - token.exp < idle / 10) return
  token.exp = exp
  await token.save()
}

/**
 * oidc-provider takes offline_access out of each request without prompt=consent, as many libraries send it. Here the
 * configuration permits it, which the specification calls "other conditions": with the prompt or without.
 */
function keepOfflineAccess(ctx: KoaContextWithOIDC, clients: RefreshOptions['clients']): void {
  // https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
  const asked = sentParameters(ctx)['scope']
  const params = ctx.oidc.params as { scope?: string; prompt?: string | undefined }
  const client = clients[ctx.oidc.client?.clientId ?? '']
  const isAllowed = client?.refresh !== undefined
  if (typeof asked !== 'string' || !outlivesSession(asked) || !isAllowed) return
  if (!outlivesSession(params.scope)) params.scope = `${params.scope ?? ''} offline_access`.trim()
  // Somebody else's app is one that people are asked about.
  if (client.third_party) return
  const prompts = params.prompt?.split(' ').filter((prompt) => prompt !== 'consent')
  params.prompt = prompts?.join(' ') || undefined
}
