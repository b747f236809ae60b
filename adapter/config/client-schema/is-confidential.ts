// How an app proves that it is itself, and whether it can at all. The one place that says so; the proof itself is judged in
// provider/.
import type { ClientConfig } from '../schema.ts'

export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const
/** What `private_key_jwt` may be signed with; a shared secret (HS256) is no key of its own. */
export const CLIENT_AUTH_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const

export type ClientAuthMethod = (typeof CLIENT_AUTH_METHODS)[number]

/** What an app may prove itself with. */
export type ClientCredentials = Pick<
  ClientConfig,
  'client_secret' | 'client_secrets' | 'jwks' | 'token_endpoint_auth_method'
>

/** In whatever form. */
export function hasSecret(client: Pick<ClientCredentials, 'client_secret' | 'client_secrets'>) {
  return client.client_secret !== undefined || client.client_secrets !== undefined
}

export function authMethodOf(client: ClientCredentials): ClientAuthMethod {
  if (client.token_endpoint_auth_method !== undefined) return client.token_endpoint_auth_method
  if (hasSecret(client)) return 'client_secret_basic'
  return client.jwks === undefined ? 'none' : 'private_key_jwt'
}

/** Confidential or public, as RFC 6749 tells clients apart (https://www.rfc-editor.org/rfc/rfc6749#section-2.1). */
export function isConfidential(client: ClientCredentials): boolean {
  return authMethodOf(client) !== 'none'
}
