// A session that goes on: whose it is, and whether they may still have it.
import { IdentityError } from '../api/identity-error.ts'
import type { IdentityParts } from '../identity-parts.ts'
import type { Known } from '../sign-in/check-password.ts'
import { branchContexts, requireUsable } from '../sign-in/standing.ts'
import type { BranchContext } from '../sign-in/standing.ts'
import type { AuthSession } from '../store/auth-sessions.ts'
import type { VerifiedToken } from './identity-tokens.ts'

/** What a request shows of itself. */
export interface Shown {
  /** From the Authorization header. */
  accessToken: string | undefined
  /** From body or cookie. */
  refreshToken: string | undefined
}

/** @throws {IdentityError} INVALID_TOKEN */
export function sessionOf(
  { tokens, sessions }: IdentityParts,
  accessToken: string | undefined,
): { token: VerifiedToken; session: AuthSession } {
  const token = tokens.verify(accessToken)
  const session = sessions.find(token.sessionId)
  if (!session) throw new IdentityError('INVALID_TOKEN')
  return { token, session }
}

/** @throws {IdentityError} INVALID_TOKEN, ACCOUNT_DISABLED, ACCOUNT_LOCKED */
export function ownerOf(parts: IdentityParts, { accountId }: AuthSession): Known {
  const account = parts.accounts.find(accountId)
  const user = account && parts.users.find(account.sub)
  if (!account || !user) throw new IdentityError('INVALID_TOKEN')
  requireUsable(parts, user)
  return { account, user }
}

/** @throws {IdentityError} BRANCH_NOT_ALLOWED, and where there is no branch at all */
export function contextIn(
  parts: IdentityParts,
  accountId: string,
  branchId: string | undefined,
): BranchContext {
  const contexts = branchContexts(parts, accountId)
  const context = contexts.find(({ branch }) => branch.id === branchId)
  if (!context) throw new IdentityError('BRANCH_NOT_ALLOWED')
  return context
}

/** The two tokens of one request have to be of one session. @throws {IdentityError} INVALID_REFRESH_TOKEN */
export function requireSameSession(
  { sessions }: IdentityParts,
  sessionId: string,
  refreshToken: string | undefined,
): void {
  if (refreshToken === undefined) return
  if (sessions.findByRefreshToken(refreshToken)?.session.id !== sessionId)
    throw new IdentityError('INVALID_REFRESH_TOKEN')
}
