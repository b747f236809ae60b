// What a session of this app holds. Tokens live here and nowhere in the browser.
import 'express-session'

export type Claims = Readonly<Record<string, unknown>>

/** One finished sign-in. Times are epoch milliseconds. */
export interface SignIn {
  readonly subject: string
  readonly idToken: string
  readonly idTokenClaims: Claims
  readonly accessToken: string
  readonly accessTokenExpiresAt: number | undefined
  readonly refreshToken?: string | undefined
  readonly scope: string
  readonly signedInAt: number
}

declare module 'express-session' {
  interface SessionData {
    signIn: SignIn
    /** Token that the forms of this session carry. */
    formToken: string
    /** The callback that made this session, so that a reload of it lands where it landed before. */
    landed: { loginId: string; returnTo: string }
  }
}

/** A session ends after this, however much it is used. */
export const SESSION_ABSOLUTE_MS = 12 * 60 * 60 * 1000
/** A session that is not used ends after this. */
export const SESSION_IDLE_MS = 8 * 60 * 60 * 1000
/** No request lasts longer: for this time a session that was ended can not be written back by one that read it before. */
export const ENDED_MS = 10 * 60 * 1000
