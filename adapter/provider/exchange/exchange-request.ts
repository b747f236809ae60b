// The parameters of a token exchange, read and judged as far as they say it by themselves: what is not offered is refused here.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { invalidTarget, refused } from './exchange-errors.ts'

// https://www.rfc-editor.org/rfc/rfc8693#section-2.1
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
// https://www.rfc-editor.org/rfc/rfc8693#section-3
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

export const EXCHANGE_PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'audience',
  'resource',
  'scope',
]

export interface ExchangeRequest {
  subjectToken: string
  subjectTokenType: string
  audience: string | undefined
  scope: string | undefined
}

/** More than any token; what is longer is not looked at. */
const MAX_TOKEN_LENGTH = 32_768
const MAX_NAME_LENGTH = 2048

/** @throws the error that the client is told */
export function readExchange({ oidc, req }: KoaContextWithOIDC): ExchangeRequest {
  const params = (oidc.params ?? {}) as Record<string, string | undefined>
  // https://www.rfc-editor.org/rfc/rfc8693#section-1.1: nobody acts for another here
  if (params['actor_token'] !== undefined || params['actor_token_type'] !== undefined)
    throw refused('actor tokens are not supported')
  if (req.headers['dpop'] !== undefined) throw refused('DPoP is not supported for this grant type')
  const type = params['requested_token_type'] ?? ACCESS_TOKEN
  if (type !== ACCESS_TOKEN) throw refused('requested_token_type is not supported')
  return {
    subjectToken: text(params, 'subject_token', MAX_TOKEN_LENGTH),
    subjectTokenType: text(params, 'subject_token_type', MAX_NAME_LENGTH),
    audience: target(params),
    scope: params['scope'],
  }
}

function text(params: Record<string, string | undefined>, name: string, max: number): string {
  const value = params[name]
  if (value === undefined || value === '') throw refused(`${name} is missing`)
  if (value.length > max) throw refused(`${name} is too long`)
  return value
}

/** Either names the service: https://www.rfc-editor.org/rfc/rfc8693#section-2.1 */
function target({ audience, resource }: Record<string, string | undefined>): string | undefined {
  if (audience !== undefined && resource !== undefined) throw invalidTarget('two targets')
  const name = audience ?? resource
  if (name !== undefined && name.length > MAX_NAME_LENGTH) throw invalidTarget('too long')
  return name
}
