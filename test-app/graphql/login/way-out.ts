// Ends what a browser may have besides the cookies of /login.html: a session of the chain, a choice of a branch.
import type { Log } from '../../../service/log.ts'
import { flowOf } from '../../audit/chain-events.ts'
import type { Trail } from '../../audit/trail/trail.ts'
import type { CookieSettings } from '../../browser/cookies.ts'
import type { IdentityService } from '../../identity/identity-service.ts'
import { destroySession, signInOf } from '../../session/current-session.ts'
import type { EndReason } from '../../token-login/token-logins.ts'
import type { BranchChoices } from './branch-choices.ts'
import type { Asked } from '../http/graphql-handler.ts'

export interface WayOut {
  /** What ends the session of the chain, in this app; at the adapter it stays. Undefined where there is none. */
  sessionOf(asked: Asked): ((why: EndReason) => Promise<void>) | undefined
  /** A login that waits for its branch; its session at the identity service ends where that can be reached. False for none. */
  endChoice(asked: Asked): Promise<boolean>
}

export interface WayOutOptions {
  readonly identity: Pick<IdentityService, 'logout'>
  readonly branchChoices: BranchChoices
  readonly cookies: CookieSettings
  readonly trail: Trail
  readonly log: Log
  readonly now: () => number
}

export function createWayOut(options: WayOutOptions): WayOut {
  const { identity, branchChoices, cookies, trail, log, now } = options
  return {
    sessionOf({ req, res }) {
      const signIn = signInOf(req, now())
      if (!signIn) return undefined
      const said = { flowId: flowOf(req), subject: signIn.subject }
      return async (why) => {
        await destroySession(req, res, cookies)
        trail.note(
          why === 'logout'
            ? { ...said, event: 'logout.here' }
            : { ...said, event: 'session.ended', fields: { way: 'chain', failure: why } },
        )
      }
    },
    async endChoice({ req, res }) {
      const choice = await branchChoices.drop(req, res)
      if (!choice) return false
      await identity.logout(choice.login.refreshToken).catch((error: unknown) => {
        // It ends by itself; the person does not wait for it.
        log.warn('identity.logout_failed', { error })
      })
      return true
    },
  }
}
