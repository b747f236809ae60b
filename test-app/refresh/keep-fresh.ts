// Refreshes the tokens of a session in the background of a request, shortly before the access token ends. Where the adapter
// says that it is over, so is the session here.
import type { NextFunction, Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import type { RelyingParty } from '../relying-party/relying-party.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import { regenerateSession, signInOf } from '../session/current-session.ts'
import type { SignIn } from '../session/session-data.ts'

const AHEAD_MS = 30_000

export interface KeepFreshOptions {
  readonly relyingParty: Pick<RelyingParty, 'refresh'>
  readonly log: Log
  readonly now: () => number
}

export function createKeepFresh({ relyingParty, log, now }: KeepFreshOptions) {
  const refreshOnce = joinParallel((signIn) => relyingParty.refresh(signIn))
  return async (req: Request, _res: Response, next: NextFunction): Promise<void> => {
    const signIn = signInOf(req, now())
    if (!signIn || !isDue(signIn, now())) return next()
    try {
      req.session.signIn = await refreshOnce(signIn)
      log.info('tokens.refreshed')
    } catch (error) {
      if (!(error instanceof SignInError)) throw error
      const isOver = error.code !== 'adapter_unavailable'
      log.warn('tokens.refresh_failed', { failure: error.code, is_over: isOver })
      if (isOver) await regenerateSession(req)
    }
    next()
  }
}

function isDue({ refreshToken, accessTokenExpiresAt }: SignIn, now: number): boolean {
  if (refreshToken === undefined || accessTokenExpiresAt === undefined) return false
  return now > accessTokenExpiresAt - AHEAD_MS
}

/** Requests of one page come together; their refresh is one. */
function joinParallel(refresh: RelyingParty['refresh']): RelyingParty['refresh'] {
  const running = new Map<string, Promise<SignIn>>()
  return (signIn) => {
    const key = signIn.refreshToken ?? ''
    const work = running.get(key) ?? refresh(signIn).finally(() => running.delete(key))
    running.set(key, work)
    return work
  }
}
