// Ties each interaction to the browser that began it, by a cookie of its own: several tabs do not
// overwrite one another's. Who only knows the uid can not make its value: a link to somebody
// else's interaction is of no use, and nor is a form on another site.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Below the issuer. */
export const loginPath = '/login'
export const interactionTtlSeconds = 10 * 60

/** What both Koa and Express can do, `maxAge` in milliseconds. */
export interface CookieSetter {
  cookies: {
    set(name: string, value: string, options: { path: string; maxAge: number }): unknown
  }
}

export interface InteractionBinding {
  /** Where the end-user signs in, from the origin on. */
  path: string
  cookieName(uid: string): string
  /** Whether this cookie was made for this interaction; compared in constant time. */
  holds(uid: string, cookieValue: string | undefined): boolean
  /** For oidc-provider's `interactions.url`: sets the cookie, says where the end-user signs in. */
  begin(ctx: CookieSetter, uid: string): string
}

export interface InteractionBindingOptions {
  key: string
  /** Begins the names of the cookies. */
  cookiePrefix: string
  /** Of the issuer: empty at the origin's root. */
  basePath: string
}

export function createInteractionBinding(options: InteractionBindingOptions): InteractionBinding {
  const { key, cookiePrefix, basePath } = options
  const path = `${basePath}${loginPath}`
  const cookieName = (uid: string) => `${cookiePrefix}_INTERACTION_${uid.slice(0, 8)}`
  const cookieValue = (uid: string) => createHmac('sha256', key).update(uid).digest('base64url')
  return {
    path,
    cookieName,
    holds(uid, value = '') {
      const expected = Buffer.from(cookieValue(uid))
      const actual = Buffer.from(value)
      return actual.length === expected.length && timingSafeEqual(actual, expected)
    },
    begin(ctx, uid) {
      const maxAge = interactionTtlSeconds * 1000
      const options = { path, httpOnly: true, sameSite: 'lax', signed: false } as const
      ctx.cookies.set(cookieName(uid), cookieValue(uid), { ...options, maxAge })
      return `${path}?interaction=${uid}`
    },
  }
}
