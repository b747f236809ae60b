// Finds this app's session by the name that the adapter has for it (`sid`), for a logout that comes without a browser. Kept
// in the session store, beside the sessions.
import type { SessionData, Store } from 'express-session'
import { storeError } from './session-middleware.ts'
import { SESSION_ABSOLUTE_MS } from './session-data.ts'

export interface SessionLinks {
  link(sid: string, sessionId: string): Promise<void>
  /** Destroys the session that was signed in as `sid`, if there still is one, and says what it was. */
  end(sid: string): Promise<EndedSession | undefined>
}

export interface EndedSession {
  readonly sessionId: string
  readonly session: SessionData
}

interface Link {
  sessionId: string
}

/** Both reject with SessionStoreError. */
export function createSessionLinks(store: Store, now: () => number): SessionLinks {
  const idOf = (sid: string) => `sid ${sid}`

  async function find(id: string): Promise<(SessionData & Partial<Link>) | undefined> {
    const found = await promised<SessionData | null | undefined>((done) => store.get(id, done))
    return found ?? undefined
  }
  const destroy = (id: string) => promised<void>((done) => store.destroy(id, done))

  return {
    link(sid, sessionId) {
      const cookie = { originalMaxAge: null, expires: new Date(now() + SESSION_ABSOLUTE_MS) }
      const link = { cookie, sessionId } as unknown as SessionData
      return promised<void>((done) => store.set(idOf(sid), link, done))
    },
    async end(sid) {
      const { sessionId } = (await find(idOf(sid))) ?? {}
      if (sessionId === undefined) return undefined
      const session = await find(sessionId)
      await destroy(idOf(sid))
      // The same browser may have signed in anew since.
      if (session?.signIn?.idTokenClaims['sid'] !== sid) return undefined
      await destroy(sessionId)
      return { sessionId, session }
    },
  }
}

function promised<T>(call: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  call((error, value) => (error ? reject(storeError(error)) : resolve(value as T)))
  return promise
}
