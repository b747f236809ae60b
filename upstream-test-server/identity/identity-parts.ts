// What the requests of the identity service are answered with.
import type { Log } from '../../service/log.ts'
import type { PeopleRules } from '../behaviour/sign-in/people-rules.ts'
import type { Users } from '../people/users.ts'
import type { IdentityTokens } from './session/identity-tokens.ts'
import type { Accounts } from './store/accounts.ts'
import type { AuthSessions } from './store/auth-sessions.ts'
import type { LoginFailures } from './store/login-failures.ts'
import type { Memberships } from './store/memberships.ts'

export interface IdentityParts {
  users: Users
  /** What a test has told of single people. */
  people: PeopleRules
  accounts: Accounts
  memberships: Memberships
  failures: LoginFailures
  sessions: AuthSessions
  tokens: IdentityTokens
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}
