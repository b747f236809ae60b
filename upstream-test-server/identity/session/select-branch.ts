// POST /api/auth/select-branch: the account's token becomes one for a branch, once.
import { IdentityError } from '../api/identity-error.ts'
import type { InBranch } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import { newJti, newRefreshToken } from './identity-tokens.ts'
import { contextIn, ownerOf, requireSameSession, sessionOf } from './resume.ts'
import type { Shown } from './resume.ts'
import { inBranch } from './session-answers.ts'

/** `branchIdOf` reads the body; it is asked once the token holds. @throws {IdentityError} */
export function selectBranch(
  parts: IdentityParts,
  { accessToken, refreshToken: shown }: Shown,
  branchIdOf: () => string,
): InBranch {
  const { sessions, tokens, log } = parts
  const { token, session } = sessionOf(parts, accessToken)
  if (token.use === 'system') throw new IdentityError('INVALID_TOKEN')
  if (session.branchId !== undefined) throw new IdentityError('BRANCH_ALREADY_SELECTED')
  if (token.jti !== session.jti) throw new IdentityError('INVALID_TOKEN')
  requireSameSession(parts, session.id, shown)
  const branchId = branchIdOf()
  const known = ownerOf(parts, session)
  const context = contextIn(parts, session.accountId, branchId)
  tokens.requireKey()
  const next = { jti: newJti(), refreshToken: newRefreshToken() }
  if (!sessions.selectBranch(session, branchId, next))
    throw new IdentityError('BRANCH_ALREADY_SELECTED')
  log.info('identity.branch_selected', { sub: known.user.sub, session_id: session.id })
  return inBranch(parts, known, context, { session, ...next })
}
