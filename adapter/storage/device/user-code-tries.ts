// How often user codes may be guessed: a code is short enough to be typed, so that it is the number of tries that keeps it
// (RFC 8628, section 5.1). Counted by network, and for all of them together; on every instance alike.
import { randomBytes } from 'node:crypto'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

// https://www.rfc-editor.org/rfc/rfc8628#section-5.1
const WINDOW_SECONDS = 600
/** Of one address, or one IPv6 network. */
const OF_NETWORK = 20
/** With a thousand devices waiting: a chance of one in 25,000 to hit one of them in ten minutes. */
const OF_ALL = 1000

export interface Try {
  isAllowed: boolean
  /** The code was right, so it was no guess. */
  forgive(): Promise<void>
}

export interface UserCodeTries {
  /** Counts before it is known whether the code is right, so that many at once are counted too. */
  begin(address: string): Promise<Try>
}

/** Rejects with StorageError `unavailable`. */
export function createUserCodeTries(driver: Driver): UserCodeTries {
  return {
    async begin(address) {
      const member = randomBytes(9).toString('base64url')
      const limits = [
        [`user-code-tries:${hashed(networkOf(address))}`, OF_NETWORK],
        ['user-code-tries', OF_ALL],
      ] as const
      const counts = await Promise.all(limits.map(([index]) => count(driver, index, member)))
      const isAllowed = limits.every(([, limit], at) => (counts[at] ?? 0) <= limit)
      const forgive = async () =>
        void (await Promise.all(limits.map(([index]) => driver.drop(index, member))))
      // What is refused tells nothing, and would only fill the store.
      if (!isAllowed) await forgive()
      return { isAllowed, forgive }
    },
  }
}

async function count(driver: Driver, index: string, member: string): Promise<number> {
  await driver.add(index, member, WINDOW_SECONDS)
  return (await driver.members(index)).length
}

/** A person has a whole /64 of IPv6 addresses. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = (part: string | undefined) => (part ? part.split(':') : [])
  const [first, last] = [groups(head), groups(tail)]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].slice(0, 4).join(':')
}
