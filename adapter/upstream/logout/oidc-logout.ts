// Logout at one OpenID Connect upstream, as the contract in upstream.ts has it.
import { isIssuerOf } from '../identity/tenant-issuer.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import type { MetadataSource } from '../metadata/discovery.ts'
import type { UpstreamLogout } from '../upstream.ts'
import { verifyLogoutToken } from './verify-logout-token.ts'
import type { LogoutTokenExpectation } from './verify-logout-token.ts'

export interface OidcLogoutParts {
  metadata: MetadataSource
  jwks: JwksCache
  /** What is true of every token of this upstream. */
  idToken: Omit<LogoutTokenExpectation, 'now'>
  /** Epoch milliseconds. */
  now: () => number
}

/** A browser that is sent to a server that is gone does not come back: what was heard longer ago is asked for again. */
const HEARD_WITHIN_MS = 10_000

export function createOidcLogout({
  metadata,
  jwks,
  idToken,
  now,
}: OidcLogoutParts): UpstreamLogout {
  return {
    async endSessionUrl({ id_token_hint: hint, post_logout_redirect_uri, state }) {
      const { end_session_endpoint: endpoint } = await metadata.recent(HEARD_WITHIN_MS)
      if (endpoint === undefined) return undefined
      const url = new URL(endpoint)
      // https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
      const parameters = { client_id: idToken.clientId, post_logout_redirect_uri, state }
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      if (hint !== undefined) url.searchParams.set('id_token_hint', hint)
      return url
    },
    verifyLogoutToken: (token) => verifyLogoutToken(token, jwks, { ...idToken, now: now() }),
    isIssuer: (iss) => isIssuerOf(idToken.issuer, iss),
  }
}
