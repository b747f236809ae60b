// GET /api/auth/context: who it is, in which workspace and branch, and until when; asked of the store, not of the token.
import { IdentityError } from '../api/identity-error.ts'
import type { Context } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import { contextIn, ownerOf, sessionOf } from './resume.ts'
import { shownContext } from './session-answers.ts'

/** @throws {IdentityError} */
export function currentContext(parts: IdentityParts, accessToken: string | undefined): Context {
  const { token, session } = sessionOf(parts, accessToken)
  const known = ownerOf(parts, session)
  if (token.use !== 'branch') throw new IdentityError('BRANCH_CONTEXT_REQUIRED')
  return shownContext(known, contextIn(parts, session.accountId, token.branchId), session)
}
