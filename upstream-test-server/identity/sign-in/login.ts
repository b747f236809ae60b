// POST /api/auth/login and the path of accounts for programs: who is known gets a session.
import { IdentityError } from '../api/identity-error.ts'
import type { Choosing, InBranch, LoginBody, SystemLogin } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import { accessTokenSeconds, newJti, newRefreshToken } from '../session/identity-tokens.ts'
import {
  choosing,
  inBranch,
  sessionSeconds,
  shownAccount,
  systemToken,
} from '../session/session-answers.ts'
import type { NewSession } from '../store/auth-sessions.ts'
import { checkPassword } from './check-password.ts'
import type { Known } from './check-password.ts'
import { branchContexts, requireUsable } from './standing.ts'

/** Nothing may stand in its way any more. */
function startSession(parts: IdentityParts, known: Known, session: Omit<NewSession, 'accountId'>) {
  const { account, user } = known
  const started = parts.sessions.start({ ...session, accountId: account.id })
  parts.log.info('identity.login_succeeded', { sub: user.sub, session_id: started.id })
  return { started, known: { user, account: { ...account, lastLoginAt: started.createdAt } } }
}

/** @throws {IdentityError} */
export async function login(
  parts: IdentityParts,
  body: LoginBody,
  address: string,
): Promise<InBranch | Choosing> {
  const checked = await checkPassword(parts, body, address)
  if (checked.account.kind === 'SYSTEM') throw new IdentityError('SYSTEM_ACCOUNT')
  requireUsable(parts, checked.user)
  const contexts = branchContexts(parts, checked.account.id)
  parts.tokens.requireKey()
  const only = contexts.length === 1 ? contexts[0] : undefined
  const [jti, refreshToken] = [newJti(), newRefreshToken()]
  const ttlSeconds = sessionSeconds
  const wanted = { branchId: only?.branch.id, jti, refreshToken, ttlSeconds }
  const { started: session, known } = startSession(parts, checked, wanted)
  const fresh = { session, jti, refreshToken }
  return only ? inBranch(parts, known, only, fresh) : choosing(parts, known, contexts, fresh)
}

/** Without branch and refresh token: a program signs in again. @throws {IdentityError} */
export async function systemLogin(
  parts: IdentityParts,
  body: LoginBody,
  address: string,
): Promise<SystemLogin> {
  const checked = await checkPassword(parts, body, address)
  if (checked.account.kind !== 'SYSTEM') throw new IdentityError('NOT_A_SYSTEM_ACCOUNT')
  requireUsable(parts, checked.user)
  parts.tokens.requireKey()
  const wanted = { jti: newJti(), ttlSeconds: accessTokenSeconds }
  const { started, known } = startSession(parts, checked, wanted)
  const systemAccessToken = systemToken(parts, known.user, started)
  const auth = { tokenType: 'Bearer' as const, systemAccessToken, expiresIn: accessTokenSeconds }
  return { account: shownAccount(known), auth }
}
