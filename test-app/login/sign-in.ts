// From a page that needs a person to the adapter and back: starting a sign-in, and finishing it at the callback.
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import type { SignIn } from '../session/session-data.ts'
import { regenerateSession, saveSession, signInOf } from '../session/current-session.ts'
import { cookiesOf } from './cookies.ts'
import type { CookieSettings } from './cookies.ts'
import { localPathOr } from './local-path.ts'
import { isTopLevelNavigation } from './navigation.ts'
import type { PendingLogin, PendingLogins } from './pending-login.ts'
import type { RelyingParty } from './relying-party.ts'
import { SignInError } from './sign-in-error.ts'

export const CALLBACK_PATH = '/login/oauth2/code/auth-adapter'
export const SIGN_IN_PATH = '/sign-in'
export const LOST_PATH = '/sign-in/lost'
export const HOME_OF_SIGNED_IN = '/authenticated'

/** Landing on these after a sign-in would start or end something again. */
const NO_LANDING = new RegExp(`^(${CALLBACK_PATH}|${SIGN_IN_PATH}|/logout)(/|\\?|$)`)
const REPEATS_JOIN_MS = 10_000
const ARRIVAL_MS = 10_000
/** A session may be missing after a sign-in once: another tab may have replaced it. More than that is a loop. */
const MOST_MISSING = 1
const PROBE_MS = 60_000

/** What went wrong, in the words of the pages. */
export type SignInProblem =
  | { readonly kind: 'lost' | 'cookies_blocked' | 'session_not_kept' }
  | { readonly kind: 'failed'; readonly error: SignInError; readonly returnTo: string }

export interface SignInOptions {
  readonly relyingParty: RelyingParty
  readonly pendingLogins: PendingLogins
  readonly cookies: CookieSettings
  readonly log: Log
  readonly now: () => number
  showProblem(req: Request, res: Response, problem: SignInProblem): Promise<void>
}

export interface SignInHandlers {
  /** GET /sign-in?return_to= */
  start(req: Request, res: Response): Promise<void>
  /** Lets a signed-in browser pass; starts a sign-in for a person, answers 401 to everything else. */
  requireSignIn(req: Request, res: Response, next: () => void): Promise<void>
  /** GET {@link CALLBACK_PATH} */
  callback(req: Request, res: Response): Promise<void>
  /** GET {@link LOST_PATH}: shows whether the cookie set just before came back. */
  lost(req: Request, res: Response): Promise<void>
}

/** A path that one may land on. */
export function landingPath(asked: unknown): string {
  const path = localPathOr(HOME_OF_SIGNED_IN, asked)
  return NO_LANDING.test(path) ? HOME_OF_SIGNED_IN : path
}

export function signInPath(returnTo: string): string {
  return `${SIGN_IN_PATH}?return_to=${encodeURIComponent(landingPath(returnTo))}`
}

