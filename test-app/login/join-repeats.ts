// One redemption for a callback that comes several times.
import type { SignIn } from '../session/session-data.ts'
import type { PendingLogin } from './pending-login.ts'

const REPEATS_JOIN_MS = 10_000

export type Redeem = (login: PendingLogin, query: string) => Promise<SignIn>

/**
 * A double click or a reload sends one callback twice, with the same cookie, and the browser shows only the last
 * answer. Both get the one sign-in; the code goes to the adapter once, for a second use would end the grant.
 */
export function joinRepeats(redeem: Redeem): Redeem {
  const running = new Map<string, Promise<SignIn>>()
  return (login, query) => {
    const key = `${login.id} ${query}`
    const earlier = running.get(key)
    if (earlier) return earlier
    const work = redeem(login, query)
    running.set(key, work)
    work.then(
      () => setTimeout(() => running.delete(key), REPEATS_JOIN_MS).unref(),
      () => running.delete(key),
    )
    return work
  }
}
