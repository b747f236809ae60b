// Wrong passwords by e-mail address and network address: ten within fifteen minutes lock that pair until they are older. Addresses
// that nobody has are counted alike, so that a lock tells nothing.
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { emailKey } from './accounts.ts'

export interface Attempt {
  email: string
  /** Where the request comes from. */
  address: string
}

export interface LoginFailures {
  /** Seconds until the next try; undefined where it is free. */
  lockedForSeconds(attempt: Attempt): number | undefined
  add(attempt: Attempt): void
  clear(attempt: Attempt): void
}

export const maxFailures = 10
export const windowSeconds = 15 * 60
const windowMilliseconds = windowSeconds * 1000

const hashOf = (email: string) => createHash('sha256').update(emailKey(email)).digest('base64url')

/** `now` in epoch milliseconds. */
export function createLoginFailures(database: DatabaseSync, now: () => number): LoginFailures {
  const key = 'email_hash = ? AND address = ?'
  // The one that has to grow old before there are fewer than ten.
  const deciding = database.prepare(
    `SELECT failed_at FROM login_failure WHERE ${key} AND failed_at > ?
     ORDER BY failed_at DESC LIMIT 1 OFFSET ${maxFailures - 1}`,
  )
  const insert = database.prepare('INSERT INTO login_failure VALUES (?, ?, ?)')
  const remove = database.prepare(`DELETE FROM login_failure WHERE ${key}`)
  const forget = database.prepare('DELETE FROM login_failure WHERE failed_at <= ?')
  return {
    lockedForSeconds({ email, address }) {
      const row = deciding.get(hashOf(email), address, now() - windowMilliseconds)
      if (!row) return undefined
      return Math.ceil((Number(row['failed_at']) + windowMilliseconds - now()) / 1000)
    },
    add({ email, address }) {
      forget.run(now() - windowMilliseconds)
      insert.run(hashOf(email), address, now())
    },
    clear: ({ email, address }) => void remove.run(hashOf(email), address),
  }
}
