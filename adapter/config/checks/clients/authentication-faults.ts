// Rules of how one app proves itself: exactly one way, and what it needs.
import { authMethodOf, type ClientAuthMethod } from '../../client-schema/is-confidential.ts'
import type { ClientConfig } from '../../schema.ts'

type Fault = { setting: string; message: string } | undefined
type Rule = (client: ClientConfig, method: ClientAuthMethod) => Fault

const RULES: readonly Rule[] = [ambiguousFault, missingFault, uselessFault, algFault]

/** The first thing that is wrong; the others follow from it. */
export function authenticationFault(client: ClientConfig): Fault {
  const method = authMethodOf(client)
  return RULES.map((rule) => rule(client, method)).find((fault) => fault !== undefined)
}

function ambiguousFault({ client_secret: secret, jwks, ...client }: ClientConfig): Fault {
  const isSaid = client.token_endpoint_auth_method !== undefined
  return isSaid || secret === undefined || jwks === undefined
    ? undefined
    : {
        setting: 'token_endpoint_auth_method',
        message: 'With both a secret and jwks, say here which of them the app proves itself with',
      }
}

const NEEDED = {
  client_secret_basic: 'client_secret',
  client_secret_post: 'client_secret',
  private_key_jwt: 'jwks',
} as const

function missingFault(client: ClientConfig, method: ClientAuthMethod): Fault {
  if (method === 'none' || client[NEEDED[method]] !== undefined) return undefined
  const setting = NEEDED[method]
  return { setting, message: `Required with token_endpoint_auth_method ${method}` }
}

/** A secret that is never asked for gives a feeling of safety, and nothing else. */
function uselessFault(client: ClientConfig, method: ClientAuthMethod): Fault {
  const isAsked = method !== 'none' && method !== 'private_key_jwt'
  if (isAsked || client.client_secret === undefined) return undefined
  const message = `Never asked for with token_endpoint_auth_method ${method}: leave one of them out`
  return { setting: 'client_secret', message }
}

function algFault(client: ClientConfig, method: ClientAuthMethod): Fault {
  const { token_endpoint_auth_signing_alg: alg, jwks } = client
  if (alg === undefined) return undefined
  const fault = (message: string) => ({ setting: 'token_endpoint_auth_signing_alg', message })
  if (method !== 'private_key_jwt') return fault('Only used with private_key_jwt')
  const kty = alg.startsWith('Ed') ? 'OKP' : alg.startsWith('ES') ? 'EC' : 'RSA'
  const fits = jwks?.keys.some((key) => key.kty === kty && (key.alg ?? alg) === alg)
  return fits === true ? undefined : fault('None of its jwks is a key for this algorithm')
}
