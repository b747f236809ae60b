// The identity service of one issuer, mounted at /api/auth: which path is answered by what.
import { Router } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import type { DatabaseSync } from 'node:sqlite'
import type { Log } from '../../service/log.ts'
import { plainAddress } from '../../service/trusted-proxies.ts'
import type { PeopleRules } from '../behaviour/sign-in/people-rules.ts'
import type { Users } from '../people/users.ts'
import { answerIdentityError, notFound, onlyMethod } from './api/answer-error.ts'
import { parseJson, readBody } from './api/read-body.ts'
import { createRefreshCookie } from './api/refresh-cookie.ts'
import type { RefreshCookie } from './api/refresh-cookie.ts'
import { takeRequestIds } from './api/request-ids.ts'
import { bodies } from './api/schemas.ts'
import type { SuccessCode } from './api/schemas.ts'
import type { IdentityParts } from './identity-parts.ts'
import { createIdentityTokens } from './session/identity-tokens.ts'
import type { IdentityTokensOptions } from './session/identity-tokens.ts'
import { sessionSeconds } from './session/session-answers.ts'
import { login, systemLogin } from './sign-in/login.ts'
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

const addressOf = (req: Request) => plainAddress(req.socket.remoteAddress ?? '')

const succeed = (res: Response, code: SuccessCode, data: object) =>
  void res.json({ success: true, code, data })

type Routes = Readonly<Record<string, RequestHandler>>

function routesOf(parts: IdentityParts, cookie: RefreshCookie): Routes {
  return {
    'POST /login': async (req, res) => {
      const data = await login(parts, readBody(req, bodies.login), addressOf(req))
      cookie.set(res, data.auth.refreshToken, sessionSeconds)
      succeed(res, 'AUTH_LOGIN_SUCCESS', data)
    },
    'POST /system/login': async (req, res) => {
      const data = await systemLogin(parts, readBody(req, bodies.login), addressOf(req))
      succeed(res, 'AUTH_SYSTEM_LOGIN_SUCCESS', data)
    },
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
  mount(router, routesOf(parts, cookie))
  router.use(notFound)
  router.use(answerIdentityError(options.log))
  return { handler: router, endSessionsOf: parts.sessions.revokeAllOf }
}
