// Rules of how one app proves itself: exactly one way, and what it needs.
import {
  authMethodOf,
  hasSecret,
  type ClientAuthMethod,
} from '../../client-schema/is-confidential.ts'
import type { ClientConfig, Config } from '../../schema.ts'
import type { CheckCircumstances } from '../check-config.ts'
import type { SettingFault } from '../schema-faults.ts'

type Fault = { setting: string; message: string } | undefined
type Rule = (client: ClientConfig, method: ClientAuthMethod) => Fault

const RULES: readonly Rule[] = [countFault, ambiguousFault, missingFault, uselessFault, algFault]

/** The first thing that is wrong; the others follow from it. */
export function authenticationFault(client: ClientConfig): Fault {
  const method = authMethodOf(client)
  return RULES.map((rule) => rule(client, method)).find((fault) => fault !== undefined)
}

/** Two at a time, so that one can replace the other. */
function countFault({ client_secret: plain, client_secrets: hashed = [] }: ClientConfig): Fault {
  const message = 'Two secrets at most, client_secret included'
  return plain !== undefined && hashed.length > 1
    ? { setting: 'client_secrets', message }
    : undefined
}

function ambiguousFault(client: ClientConfig): Fault {
  const isSaid = client.token_endpoint_auth_method !== undefined
  return isSaid || !hasSecret(client) || client.jwks === undefined
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
  if (method === 'none') return undefined
  const setting = NEEDED[method]
  const isThere = setting === 'jwks' ? client.jwks !== undefined : hasSecret(client)
  if (isThere) return undefined
  return { setting, message: `Required with token_endpoint_auth_method ${method}` }
}

/** A secret that is never asked for gives a feeling of safety, and nothing else. */
function uselessFault(client: ClientConfig, method: ClientAuthMethod): Fault {
  const isAsked = method !== 'none' && method !== 'private_key_jwt'
  if (isAsked || !hasSecret(client)) return undefined
  const message = `Never asked for with token_endpoint_auth_method ${method}: leave one of them out`
  const setting = client.client_secret === undefined ? 'client_secrets' : 'client_secret'
  return { setting, message }
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

/** 32 characters of a generated secret are 128 bits and more; nobody remembers so many. */
const SHORTEST_SECRET = 32

/** One that stands in the file itself is refused as such. */
export function shortSecretFaults(
  { clients }: Config,
  { isProduction, isLiteral }: CheckCircumstances,
): SettingFault[] {
  if (!isProduction) return []
  const message = `Expected ${SHORTEST_SECRET} characters or more in production, or client_secrets with the SHA-256 of a generated one`
  return Object.entries(clients).flatMap(([id, { client_secret: secret }]) => {
    const path = ['clients', id, 'client_secret']
    const isShort = secret !== undefined && secret.length < SHORTEST_SECRET
    return isShort && !isLiteral(path) ? [{ path, message }] : []
  })
}
