// Ties each interaction to the browser that began it, by a cookie of its own: several tabs do not
// overwrite one another's. Who only knows the uid can not make its value: a link to somebody
// else's interaction is of no use, and nor is a form on another site.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KoaContextWithOIDC } from 'oidc-provider'

export const loginPath = '/login'
export const interactionTtlSeconds = 10 * 60

export interface InteractionBinding {
  cookieName(uid: string): string
  /** Whether this cookie was made for this interaction; compared in constant time. */
  holds(uid: string, cookieValue: string | undefined): boolean
  /** For oidc-provider's `interactions.url`: sets the cookie, says where the end-user signs in. */
  begin(ctx: KoaContextWithOIDC, uid: string): string
}

export function createInteractionBinding(key: string): InteractionBinding {
  const cookieName = (uid: string) => `TEST_AUTH_SERVER_INTERACTION_${uid.slice(0, 8)}`
  const cookieValue = (uid: string) => createHmac('sha256', key).update(uid).digest('base64url')
  return {
    cookieName,
    holds(uid, value = '') {
      const expected = Buffer.from(cookieValue(uid))
      const actual = Buffer.from(value)
      return actual.length === expected.length && timingSafeEqual(actual, expected)
    },
    begin(ctx, uid) {
      const maxAge = interactionTtlSeconds * 1000
      const options = { path: loginPath, httpOnly: true, sameSite: 'lax', signed: false } as const
      ctx.cookies.set(cookieName(uid), cookieValue(uid), { ...options, maxAge })
      return `${loginPath}?interaction=${uid}`
    },
  }
}
