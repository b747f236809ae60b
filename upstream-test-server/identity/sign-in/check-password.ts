// Whose account it is, by e-mail address and password; says no more than yes or no until both are right.
import type { Account } from '../store/accounts.ts'
import type { Attempt } from '../store/login-failures.ts'
import { IdentityError } from '../api/identity-error.ts'
import type { LoginBody } from '../api/schemas.ts'
import type { IdentityParts } from '../identity-parts.ts'
import type { User } from '../../people/users.ts'

export interface Known {
  account: Account
  user: User
}

// No user name has it, and checking a password for it takes as long as for anybody.
const nobody = '\0'

function refuseWhileLocked({ failures }: IdentityParts, attempt: Attempt): void {
  const retryAfterSeconds = failures.lockedForSeconds(attempt)
  if (retryAfterSeconds !== undefined)
    throw new IdentityError('ACCOUNT_LOCKED', { retryAfterSeconds })
}

function find({ accounts, users }: IdentityParts, email: string): Known | undefined {
  const account = accounts.findByEmail(email)
  const user = account?.hasPassword ? users.find(account.sub) : undefined
  return account && user && { account, user }
}

/** As slow for an unknown address as for a wrong password. @throws {IdentityError} INVALID_CREDENTIALS, ACCOUNT_LOCKED */
export async function checkPassword(
  parts: IdentityParts,
  { email, password }: LoginBody,
  address: string,
): Promise<Known> {
  const { users, failures, log } = parts
  const attempt = { email, address }
  refuseWhileLocked(parts, attempt)
  const name = find(parts, email)?.user.username ?? nobody
  const { ok } = await users.checkPassword(name, password)
  // As many guesses at once count as one after the other; what changed during the hash counts, too.
  refuseWhileLocked(parts, attempt)
  const known = find(parts, email)
  if (!ok || known?.user.username !== name) {
    failures.add(attempt)
    log.warn('identity.login_failed', { sub: known?.user.sub })
    throw new IdentityError('INVALID_CREDENTIALS')
  }
  failures.clear(attempt)
  return known
}
