// The identity service of one issuer, mounted at /api/auth.
import { Router } from 'express'
import type { DatabaseSync } from 'node:sqlite'
import type { Log } from '../../service/log.ts'
import type { PeopleRules } from '../behaviour/sign-in/people-rules.ts'
import type { Users } from '../people/users.ts'
import { answerIdentityError, notFound, onlyMethod } from './api/answer-error.ts'
import { parseJson } from './api/read-body.ts'
import { createRefreshCookie } from './api/refresh-cookie.ts'
import { takeRequestIds } from './api/request-ids.ts'
import type { IdentityParts } from './identity-parts.ts'
import { identityRoutes } from './identity-routes.ts'
import type { Routes } from './identity-routes.ts'
import { createIdentityTokens } from './session/identity-tokens.ts'
import type { IdentityTokensOptions } from './session/identity-tokens.ts'
import { createAccounts } from './store/accounts.ts'
import { createAuthSessions } from './store/auth-sessions.ts'
import { createLoginFailures } from './store/login-failures.ts'
import { createMemberships } from './store/memberships.ts'

export interface IdentityOptions extends IdentityTokensOptions {
  database: DatabaseSync
  users: Users
  people: PeopleRules
  log: Log
}

export interface Identity {
  /** For a mount at /api/auth. */
  handler: Router
  /** Ends every session of the API that this person has. */
  endSessionsOf(sub: string): void
}

function partsFrom({ database, users, people, log, now, ...rest }: IdentityOptions): IdentityParts {
  return {
    users,
    people,
    log,
    now,
    accounts: createAccounts(database),
    memberships: createMemberships(database),
    failures: createLoginFailures(database, now),
    sessions: createAuthSessions(database, now),
    tokens: createIdentityTokens({ ...rest, now }),
  }
}

function mount(router: Router, routes: Routes): void {
  for (const [route, handler] of Object.entries(routes)) {
    const [method, path = ''] = route.split(' ')
    if (method === 'POST') router.post(path, ...parseJson, handler)
    else router.get(path, handler)
    router.all(path, onlyMethod(method === 'POST' ? 'POST' : 'GET'))
  }
}

export function createIdentity(options: IdentityOptions): Identity {
  const parts = partsFrom(options)
  const cookie = createRefreshCookie({ secure: options.issuer.startsWith('https:') })
  const router = Router({ caseSensitive: true, strict: true })
  router.use(takeRequestIds)
  mount(router, identityRoutes(parts, cookie))
  router.use(notFound)
  router.use(answerIdentityError(options.log))
  return { handler: router, endSessionsOf: parts.sessions.revokeAllOf }
}
