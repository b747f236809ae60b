// What a snippet is made of: one client, as its library needs to know it.
import {
  authMethodOf,
  type ClientAuthMethod,
} from '../../../config/client-schema/is-confidential.ts'
import type { ClientConfig, Config } from '../../../config/schema.ts'

export interface SnippetClient {
  issuer: string
  clientId: string
  method: ClientAuthMethod
  /** Of `scope`. */
  scopes: readonly string[]
  redirectUri: string
  needsPkce: boolean
  /** Of the settings that not every library meets by itself, those of the client. */
  demands: readonly Demand[]
  /** Whether the issuer is http, as only on loopback. */
  isPlainHttp: boolean
}

export interface Library {
  title: string
  /** Where the text goes. */
  file: string
  /** What it can prove itself with. */
  methods: readonly ClientAuthMethod[]
  text: (client: SnippetClient) => string
  /** Which demands the text meets. */
  meets?: readonly Demand[]
  /** What to know beside it. */
  notes?: (client: SnippetClient) => string[]
}

/** The variable that a snippet expects the secret in. */
export const SECRET_VARIABLE = 'OIDC_CLIENT_SECRET'
export const SECRETS = ['client_secret_basic', 'client_secret_post'] as const

export function snippetClient(
  { issuer }: Config,
  clientId: string,
  client: ClientConfig,
): SnippetClient {
  return {
    issuer,
    clientId,
    method: authMethodOf(client),
    scopes: client.scope.split(' '),
    redirectUri: client.redirect_uris[0] ?? 'https://app.example/callback',
    needsPkce: client.pkce === 'required',
    demands: (Object.keys(DEMANDS) as Demand[]).filter((setting) => client[setting]),
    isPlainHttp: issuer.startsWith('http:'),
  }
}

/** What not every library can do, nor does by itself. */
const DEMANDS = {
  require_pushed_authorization_requests: 'push each request first (PAR, RFC 9126)',
  require_signed_request_object: 'sign each request (RFC 9101)',
  dpop_bound_access_tokens: 'send DPoP proofs (RFC 9449)',
} as const

export type Demand = keyof typeof DEMANDS

/** What the client has to do and the text does not, in words. */
export function unmetDemands({ demands }: SnippetClient, { meets = [] }: Library): string[] {
  return demands
    .filter((setting) => !meets.includes(setting))
    .map(
      (setting) =>
        `This client has to ${DEMANDS[setting]}, as ${setting} says: see that the library does`,
    )
}

/** The lines of `parts` that are there. */
export const lines = (...parts: (string | false | undefined)[]): string =>
  parts.filter((part) => typeof part === 'string').join('\n')

/** A text for JavaScript, C#, Python and YAML alike. */
export const quoted = (text: string): string => JSON.stringify(text)
