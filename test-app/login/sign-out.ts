// Signing out: here only, or at the adapter as well (RP-initiated logout). Whichever way somebody came in, nobody is signed in after it.
import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { flowOf } from '../audit/chain-events.ts'
import type { Trail } from '../audit/trail/trail.ts'
import { forgetPrincipal, isUnknown, principalOf } from '../authentication/principal.ts'
import { destroySession, isFormToken, signInOf } from '../session/current-session.ts'
import { isOwnForm } from '../browser/own-form.ts'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import type { RelyingParty } from '../relying-party/relying-party.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { TokenLogins } from '../token-login/token-logins.ts'

const LOGOUT_MS = 10 * 60 * 1000

export interface SignOutOptions {
  readonly relyingParty: RelyingParty
  readonly cookies: CookieSettings
  readonly log: Log
  readonly trail: Trail
  readonly tokenLogins: Pick<TokenLogins, 'end'>
  readonly now: () => number
  /** Public origin of this app. */
  readonly url: string
  showForgedForm(req: Request, res: Response): Promise<void>
  /** Signed out here; at the adapter it could not be done. */
  showHalfDone(req: Request, res: Response, error: SignInError | undefined): Promise<void>
}

export interface SignOutHandlers {
  /** POST /logout with `where=here` or `where=adapter`. */
  submit(req: Request, res: Response): Promise<void>
  /** True once, when the adapter sends the browser back after it signed the person out. */
  hasReturned(req: Request, res: Response): boolean
}

export function createSignOut(options: SignOutOptions): SignOutHandlers {
  const { cookies, log, now, relyingParty, tokenLogins, trail } = options
  const journey = createJourney(options)

  async function signOutAtAdapter(
    req: Request,
    res: Response,
    { idToken, flowId }: { idToken: string; flowId: string | undefined },
  ): Promise<void> {
    const state = journey.newState(flowId)
    const url = await relyingParty.endSessionUrl(idToken, state).catch((error: unknown) => {
      if (error instanceof SignInError) return error
      throw error
    })
    if (!(url instanceof URL)) return options.showHalfDone(req, res, url)
    journey.begin(res, state)
    res.redirect(303, url.href)
  }

  return {
    async submit(req, res) {
      const signIn = signInOf(req, now())
      if (!signIn && !mayHaveCookies(req)) return res.redirect(303, '/')
      const form = (req.body ?? {}) as Readonly<Record<string, unknown>>
      if (!isOwnForm(req, options.url) || !isFormToken(req, form['form_token'])) {
        return options.showForgedForm(req, res)
      }
      forgetPrincipal(req)
      await tokenLogins.end(req, res, 'logout')
      if (!signIn) return res.redirect(303, '/?signed_out=form')
      const flowId = flowOf(req)
      await destroySession(req, res, cookies)
      const isLocal = form['where'] !== 'adapter'
      log.info(isLocal ? 'logout.local' : 'logout.adapter')
      const event = isLocal ? 'logout.here' : 'logout.adapter'
      trail.note({ event, flowId, subject: signIn.subject })
      if (isLocal) return res.redirect(303, '/?signed_out=here')
      await signOutAtAdapter(req, res, { idToken: signIn.idToken, flowId })
    },
    hasReturned: journey.hasReturned,
  }
}

/** Of the form; while the adapter is away it may not be known whose they are. */
const mayHaveCookies = (req: Request) => principalOf(req)?.via === 'cookie' || isUnknown(req)

/** To the adapter and back. The session is gone when the browser comes back, so the `state` names its flow. */
function createJourney({ cookies, trail }: Pick<SignOutOptions, 'cookies' | 'trail'>) {
  const name = cookies.named('LOGOUT')
  return {
    newState: (flowId = '') => `${randomBytes(16).toString('base64url')}.${flowId}`,
    begin: (res: Response, state: string) => cookies.set(res, name, state, LOGOUT_MS),
    hasReturned(req: Request, res: Response): boolean {
      const expected = cookiesOf(req).get(name)
      if (!expected || req.query['state'] !== expected) return false
      cookies.clear(res, name)
      const flowId = expected.split('.')[1] || undefined
      trail.note({ event: 'logout.returned', flowId })
      return true
    },
  }
}
