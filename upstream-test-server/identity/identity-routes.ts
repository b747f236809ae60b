// Which path of the API is answered by what.
import type { RequestHandler, Response } from 'express'
import { addressOf } from './api/client-address.ts'
import { readBody } from './api/read-body.ts'
import type { RefreshCookie } from './api/refresh-cookie.ts'
import { bodies } from './api/schemas.ts'
import type { SuccessCode } from './api/schemas.ts'
import { shownTokens } from './api/shown-tokens.ts'
import type { IdentityParts } from './identity-parts.ts'
import { currentContext } from './session/current-context.ts'
import { logout } from './session/logout.ts'
import { refresh } from './session/refresh.ts'
import { selectBranch } from './session/select-branch.ts'
import { sessionSeconds } from './session/session-answers.ts'
import { login, systemLogin } from './sign-in/login.ts'

export type Routes = Readonly<Record<string, RequestHandler>>

const succeed = (res: Response, code: SuccessCode, data: object) =>
  void res.json({ success: true, code, data })

const signInRoutes = (parts: IdentityParts, cookie: RefreshCookie): Routes => ({
  'POST /login': async (req, res) => {
    const data = await login(parts, readBody(req, bodies.login), addressOf(req))
    cookie.set(res, data.auth.refreshToken, sessionSeconds)
    succeed(res, 'AUTH_LOGIN_SUCCESS', data)
  },
  'POST /system/login': async (req, res) => {
    const data = await systemLogin(parts, readBody(req, bodies.login), addressOf(req))
    succeed(res, 'AUTH_SYSTEM_LOGIN_SUCCESS', data)
  },
})

const sessionRoutes = (parts: IdentityParts, cookie: RefreshCookie): Routes => ({
  'POST /select-branch': (req, res) => {
    const branchIdOf = () => readBody(req, bodies.selectBranch).branchId
    const data = selectBranch(parts, shownTokens(req, cookie), branchIdOf)
    cookie.set(res, data.auth.refreshToken, data.auth.refreshExpiresIn)
    succeed(res, 'AUTH_SELECT_BRANCH_SUCCESS', data)
  },
  'POST /refresh': (req, res) => {
    const { refreshToken } = readBody(req, bodies.refresh)
    const { data, session } = refresh(parts, shownTokens(req, cookie, refreshToken))
    const leftSeconds = Math.ceil((session.expiresAt - parts.now()) / 1000)
    cookie.set(res, data.auth.refreshToken, leftSeconds)
    succeed(res, 'AUTH_REFRESH_SUCCESS', data)
  },
  'POST /logout': (req, res) => {
    const { refreshToken } = readBody(req, bodies.logout)
    logout(parts, shownTokens(req, cookie, refreshToken))
    cookie.clear(res)
    succeed(res, 'AUTH_LOGOUT_SUCCESS', {})
  },
  'GET /context': (req, res) => {
    const { accessToken } = shownTokens(req, cookie)
    succeed(res, 'AUTH_CONTEXT_SUCCESS', currentContext(parts, accessToken))
  },
})

/** By method and path. */
export const identityRoutes = (parts: IdentityParts, cookie: RefreshCookie): Routes => ({
  ...signInRoutes(parts, cookie),
  ...sessionRoutes(parts, cookie),
})
