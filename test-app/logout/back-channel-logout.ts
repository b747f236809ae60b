// The adapter says that a session ended: this app's part of it ends too, without a browser.
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { noteEnded } from '../audit/chain-events.ts'
import type { Trail } from '../audit/trail/trail.ts'
import type { SessionLinks } from '../session/session-links.ts'

export interface BackChannelLogoutOptions {
  /** The `sid` of a logout token that holds. */
  readonly judge: (token: string) => Promise<string | undefined>
  readonly links: Pick<SessionLinks, 'end'>
  readonly log: Log
  readonly trail: Trail
}

/** POST /logout/backchannel. https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse */
export function createBackChannelLogout({ judge, links, log, trail }: BackChannelLogoutOptions) {
  return async (req: Request, res: Response): Promise<void> => {
    res.set('Cache-Control', 'no-store')
    const { logout_token: token } = (req.body ?? {}) as Readonly<Record<string, unknown>>
    const sid = typeof token === 'string' ? await judge(token) : undefined
    if (sid === undefined) {
      log.warn('logout.token_refused')
      return void res.status(400).json({ error: 'invalid_request' })
    }
    const ended = await links.end(sid)
    log.info('logout.back_channel', { had_session: ended !== undefined })
    noteEnded(trail, 'logout.back_channel', ended)
    res.status(200).end()
  }
}
