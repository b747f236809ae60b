// Answers oidc-provider's question "who is this": the identity an upstream login left behind, for as long as the session
// that it opened lives. There is no user database; an account without its identity record is nobody.
import type { Account, FindAccount, KoaContextWithOIDC } from 'oidc-provider'
import { claimsFor } from '../claims/claim-targets.ts'
import { claimsForScope } from '../claims/scopes.ts'
import type { Identities, Identity } from '../storage/identities.ts'

/** What interaction/ puts into `interaction.result` beside `login`. */
export interface UpstreamLoginResult {
  identity: Identity
}

interface TokenLike {
  sessionUid?: string | undefined
}

/** The identity that the login just finished brings along, or undefined when no login was needed. */
export function loginResult(ctx: KoaContextWithOIDC): UpstreamLoginResult | undefined {
  return ctx.oidc.result?.['upstream'] as UpstreamLoginResult | undefined
}

/** Undefined when the identity is gone or belongs to somebody else: the login is then asked for again, the token refused. */
export function createFindAccount(identities: Identities): FindAccount {
  return async (ctx, accountId, token) => {
    const identity =
      loginResult(ctx)?.identity ??
      (await storedIdentity(identities, ctx, token as TokenLike | undefined))
    return identity?.accountId === accountId ? account(identity) : undefined
  }
}

async function storedIdentity(
  identities: Identities,
  ctx: KoaContextWithOIDC,
  token: TokenLike | undefined,
) {
  const sessionUid = token ? token.sessionUid : ctx.oidc.session?.uid
  return sessionUid === undefined ? undefined : identities.find(sessionUid)
}

/** An account whose identity is at hand. */
export interface KnownAccount extends Account {
  identity: Identity
}

export function account(identity: Identity): KnownAccount {
  return {
    accountId: identity.accountId,
    identity,
    // oidc-provider releases of these only what scope and grant allow.
    claims: (use) => ({
      ...claimsFor(
        use === 'userinfo' ? 'userinfo' : 'id_token',
        identity.claims,
        identity.claimTargets,
      ),
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
  const identity = (known as KnownAccount | undefined)?.identity
  if (!identity || !scope) return {}
  const claims = claimsFor('access_token', identity.claims, identity.claimTargets)
  return { ...claimsForScope(scope, claims) }
}
