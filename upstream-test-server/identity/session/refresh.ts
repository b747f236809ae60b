// POST /api/auth/refresh: a new pair of tokens for the latest refresh token. One that comes back ends the session:
// https://www.rfc-editor.org/rfc/rfc9700.html#section-4.14.2
import { IdentityError } from '../api/identity-error.ts'
import type { Refreshed } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import type { AuthSession } from '../store/auth-sessions.ts'
import { newJti, newRefreshToken } from './identity-tokens.ts'
import { contextIn, ownerOf } from './resume.ts'
import type { Shown } from './resume.ts'
import { accountAuth, branchAuth } from './session-answers.ts'

function endReused({ sessions, log }: IdentityParts, { id }: AuthSession): never {
  sessions.revoke(id)
  log.warn('identity.refresh_reused', { session_id: id })
  throw new IdentityError('INVALID_REFRESH_TOKEN')
}

function sessionFor(parts: IdentityParts, { accessToken, refreshToken = '' }: Shown): AuthSession {
  const found = parts.sessions.findByRefreshToken(refreshToken)
  if (!found) throw new IdentityError('INVALID_REFRESH_TOKEN')
  const { session, isUsedUp } = found
  // An access token that comes along, expired or not, has to be of the same session: of whom is this request otherwise?
  const isMixed =
    accessToken !== undefined &&
    parts.tokens.verify(accessToken, { mayBeExpired: true }).sessionId !== session.id
  if (isMixed) throw new IdentityError('INVALID_REFRESH_TOKEN')
  return isUsedUp ? endReused(parts, session) : session
}

/** Of any number at once with the same token one gets an answer, and the session ends. @throws {IdentityError} */
export function refresh(
  parts: IdentityParts,
  shown: Shown,
): { data: Refreshed; session: AuthSession } {
  const session = sessionFor(parts, shown)
  const { user } = ownerOf(parts, session)
  const { branchId, accountId } = session
  const context = branchId === undefined ? undefined : contextIn(parts, accountId, branchId)
  parts.tokens.requireKey()
  const next = { jti: newJti(), refreshToken: newRefreshToken() }
  if (!parts.sessions.rotate(session, shown.refreshToken ?? '', next)) endReused(parts, session)
  parts.log.info('identity.refreshed', { sub: user.sub, session_id: session.id })
  const fresh = { session, ...next }
  const auth = context ? branchAuth(parts, user, context, fresh) : accountAuth(parts, user, fresh)
  return { data: { auth }, session }
}
