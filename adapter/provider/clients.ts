// Turns the configured clients into oidc-provider's client metadata. What a client may do is decided here and nowhere else.
import type { ClientMetadata } from 'oidc-provider'
import { authMethodOf, isConfidential } from '../config/client-schema/is-confidential.ts'
import type { ClientConfig } from '../config/schema.ts'
import { secretMetadata } from './client-authentication/client-secrets.ts'
import { TOKEN_EXCHANGE } from './exchange/exchange-request.ts'
import { sectorOf } from './people/client-subjects.ts'

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)[:/]/

/** The metadata of each client (RFC 7591, section 2: https://www.rfc-editor.org/rfc/rfc7591#section-2). */
export function clientMetadata(
  clients: Record<string, ClientConfig>,
  alg: string,
): ClientMetadata[] {
  return Object.entries(clients).map(([client_id, client]) => metadata(client_id, client, alg))
}

function metadata(client_id: string, client: ClientConfig, alg: string): ClientMetadata {
  return {
    client_id,
    ...(client.client_name === undefined ? {} : { client_name: client.client_name }),
    ...(client.client_uri === undefined ? {} : { client_uri: client.client_uri }),
    ...authentication(client),
    application_type: isNative(client) ? 'native' : 'web',
    redirect_uris: client.redirect_uris,
    post_logout_redirect_uris: client.post_logout_redirect_uris,
    response_types: client.grant_types.includes('authorization_code') ? ['code'] : [],
    response_modes: client.redirect_uris.some(isPrivateUse) ? ['query'] : ['query', 'form_post'],
    grant_types: grantTypes(client),
    scope: client.scope,
    dpop_bound_access_tokens: client.dpop_bound_access_tokens,
    require_pushed_authorization_requests: client.require_pushed_authorization_requests,
    ...(client.require_signed_request_object ? { require_signed_request_object: true } : {}),
    ...subjectType(client),
    introspection_signed_response_alg: alg as 'RS256',
    id_token_signed_response_alg: alg as NonNullable<
      ClientMetadata['id_token_signed_response_alg']
    >,
  }
}

function grantTypes({ grant_types, refresh, exchange }: ClientConfig): string[] {
  return [
    ...grant_types,
    ...(refresh ? ['refresh_token'] : []),
    ...(exchange ? [TOKEN_EXCHANGE] : []),
  ]
}

function authentication(client: ClientConfig): Partial<ClientMetadata> {
  const { jwks, token_endpoint_auth_signing_alg: alg } = client
  return {
    token_endpoint_auth_method: authMethodOf(client),
    ...(alg === undefined ? {} : { token_endpoint_auth_signing_alg: alg }),
    ...(jwks === undefined ? {} : { jwks: jwks as NonNullable<ClientMetadata['jwks']> }),
    ...secretMetadata(client),
  }
}

/** The URL is there because oidc-provider asks for one where there are several hosts; nothing is ever fetched from it. */
function subjectType(client: ClientConfig): Partial<ClientMetadata> {
  if (client.subject !== 'pairwise') return {}
  return { subject_type: 'pairwise', sector_identifier_uri: `https://${sectorOf(client)}/` }
}

/** RFC 8252, section 7.1: https://www.rfc-editor.org/rfc/rfc8252#section-7.1 */
const isPrivateUse = (uri: string) => !/^https?:/.test(uri)

/** A public client on loopback or a private-use scheme is a native app: any loopback port then matches (RFC 8252, section 7.3: https://www.rfc-editor.org/rfc/rfc8252#section-7.3). */
function isNative(client: ClientConfig): boolean {
  return (
    !isConfidential(client) &&
    client.redirect_uris.some((uri) => LOOPBACK.test(uri) || isPrivateUse(uri))
  )
}

/** Every scope any client may ask for; `openid` always. */
export function allScopes(clients: Record<string, ClientConfig>): string[] {
  return [
    ...new Set([
      'openid',
      ...Object.values(clients).flatMap((client) => client.scope.split(/\s+/).filter(Boolean)),
    ]),
  ]
}
