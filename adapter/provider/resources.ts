// The one resource server until more are configured: its access tokens are JWTs whose audience is the client itself.
import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'
import type { ClientConfig } from '../config/schema.ts'

/** Never on the wire: oidc-provider mints a JWT only for a resource, and a resource must be an absolute URI. */
export const DEFAULT_RESOURCE = 'urn:auth-adapter:client'

interface ClientLike {
  clientId: string
}

/** oidc-provider's `features.resourceIndicators` (RFC 8707: https://www.rfc-editor.org/rfc/rfc8707#section-2). */
export function resourceIndicators(clients: Record<string, ClientConfig>, alg: string) {
  return {
    enabled: true,
    defaultResource: (_ctx: KoaContextWithOIDC, _client: ClientLike, oneOf?: readonly string[]) =>
      oneOf?.[0] ?? DEFAULT_RESOURCE,
    useGrantedResource: () => true,
    getResourceServerInfo: (
      _ctx: KoaContextWithOIDC,
      resource: string,
      { clientId }: ClientLike,
    ): ResourceServer => {
      const client = clients[clientId]
      if (resource !== DEFAULT_RESOURCE || !client) throw new errors.InvalidTarget()
      return {
        scope: client.scope,
        audience: clientId,
        accessTokenFormat: 'jwt',
        accessTokenTTL: client.access_token.ttl,
        jwt: { sign: { alg: alg as 'RS256' } },
      }
    },
  }
}
