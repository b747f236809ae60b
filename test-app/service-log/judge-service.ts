// Finds out which service speaks: the issuer that a token names, not believed yet, decides who judges it.
import { decodeJwt } from 'jose'
import type { JWTPayload } from 'jose'
import type { Log } from '../../service/log.ts'
import { shortHash } from '../audit/hashes.ts'
import { RefusedToken } from './refusal.ts'
import type { TokenCheck } from './token-checks.ts'

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Judges by the check of the token's issuer. */
export function createServiceJudge(checks: ReadonlyMap<string, TokenCheck>): TokenCheck {
  return async (token) => {
    const check = checks.get(claimsOf(token).iss ?? '')
    if (!check) throw new RefusedToken('issuer')
    return check(token)
  }
}

/** With a log line that says what the token was and whether it was good. */
export function loggedCheck(check: TokenCheck, log: Log): TokenCheck {
  return async (token) => {
    const startedAt = performance.now()
    const note = (reason?: string) =>
      log.info('token.verified', {
        token_hash: shortHash(token),
        via: 'worker',
        valid: reason === undefined,
        reason,
        ...(reason === undefined && { claims: shown(claimsOf(token)) }),
        ms: Math.round((performance.now() - startedAt) * 100) / 100,
      })
    try {
      const service = await check(token)
      note()
      return service
    } catch (error) {
      note(error instanceof RefusedToken ? error.reason : 'not_judged')
      throw error
    }
  }
}

const shown = ({ iss, sub, aud, iat, exp }: JWTPayload) => ({ iss, sub, aud, iat, exp })

function claimsOf(token: string): JWTPayload {
  if (!COMPACT.test(token)) throw new RefusedToken('malformed')
  try {
    return decodeJwt(token)
  } catch {
    throw new RefusedToken('malformed')
  }
}
