// Finishing a sign-in at the callback, and every way in which one may come here without one to finish.
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { flowOf } from '../audit/chain-events.ts'
import type { ChainEvents } from '../audit/chain-events.ts'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import { joinByKey } from '../join-by-key.ts'
import type { RelyingParty } from '../relying-party/relying-party.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { regenerateSession, saveSession, signInOf } from '../session/current-session.ts'
import type { SignIn } from '../session/session-data.ts'
import type { SessionLinks } from '../session/session-links.ts'
import type { TokenLogins } from '../token-login/token-logins.ts'
import type { Arrival } from './arrival.ts'
import { landingPath, LOST_PATH } from './paths.ts'
import type { PendingLogin, PendingLogins } from './pending-login.ts'
import { failedSignIn } from './sign-in.ts'
import type { ShowProblem } from './sign-in.ts'

const PROBE_MS = 60_000
// A double click or a reload sends one callback twice, with the same cookie, and the browser shows only the last answer. Both get
// the one sign-in; the code goes to the adapter once, for a second use would end the grant.
const REPEATS_JOIN_MS = 10_000

export interface CallbackOptions {
  readonly relyingParty: RelyingParty
  readonly pendingLogins: PendingLogins
  readonly arrival: Arrival
  readonly cookies: CookieSettings
  readonly links: Pick<SessionLinks, 'link'>
  readonly chainEvents: ChainEvents
  readonly tokenLogins: Pick<TokenLogins, 'end'>
  readonly log: Log
  readonly now: () => number
  readonly showProblem: ShowProblem
}

export interface CallbackHandlers {
  /** GET /login/oauth2/code/auth-adapter */
  callback(req: Request, res: Response): Promise<void>
  /** GET /sign-in/lost: shows whether the cookie set just before came back. */
  lost(req: Request, res: Response): Promise<void>
}

interface Returned {
  readonly login: PendingLogin
  readonly query: string
}

export function createCallback(options: CallbackOptions): CallbackHandlers {
  const { chainEvents, log, pendingLogins, relyingParty, showProblem } = options
  const redeemOnce = joinByKey(
    ({ login, query }: Returned) => relyingParty.redeem(query, login),
    REPEATS_JOIN_MS,
  )
  return {
    async callback(req, res) {
      const login = pendingLogins.find(req, req.query['state'])
      if (!login) return callbackWithoutLogin(options, req, res)
      chainEvents.returned(login, req.query['code'])
      const query = queryOf(req)
      try {
        const signIn = await redeemOnce(`${login.id} ${query}`, { login, query })
        await finish(options, req, res, login, signIn)
      } catch (error) {
        // While the adapter is away the code may still be good: a reload of this address then finishes the sign-in.
        const isOver = error instanceof SignInError && error.code !== 'adapter_unavailable'
        if (isOver) pendingLogins.end(res, login)
        chainEvents.failed(login, error)
        await showProblem(req, res, failedSignIn(log, error, login.returnTo))
      }
    },
    lost: (req, res) =>
      showProblem(req, res, { kind: cookiesOf(req).size > 0 ? 'lost' : 'cookies_blocked' }),
  }
}

async function finish(
  { arrival, chainEvents, links, log, now, pendingLogins, tokenLogins }: CallbackOptions,
  req: Request,
  res: Response,
  login: PendingLogin,
  signIn: SignIn,
): Promise<void> {
  const before = { flowId: flowOf(req), subject: signInOf(req, now())?.subject }
  // A session id from before must not become another person's. The same person's stays: tabs that finish together
  // would end each other's session.
  if (before.subject !== signIn.subject) await regenerateSession(req)
  req.session.signIn = signIn
  req.session.landed = { loginId: login.id, returnTo: login.returnTo }
  const { sid } = signIn.idTokenClaims
  await Promise.all([
    saveSession(req),
    typeof sid === 'string' ? links.link(sid, req.sessionID) : undefined,
  ])
  // Else whoever signed in with the form would be back when this session is over.
  await tokenLogins.end(req, res, 'replaced')
  pendingLogins.end(res, login)
  arrival.note(req, res)
  chainEvents.replaced(before, login)
  chainEvents.finished(login, signIn, req.query['code'])
  log.info('login.finished', { duration_ms: now() - login.startedAt })
  res.redirect(302, landingPath(login.returnTo))
}

async function callbackWithoutLogin(
  { chainEvents, cookies, log, now, pendingLogins, showProblem }: CallbackOptions,
  req: Request,
  res: Response,
): Promise<void> {
  const loginId = pendingLogins.idOf(req.query['state'])
  if (signInOf(req, now())) return res.redirect(302, landedBefore(req, loginId))
  const sent = cookiesOf(req).size
  log.warn('login.failed', { failure: 'login_unknown', cookies_sent: sent })
  chainEvents.lost(loginId)
  if (sent > 0) return showProblem(req, res, { kind: 'lost' })
  cookies.set(res, cookies.named('PROBE'), '1', PROBE_MS)
  res.redirect(302, LOST_PATH)
}

function landedBefore(req: Request, loginId: string | undefined): string {
  const { landed } = req.session
  return landingPath(landed && landed.loginId === loginId ? landed.returnTo : undefined)
}

function queryOf(req: Request): string {
  const start = req.originalUrl.indexOf('?')
  return start < 0 ? '' : req.originalUrl.slice(start)
}
