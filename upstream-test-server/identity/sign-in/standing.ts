// Whether somebody who is known may have a session, and in which branches. Asked at the sign-in and again at each refresh.
import type { User } from '../../people/users.ts'
import { IdentityError } from '../api/identity-error.ts'
import type { ErrorCode } from '../api/identity-error.ts'
import type { IdentityParts } from '../identity-parts.ts'
import type { Membership } from '../store/memberships.ts'

/** @throws {IdentityError} ACCOUNT_DISABLED, ACCOUNT_LOCKED */
export function requireUsable({ people }: IdentityParts, { username, standing }: User): void {
  if (people.of(username).disabled === true || standing === 'DISABLED')
    throw new IdentityError('ACCOUNT_DISABLED')
  if (standing === 'LOCKED') throw new IdentityError('ACCOUNT_LOCKED')
}

export interface BranchContext extends Omit<Membership, 'branches'> {
  branch: Membership['branches'][number]
}

function remaining<T>(all: readonly T[], isOpen: (one: T) => boolean, otherwise: ErrorCode): T[] {
  const open = all.filter(isOpen)
  if (open.length === 0) throw new IdentityError(otherwise)
  return open
}

/** At least one. @throws {IdentityError} WORKSPACE_DISABLED, MEMBER_DISABLED, BRANCH_CONTEXT_REQUIRED */
export function branchContexts({ memberships }: IdentityParts, accountId: string): BranchContext[] {
  const all = memberships.of(accountId)
  if (all.length === 0) throw new IdentityError('BRANCH_CONTEXT_REQUIRED')
  const inUse = remaining(
    all,
    ({ workspace }) => workspace.status === 'ACTIVE',
    'WORKSPACE_DISABLED',
  )
  const own = remaining(inUse, ({ member }) => member.status === 'ACTIVE', 'MEMBER_DISABLED')
  const contexts = own.flatMap(({ branches, ...rest }) =>
    branches.map((branch) => ({ ...rest, branch })),
  )
  return remaining(contexts, () => true, 'BRANCH_CONTEXT_REQUIRED')
}
