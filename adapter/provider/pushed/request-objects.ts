// Authorization requests that the app has signed (RFC 9101), by value: with which algorithms, and what such a request has to
// say beside what oidc-provider asks (signature, iss, aud, and that it is not over). None is ever fetched.
import { errors, type Client, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { CLIENT_AUTH_ALGS } from '../../config/client-schema/is-confidential.ts'
import type { Config } from '../../config/schema.ts'

export const REQUEST_OBJECT_ALGS = CLIENT_AUTH_ALGS

/** https://openid.net/specs/fapi-message-signing-2_0-final.html#section-5.3.1: an hour at most, either way. */
const LONGEST_SECONDS = 3600
/** A JWT of another kind, signed with the same key, is no request: https://www.rfc-editor.org/rfc/rfc9101#section-10.8 */
const TYPES = ['jwt', 'oauth-authz-req+jwt']

interface Claims {
  client_id?: unknown
  sub?: unknown
  exp?: unknown
  nbf?: unknown
}

/** What is wrong with it; undefined when nothing is. `now` in seconds. */
export function requestObjectFault(
  { client_id, sub, exp, nbf }: Claims,
  header: { typ?: unknown; alg?: unknown },
  { clientId, now, isFapi }: { clientId: string; now: number; isFapi: boolean },
): string | undefined {
  if (!isOfType(header.typ)) return 'this type of JWT is no authorization request'
  // https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1
  if (isFapi && header.alg === 'RS256') return 'expected PS256, ES256 or EdDSA'
  // https://www.rfc-editor.org/rfc/rfc9101#section-5
  if (client_id !== clientId) return 'expected client_id in it, as beside it'
  // https://www.rfc-editor.org/rfc/rfc9101#section-10.8: or a client assertion would be one
  if (sub === clientId) return 'expected no sub'
  if (typeof exp !== 'number' || exp > now + LONGEST_SECONDS)
    return `expected exp to be ${LONGEST_SECONDS} s away at most`
  return typeof nbf === 'number' && nbf < now - LONGEST_SECONDS ? 'made too long ago' : undefined
}

function isOfType(typ: unknown): boolean {
  if (typ === undefined) return true
  return typeof typ === 'string' && TYPES.includes(typ.toLowerCase().replace(/^application\//, ''))
}

/** Off unless an app has keys. */
export function requestObjects(
  { clients }: Pick<Config, 'clients'>,
  now: () => number,
): NonNullable<Configuration['features']>['requestObjects'] {
  return {
    enabled: Object.values(clients).some(({ jwks }) => jwks !== undefined),
    requireSignedRequestObject: false,
    assertJwtClaimsAndHeader: async (
      { oidc }: KoaContextWithOIDC,
      claims: Claims,
      header: { typ?: unknown; alg?: unknown },
      client: Client,
    ) => {
      // What was pushed was judged then; unsigned, it is of our own making.
      if ('PushedAuthorizationRequest' in oidc.entities) return
      if (client.jwks === undefined) throw new errors.RequestNotSupported()
      const isFapi = clients[client.clientId]?.profile === 'fapi2'
      const at = { clientId: client.clientId, now: Math.floor(now() / 1000), isFapi }
      const fault = requestObjectFault(claims, header, at)
      if (fault !== undefined) throw new errors.InvalidRequestObject(fault)
    },
  }
}
