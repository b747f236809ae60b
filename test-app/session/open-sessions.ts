// The parts of this room, put together: the secret and what is derived from it, the store, and who hears of a session's end.
import type { Log } from '../../service/log.ts'
import { createLoginEnds } from '../authentication/login-ends.ts'
import { loginKeyOf } from '../authentication/login-key.ts'
import { createCookies } from '../browser/cookies.ts'
import { createSeal } from './seal.ts'
import { createSessionLinks } from './session-links.ts'
import { createSessionMiddleware } from './session-middleware.ts'
import { deriveKey, loadSessionSecret } from './session-secret.ts'
import { openSessionStore } from './stores/session-store.ts'
import { tellEnds } from './stores/tell-ends.ts'

export interface SessionOptions {
  /** Public origin of this app. */
  readonly url: string
  readonly cookieName: string
  readonly redisUrl?: string | undefined
  readonly dataFolder: string
  /** Default: one that is kept in the data folder. */
  readonly sessionSecret?: string | undefined
  readonly log: Log
  readonly now: () => number
}

/** @throws {SessionFileError} */
export function openSessions(options: SessionOptions) {
  const { url, log, cookieName, dataFolder, redisUrl, now } = options
  const secret = options.sessionSecret ?? loadSessionSecret(dataFolder)
  const keyFor = (purpose: string): Buffer => deriveKey(secret, purpose)
  const seal = createSeal(keyFor('sealing'))
  const cookies = createCookies(cookieName, url.startsWith('https:'))
  const store = openSessionStore({ redisUrl, dataFolder, cookieName, seal, log, now })
  const session = createSessionMiddleware({
    cookieName: cookies.sessionName,
    isSecure: cookies.isSecure,
    secret: keyFor('cookie signature').toString('hex'),
    store: store.store,
  })
  const loginEnds = createLoginEnds()
  tellEnds(store.store, (sessionId) => loginEnds.ended(loginKeyOf('session', sessionId)))
  const links = createSessionLinks({ ...store, now })
  return { keyFor, seal, store, session, cookies, links, loginEnds }
}
