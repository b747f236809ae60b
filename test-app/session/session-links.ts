// Finds this app's session by the name that the adapter has for it (`sid`), for a logout that comes without a browser. Kept
// beside the sessions.
import type { SessionData, Store } from 'express-session'
import type { SealedRecords } from '../store/sealed-records.ts'
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
  readonly sessionId: string
}

export interface SessionLinksOptions {
  readonly store: Store
  readonly records: SealedRecords
  readonly now: () => number
}

/** Both reject with SessionStoreError. */
export function createSessionLinks({ store, records, now }: SessionLinksOptions): SessionLinks {
  const keyOf = (sid: string) => `sid ${sid}`
  const find = (id: string) =>
    promised<SessionData | null | undefined>((done) => store.get(id, done))

  return {
    link: (sid, sessionId) =>
      records.save(keyOf(sid), { sessionId } satisfies Link, now() + SESSION_ABSOLUTE_MS),
    async end(sid) {
      const link = await records.find(keyOf(sid))
      if (!link) return undefined
      const { sessionId } = link.value as Link
      const session = await find(sessionId)
      await records.remove(keyOf(sid))
      // The same browser may have signed in anew since.
      if (session?.signIn?.idTokenClaims['sid'] !== sid) return undefined
      await promised<void>((done) => store.destroy(sessionId, done))
      return { sessionId, session }
    },
  }
}

function promised<T>(call: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  call((error, value) => (error ? reject(storeError(error)) : resolve(value as T)))
  return promise
}
