// Answers oidc-provider's question "who is this": the identity an upstream login left behind, for as long as the session
// that it opened lives. There is no user database; an account without its identity record is nobody.
import type { Account, FindAccount, KoaContextWithOIDC } from 'oidc-provider'
import { claimsForClient, doesFor } from '../../claims/mapping/client-claims.ts'
import { claimsForScope } from '../../claims/scopes.ts'
import type { Identities, Identity } from '../../storage/sessions/identities.ts'

/** What interaction/ puts into `interaction.result` beside `login`. */
export interface UpstreamLoginResult {
  identity: Identity
}

interface TokenLike {
  kind?: string
  sessionUid?: string | undefined
  grantId?: string | undefined
  clientId?: string | undefined
  scope?: string | undefined
}

/** The identity that the login just finished brings along, or undefined when no login was needed. */
export function loginResult(ctx: KoaContextWithOIDC): UpstreamLoginResult | undefined {
  return ctx.oidc.result?.['upstream'] as UpstreamLoginResult | undefined
}

/**
 * Undefined when the identity is gone, belongs to somebody else, or does not do for the client that asks: the login is then
 * asked for again, the token refused.
 */
export function createFindAccount(identities: Identities): FindAccount {
  return async (ctx, accountId, token) => {
    const from = token as TokenLike | undefined
    const identity = loginResult(ctx)?.identity ?? (await storedIdentity(identities, ctx, from))
    const clientId = ctx.oidc.client?.clientId ?? from?.clientId
    return identity?.accountId === accountId && doesFor(identity, clientId)
      ? account(identity, clientId)
      : undefined
  }
}

async function storedIdentity(
  identities: Identities,
  ctx: KoaContextWithOIDC,
  token: TokenLike | undefined,
) {
  if (token?.kind === 'RefreshToken' && outlivesSession(token.scope))
    return identities.findForGrant(token.grantId ?? '')
  const sessionUid = token ? token.sessionUid : ctx.oidc.session?.uid
  return sessionUid === undefined ? undefined : identities.find(sessionUid)
}

/** What was granted with this scope lives on when the session is over: its grant has an identity of its own. */
export function outlivesSession(scope: string | undefined): boolean {
  // https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
  return scope?.split(' ').includes('offline_access') ?? false
}

/** An account whose identity is at hand. */
export interface KnownAccount extends Account {
  identity: Identity
  /** The client that asks; it gets its own claims too. */
  clientId: string | undefined
}

export function account(identity: Identity, clientId?: string): KnownAccount {
  return {
    accountId: identity.accountId,
    identity,
    clientId,
    // oidc-provider releases of these only what scope and grant allow.
    claims: (use) => ({
      ...claimsForClient(use === 'userinfo' ? 'userinfo' : 'id_token', identity, clientId),
      sub: identity.accountId,
    }),
  }
}

/** The claims beside the standard ones in a JWT access token: those that its scope releases (RFC 9068, section 2.2.2). */
export function accessTokenClaims(
  known: Account | undefined,
  scope: string | undefined,
): Record<string, unknown> {
  // https://www.rfc-editor.org/rfc/rfc9068#section-2.2.2
  if (!known || !scope) return {}
  const { identity, clientId } = known as KnownAccount
  return { ...claimsForScope(scope, claimsForClient('access_token', identity, clientId)) }
}
