// The addresses of signing in, and where one may land after it.
import { localPathOr } from '../browser/local-path.ts'

export const CALLBACK_PATH = '/login/oauth2/code/auth-adapter'
export const SIGN_IN_PATH = '/sign-in'
export const BACK_CHANNEL_PATH = '/logout/backchannel'
export const FRONT_CHANNEL_PATH = '/logout/frontchannel'
export const LOST_PATH = '/sign-in/lost'
export const HOME_OF_SIGNED_IN = '/authenticated'

/** Landing on these after a sign-in would start or end something again. */
const NO_LANDING = new RegExp(`^(${CALLBACK_PATH}|${SIGN_IN_PATH}|/logout)(/|\\?|$)`)

/** A path of this app that one may land on. */
export function landingPath(asked: unknown): string {
  const path = localPathOr(HOME_OF_SIGNED_IN, asked)
  return NO_LANDING.test(path) ? HOME_OF_SIGNED_IN : path
}

/** The link that starts a sign-in which lands there. */
export function signInPath(returnTo: string): string {
  return `${SIGN_IN_PATH}?return_to=${encodeURIComponent(landingPath(returnTo))}`
}
