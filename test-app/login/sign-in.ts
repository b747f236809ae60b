// Starting a sign-in: who may, and where it leads.
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { principalOf } from '../authentication/principal.ts'
import { unauthenticated } from '../authentication/unauthenticated.ts'
import type { ChainEvents } from '../audit/chain-events.ts'
import { isTopLevelNavigation } from '../browser/navigation.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { RelyingParty } from '../relying-party/relying-party.ts'
import type { Arrival } from './arrival.ts'
import { landingPath, signInPath } from './paths.ts'
import type { PendingLogins } from './pending-login.ts'

/** What went wrong, in the words of the pages. */
export type SignInProblem =
  | { readonly kind: 'lost' | 'cookies_blocked' | 'session_not_kept' }
  | { readonly kind: 'failed'; readonly error: SignInError; readonly returnTo: string }

export type ShowProblem = (req: Request, res: Response, problem: SignInProblem) => Promise<void>

export interface SignInOptions {
  readonly relyingParty: RelyingParty
  readonly pendingLogins: PendingLogins
  readonly arrival: Arrival
  readonly chainEvents: ChainEvents
  readonly log: Log
  readonly showProblem: ShowProblem
}

export interface SignInHandlers {
  /** GET /sign-in?return_to= */
  start(req: Request, res: Response): Promise<void>
  /** Behind the gate, which lets nobody but people and those signed in come here: the latter pass, for the others a sign-in starts. */
  requireSignIn(req: Request, res: Response, next: () => void): Promise<void>
}

export function createSignIn(options: SignInOptions): SignInHandlers {
  const { arrival, chainEvents, log, pendingLogins, relyingParty, showProblem } = options

  async function begin(req: Request, res: Response, returnTo: string): Promise<void> {
    if (!isTopLevelNavigation(req)) return unauthenticated(res, signInPath(returnTo))
    const login = pendingLogins.begin(req, res, returnTo)
    chainEvents.started(login)
    try {
      const url = await relyingParty.authorizationUrl(login)
      log.info('login.started')
      res.redirect(302, url.href)
    } catch (error) {
      pendingLogins.end(res, login)
      chainEvents.failed(login, error)
      await showProblem(req, res, failedSignIn(log, error, returnTo))
    }
  }

  return {
    start: (req, res) => begin(req, res, landingPath(req.query['return_to'])),
    async requireSignIn(req, res, next) {
      if (principalOf(req)) {
        arrival.confirm(req, res)
        return next()
      }
      if (!arrival.isLoop(req, res)) return begin(req, res, landingPath(req.originalUrl))
      log.error('login.session_not_kept')
      chainEvents.sessionNotKept()
      await showProblem(req, res, { kind: 'session_not_kept' })
    },
  }
}

/** Logs why, and says it for the page. Throws what is no SignInError on. */
export function failedSignIn(log: Log, error: unknown, returnTo: string): SignInProblem {
  if (!(error instanceof SignInError)) throw error
  const { code: failure, oauth, cause } = error
  const found = (cause as { code?: unknown; message?: unknown } | undefined) ?? {}
  const oauth_error = oauth?.error.slice(0, 100)
  log.warn('login.failed', { failure, oauth_error, check: found.code, reason: found.message })
  return { kind: 'failed', error, returnTo }
}
