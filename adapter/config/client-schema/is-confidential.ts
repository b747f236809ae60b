// Whether an app can prove that it is itself. The one place that says so; how it proves it belongs to the provider.
import type { ClientConfig } from '../schema.ts'

/** What an app may prove itself with. */
export type ClientCredentials = Pick<ClientConfig, 'client_secret'>

/** Confidential or public, as RFC 6749 tells clients apart (https://www.rfc-editor.org/rfc/rfc6749#section-2.1). */
export function isConfidential(client: ClientCredentials): boolean {
  return client.client_secret !== undefined
}
