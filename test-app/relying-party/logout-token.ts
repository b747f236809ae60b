// Judges a logout token of the adapter (OpenID Connect Back-Channel Logout).
import { jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { SIGNING_ALGORITHMS } from '../authentication/token/adapter-keys.ts'

export interface LogoutTokenOptions {
  readonly issuer: string
  readonly clientId: string
  readonly now: () => number
  readonly findKey: JWTVerifyGetKey
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * The `sid` of a token that holds; undefined otherwise, also while the adapter's keys can not be had. That its jti is new is
 * not asked: a session ends once.
 */
export function createLogoutTokenJudge({ issuer, clientId, now, findKey }: LogoutTokenOptions) {
  return async (token: string): Promise<string | undefined> => {
    const expected = {
      issuer,
      audience: clientId,
      // https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation
      typ: 'logout+jwt',
      algorithms: SIGNING_ALGORITHMS,
      requiredClaims: ['iat', 'exp', 'jti', 'events', 'sid'],
      currentDate: new Date(now()),
    }
    const verified = await jwtVerify(token, findKey, expected).catch(() => undefined)
    return verified && sidOf(verified.payload)
  }
}

function sidOf({ sid, nonce, events }: JWTPayload): string | undefined {
  const isLogout = typeof events === 'object' && events !== null && EVENT in events
  return isLogout && nonce === undefined && typeof sid === 'string' ? sid : undefined
}
