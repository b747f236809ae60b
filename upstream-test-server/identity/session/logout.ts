// POST /api/auth/logout: the session of the access token, or of the refresh token, ends. Signing out twice is no fault.
import type { IdentityParts } from '../identity-parts.ts'
import { requireSameSession } from './resume.ts'
import type { Shown } from './resume.ts'

/** @throws {IdentityError} INVALID_TOKEN, INVALID_REFRESH_TOKEN */
export function logout(parts: IdentityParts, { accessToken, refreshToken }: Shown): void {
  const { tokens, sessions, log } = parts
  const byRefresh = () => sessions.findByRefreshToken(refreshToken ?? '')?.session.id
  const byAccess = () => tokens.verify(accessToken).sessionId
  const id = accessToken === undefined ? byRefresh() : byAccess()
  if (id === undefined || sessions.find(id) === undefined) return
  requireSameSession(parts, id, refreshToken)
  sessions.revoke(id)
  log.info('identity.logged_out', { session_id: id })
}
