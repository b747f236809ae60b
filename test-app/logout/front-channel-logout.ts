// The adapter's page in a browser says, by a frame, that a session ended: this app's part of it ends too. The name of the
// session is enough: browsers keep cookies from frames of other sites.
import type { Request, Response } from 'express'
import type { Log } from '../../service/log.ts'
import { noteEnded } from '../audit/chain-events.ts'
import type { Trail } from '../audit/trail/trail.ts'
import type { SessionLinks } from '../session/session-links.ts'

export interface FrontChannelLogoutOptions {
  readonly issuer: string
  readonly links: Pick<SessionLinks, 'end'>
  readonly log: Log
  readonly trail: Trail
}

const MAX_SID_LENGTH = 255
const SIGNED_OUT = '<!doctype html><html lang="en"><title>Signed out</title></html>'

/** GET /logout/frontchannel. https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout */
export function createFrontChannelLogout({ issuer, links, log, trail }: FrontChannelLogoutOptions) {
  const policy = `default-src 'none'; frame-ancestors ${new URL(issuer).origin}`
  return async ({ query }: Request, res: Response): Promise<void> => {
    res.removeHeader('X-Frame-Options')
    res.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache, no-store' })
    const { iss, sid } = query
    if (iss !== issuer || typeof sid !== 'string' || sid === '' || sid.length > MAX_SID_LENGTH) {
      log.warn('logout.page_refused')
      return void res.status(400).json({ error: 'invalid_request' })
    }
    const ended = await links.end(sid)
    log.info('logout.front_channel', { had_session: ended !== undefined })
    noteEnded(trail, 'logout.front_channel', ended)
    res.status(200).type('html').send(SIGNED_OUT)
  }
}
