// Sign-ins that are over. Their access token may still be good by its times, for a minute or an hour; for a socket it is not.
import type { LoginEnds } from '../../authentication/login-ends.ts'

export interface EndedLogins {
  has(loginKey: string): boolean
}

const MOST_KEYS = 10_000

/** Remembers the newest 10,000 from now on; names of sign-ins do not come again. */
export function createEndedLogins(loginEnds: Pick<LoginEnds, 'onEnd'>): EndedLogins {
  const keys = new Set<string>()
  loginEnds.onEnd((loginKey) => {
    keys.add(loginKey)
    const [oldest] = keys
    if (keys.size > MOST_KEYS && oldest !== undefined) keys.delete(oldest)
  })
  return keys
}
