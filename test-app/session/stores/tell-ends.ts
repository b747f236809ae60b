// Every way in which a session ends (a sign-out here or at the adapter, another person who signs in) destroys it in the store:
// here it is noticed, once for all of them.
import type { Store } from 'express-session'

/** Calls `ended` with the id of each session that was destroyed. */
export function tellEnds(store: Store, ended: (sessionId: string) => void): void {
  const destroy = store.destroy.bind(store)
  store.destroy = (sessionId, done) =>
    destroy(sessionId, (error?: unknown) => {
      if (error === undefined || error === null) ended(sessionId)
      done?.(error)
    })
}
