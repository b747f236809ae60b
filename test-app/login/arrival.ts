// Notices a session that does not stay: without this a browser that keeps all cookies but one would go round for ever.
import type { Request, Response } from 'express'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'

const ARRIVAL_MS = 10_000
/** A session may be missing after a sign-in once: another tab may have replaced it. More than that is a loop. */
const MOST_MISSING = 1

export interface Arrival {
  /** A sign-in was finished just now. */
  note(req: Request, res: Response): void
  /** Its session came back. */
  confirm(req: Request, res: Response): void
  /** There is no session: whether that follows a sign-in more often than chance allows. */
  isLoop(req: Request, res: Response): boolean
}

export function createArrival(cookies: CookieSettings): Arrival {
  const name = cookies.named('ARRIVED')
  const missesOf = (req: Request): string | undefined => cookiesOf(req).get(name)
  return {
    note: (req, res) => cookies.set(res, name, missesOf(req) ?? '0', ARRIVAL_MS),
    confirm(req, res) {
      if (missesOf(req) !== undefined) cookies.clear(res, name)
    },
    isLoop(req, res) {
      const misses = missesOf(req)
      if (misses === undefined) return false
      const isLoop = !(Number(misses) < MOST_MISSING)
      if (isLoop) cookies.clear(res, name)
      else cookies.set(res, name, String(Number(misses) + 1), ARRIVAL_MS)
      return isLoop
    },
  }
}