export function createSignIn(options: SignInOptions): SignInHandlers {
  const { cookies, log, now, pendingLogins, relyingParty, showProblem } = options
  const arrivalCookie = cookies.named('ARRIVED')
  const probeCookie = cookies.named('PROBE')
  const redeemOnce = joinRepeats((login, query) => relyingParty.redeem(query, login))

  async function begin(req: Request, res: Response, returnTo: string): Promise<void> {
    if (!isTopLevelNavigation(req)) return refuse(res, returnTo)
    const login = pendingLogins.begin(req, res, returnTo)
    try {
      const url = await relyingParty.authorizationUrl(login)
      log.info('login.started')
      res.redirect(302, url.href)
    } catch (error) {
      pendingLogins.end(res, login)
      await fail(req, res, error, returnTo)
    }
  }

  async function fail(req: Request, res: Response, cause: unknown, returnTo: string): Promise<void> {
    if (!(cause instanceof SignInError)) throw cause
    log.warn('login.failed', reasonOf(cause))
    await showProblem(req, res, { kind: 'failed', error: cause, returnTo })
  }

  async function finish(req: Request, res: Response, login: PendingLogin): Promise<void> {
    const signIn = await redeemOnce(login, queryOf(req))
    // A session id from before must not become another person's. The same person's stays: tabs that finish together
    // would end each other's session.
    if (signInOf(req, now())?.subject !== signIn.subject) await regenerateSession(req)
    req.session.signIn = signIn
    req.session.landed = { loginId: login.id, returnTo: login.returnTo }
    await saveSession(req)
    pendingLogins.end(res, login)
    cookies.set(res, arrivalCookie, cookiesOf(req).get(arrivalCookie) ?? '0', ARRIVAL_MS)
    log.info('login.finished', { duration_ms: now() - login.startedAt })
    res.redirect(302, landingPath(login.returnTo))
  }

  async function callbackWithoutLogin(req: Request, res: Response): Promise<void> {
    if (signInOf(req, now())) return res.redirect(302, landedBefore(req, pendingLogins.idOf(req.query['state'])))
    log.warn('login.failed', { failure: 'login_unknown', cookies_sent: cookiesOf(req).size })
    if (cookiesOf(req).size > 0) return showProblem(req, res, { kind: 'lost' })
    cookies.set(res, probeCookie, '1', PROBE_MS)
    res.redirect(302, LOST_PATH)
  }

  return {
    start: (req, res) => begin(req, res, landingPath(req.query['return_to'])),
    async requireSignIn(req, res, next) {
      const arrival = cookiesOf(req).get(arrivalCookie)
      if (signInOf(req, now())) {
        if (arrival !== undefined) cookies.clear(res, arrivalCookie)
        return next()
      }
      if (arrival === undefined || !isTopLevelNavigation(req)) return begin(req, res, landingPath(req.originalUrl))
      log.warn('login.session_missing', { times: Number(arrival) + 1 })
      if (Number(arrival) < MOST_MISSING) {
        cookies.set(res, arrivalCookie, String(Number(arrival) + 1), ARRIVAL_MS)
        return begin(req, res, landingPath(req.originalUrl))
      }
      cookies.clear(res, arrivalCookie)
      await showProblem(req, res, { kind: 'session_not_kept' })
    },
    async callback(req, res) {
      const login = pendingLogins.find(req, req.query['state'])
      if (!login) return callbackWithoutLogin(req, res)
      try {
        await finish(req, res, login)
      } catch (error) {
        // While the adapter is away the code may still be good: a reload of this address then finishes the sign-in.
        const isOver = error instanceof SignInError && error.code !== 'adapter_unavailable'
        if (isOver) pendingLogins.end(res, login)
        await fail(req, res, error, login.returnTo)
      }
    },
    lost: (req, res) =>
      showProblem(req, res, { kind: cookiesOf(req).size > 0 ? 'lost' : 'cookies_blocked' }),
  }
}

function refuse(res: Response, returnTo: string): void {
  res.status(401).json({ error: 'unauthenticated', login_url: signInPath(returnTo) })
}

function landedBefore(req: Request, loginId: string | undefined): string {
  const { landed } = req.session
  return landingPath(landed && landed.loginId === loginId ? landed.returnTo : undefined)
}

function queryOf(req: Request): string {
  const start = req.originalUrl.indexOf('?')
  return start < 0 ? '' : req.originalUrl.slice(start)
}

function reasonOf({ code, oauth, cause }: SignInError): Record<string, unknown> {
  const found = (cause as { code?: unknown; message?: unknown } | undefined) ?? {}
  return { failure: code, oauth_error: oauth?.error.slice(0, 100), check: found.code, reason: found.message }
}

type Redeem = (login: PendingLogin, query: string) => Promise<SignIn>

/**
 * A double click or a reload sends one callback twice, with the same cookie, and the browser shows only the last
 * answer. Both get the one sign-in; the code goes to the adapter once, for a second use would end the grant.
 */
function joinRepeats(redeem: Redeem): Redeem {
  const running = new Map<string, Promise<SignIn>>()
  return (login, query) => {
    const key = `${login.id} ${query}`
    const earlier = running.get(key)
    if (earlier) return earlier
    const work = redeem(login, query)
    running.set(key, work)
    work.then(
      () => setTimeout(() => running.delete(key), REPEATS_JOIN_MS).unref(),
      () => running.delete(key),
    )
    return work
  }
}
