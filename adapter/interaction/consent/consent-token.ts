// Proves that a consent form is one that this browser was shown. The cookie of the login proves which browser it is.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface ConsentTokens {
  make(uid: string): string
  isMade(uid: string, token: unknown): boolean
}

/** The first key makes, all verify. */
export function createConsentTokens(keys: readonly string[]): ConsentTokens {
  const tokenBy = (key: string, uid: string) =>
    createHmac('sha256', key).update(`consent|${uid}`).digest('base64url')
  return {
    make: (uid) => tokenBy(keys[0] as string, uid),
    isMade: (uid, token) =>
      typeof token === 'string' && keys.some((key) => isEqual(tokenBy(key, uid), token)),
  }
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
