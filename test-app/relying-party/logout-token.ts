// Judges a logout token of the adapter (OpenID Connect Back-Channel Logout).
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'

export interface LogoutTokenOptions {
  readonly issuer: string
  readonly clientId: string
  readonly now: () => number
  readonly jwksUri: () => Promise<string>
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

/**
 * The `sid` of a token that holds; undefined otherwise. That its jti is new is not asked: a session ends once. Rejects when
 * the adapter's metadata can not be had.
 */
export function createLogoutTokenJudge({ issuer, clientId, now, jwksUri }: LogoutTokenOptions) {
  let keys: { uri: string; find: ReturnType<typeof createRemoteJWKSet> } | undefined
  return async (token: string): Promise<string | undefined> => {
    const uri = await jwksUri()
    if (keys?.uri !== uri) keys = { uri, find: createRemoteJWKSet(new URL(uri)) }
    const expected = {
      issuer,
      audience: clientId,
      // https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation
      typ: 'logout+jwt',
      algorithms: ALGORITHMS,
      requiredClaims: ['iat', 'exp', 'jti', 'events', 'sid'],
      currentDate: new Date(now()),
    }
    const verified = await jwtVerify(token, keys.find, expected).catch(() => undefined)
    return verified && sidOf(verified.payload)
  }
}

function sidOf({ sid, nonce, events }: JWTPayload): string | undefined {
  const isLogout = typeof events === 'object' && events !== null && EVENT in events
  return isLogout && nonce === undefined && typeof sid === 'string' ? sid : undefined
}
