// Refreshes the tokens of a session at a request, shortly before the access token ends. Where the adapter says that it is
// over, so is the session here.
import type { Request } from 'express'
import type { Log } from '../../service/log.ts'
import { tokenFields } from '../audit/chain-events.ts'
import type { Trail } from '../audit/trail/trail.ts'
import { joinByKey } from '../join-by-key.ts'
import type { RelyingParty } from '../relying-party/relying-party.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { regenerateSession, saveSession, signInOf } from '../session/current-session.ts'
import type { SignIn } from '../session/session-data.ts'

const AHEAD_MS = 30_000
// Requests that read the session before it was saved come after; their refresh is the one of those before them.
const LATE_MS = 10_000

export interface KeepFreshOptions {
  readonly relyingParty: Pick<RelyingParty, 'refresh'>
  readonly trail: Trail
  readonly log: Log
  readonly now: () => number
}

/** `unavailable`: the adapter did not answer, and the session is as it was. */
export type KeepFresh = (req: Request) => Promise<'done' | 'unavailable'>

export function createKeepFresh(options: KeepFreshOptions): KeepFresh {
  const { relyingParty, trail, log, now } = options
  const refreshOnce = joinByKey((signIn: SignIn) => relyingParty.refresh(signIn), LATE_MS)
  return async (req) => {
    const signIn = signInOf(req, now())
    if (!signIn || !isDue(signIn, now())) return 'done'
    const flow = { flowId: req.session.landed?.loginId, subject: signIn.subject }
    try {
      const fresh = await refreshOnce(signIn.refreshToken ?? '', signIn)
      req.session.signIn = fresh
      await saveSession(req)
      log.info('tokens.refreshed')
      trail.note({ ...flow, event: 'tokens.refreshed', fields: tokenFields(fresh, now()) })
      return 'done'
    } catch (error) {
      if (!(error instanceof SignInError)) throw error
      const isOver = error.code !== 'adapter_unavailable'
      log.warn('tokens.refresh_failed', { failure: error.code, is_over: isOver })
      const event = isOver ? 'session.ended' : 'tokens.refresh_failed'
      trail.note({ ...flow, event, fields: { failure: error.code } })
      if (!isOver) return 'unavailable'
      await regenerateSession(req)
      return 'done'
    }
  }
}

function isDue({ refreshToken, accessTokenExpiresAt }: SignIn, now: number): boolean {
  if (refreshToken === undefined || accessTokenExpiresAt === undefined) return false
  return now > accessTokenExpiresAt - AHEAD_MS
}
