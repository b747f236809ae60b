// What a session is told: tokens for a branch or for choosing one, in the shapes of the API.
import type { User } from '../../people/users.ts'
import type { Choosing, Context, InBranch } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import type { BranchContext } from '../sign-in/standing.ts'
import type { Known } from '../sign-in/check-password.ts'
import type { AuthSession } from '../store/auth-sessions.ts'
import { accessTokenSeconds } from './identity-tokens.ts'
import type { TokenUse } from './identity-tokens.ts'

export const sessionSeconds = 604_800

const isoOf = (milliseconds: number | undefined) =>
  milliseconds === undefined ? null : new Date(milliseconds).toISOString()

const active = 'ACTIVE' as const

export const shownAccount = ({ account }: Known): InBranch['account'] => ({
  id: account.id,
  email: account.email,
  kind: account.kind,
  status: active,
  lastLoginAt: isoOf(account.lastLoginAt),
})

const shownPlace = ({ workspace, member }: BranchContext) => ({
  workspace: { ...workspace, status: active },
  member: { ...member, status: active },
})

/** The session with its latest access token and the refresh token that goes with it. */
export interface Fresh {
  session: AuthSession
  jti: string
  refreshToken: string
}

function accessToken(
  { tokens }: IdentityParts,
  use: TokenUse,
  user: User,
  { session, jti }: Omit<Fresh, 'refreshToken'>,
  further = {},
): string {
  const { id: sessionId, createdAt: authenticatedAt } = session
  return tokens.issue({ use, user, sessionId, jti, authenticatedAt, further })
}

export function branchAuth(
  parts: IdentityParts,
  user: User,
  { workspace, member, branch }: BranchContext,
  fresh: Fresh,
): InBranch['auth'] {
  const place = { workspace_id: workspace.id, member_id: member.id, branch_id: branch.id }
  const branch_roles = [...new Set([...member.roles, ...branch.roles])]
  const leftMilliseconds = fresh.session.expiresAt - parts.now()
  return {
    tokenType: 'Bearer',
    accessToken: accessToken(parts, 'branch', user, fresh, { ...place, branch_roles }),
    refreshToken: fresh.refreshToken,
    expiresIn: accessTokenSeconds,
    refreshExpiresIn: Math.max(1, Math.ceil(leftMilliseconds / 1000)),
  }
}

export const accountAuth = (parts: IdentityParts, user: User, fresh: Fresh): Choosing['auth'] => ({
  tokenType: 'Bearer',
  accountAccessToken: accessToken(parts, 'account', user, fresh),
  refreshToken: fresh.refreshToken,
})

export const systemToken = (parts: IdentityParts, user: User, session: AuthSession): string =>
  accessToken(parts, 'system', user, { session, jti: session.jti })

export const inBranch = (
  parts: IdentityParts,
  known: Known,
  context: BranchContext,
  fresh: Fresh,
): InBranch => ({
  account: shownAccount(known),
  ...shownPlace(context),
  branches: [context.branch],
  auth: branchAuth(parts, known.user, context, fresh),
  nextAction: { type: 'load_current_context' },
})

export const choosing = (
  parts: IdentityParts,
  { user }: Known,
  contexts: readonly BranchContext[],
  fresh: Fresh,
): Choosing => ({
  branches: contexts.map(({ branch }) => branch),
  auth: accountAuth(parts, user, fresh),
  nextAction: { type: 'select_branch', redirectTo: '/select-branch' },
})

export const shownContext = (
  known: Known,
  context: BranchContext,
  { id, expiresAt }: AuthSession,
): Context => ({
  account: shownAccount(known),
  ...shownPlace(context),
  branch: context.branch,
  session: { id, expiresAt: new Date(expiresAt).toISOString() },
})
