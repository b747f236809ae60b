// A refresh that follows the upstream: the identity as the upstream confirms it now is what the new tokens say. Whether and
// whom to ask is passed in.
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { doesFor } from '../../claims/mapping/client-claims.ts'
import { UpstreamError } from '../../errors.ts'
import type { Identities, Identity } from '../../storage/sessions/identities.ts'
import { account, outlivesSession, type KnownAccount } from '../people/account.ts'

export interface FollowUpstream {
  /** False: the app must not get a refresh token. */
  join(identity: Identity, clientId: string, grantId: string): Promise<boolean>
  /** Rejects with UpstreamError `refresh_rejected` (all is over), `unavailable` (nobody could be asked). */
  refresh(request: { identity: Identity; clientId: string; sessionUid: string }): Promise<Identity>
}

/** The token stays as good as it was: it has not been used yet. */
export class UpstreamUnavailable extends errors.OIDCProviderError {
  // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
  override error_description = 'the identity provider does not answer, try again shortly'
  override allow_redirect = false
  override expose = true
  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable', { cause } as never)
  }
}

/** Rejects with what the app is told. */
export async function followUpstream(
  { refresh }: FollowUpstream,
  identities: Identities,
  { oidc }: KoaContextWithOIDC,
): Promise<void> {
  const { grantId = '', sessionUid = '', scope } = oidc.entities.RefreshToken ?? {}
  const { identity: found } = oidc.account as KnownAccount
  const clientId = oidc.client?.clientId ?? ''
  const identity = await refresh({ identity: found, clientId, sessionUid }).catch(refuse)
  if (identity === found) return
  if (!doesFor(identity, clientId)) throw new errors.InvalidGrant('the identity does not do here')
  if (outlivesSession(scope)) await identities.replaceForGrant(grantId, found, identity)
  else await identities.replace(sessionUid, found, identity)
  oidc.entity('Account', account(identity, clientId))
}

function refuse(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error
  if (error.code === 'refresh_rejected')
    throw new errors.InvalidGrant('the sign-in at the identity provider is over')
  throw new UpstreamUnavailable(error)
}
