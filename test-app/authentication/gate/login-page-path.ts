// Where the form of this app is, and how one comes back from it.
import { landingPath } from '../../login/paths.ts'

export const LOGIN_PAGE_PATH = '/login.html'

/** The form, and after it the page asked for, where that is one of this app. */
export function loginPagePath(returnTo: string): string {
  return `${LOGIN_PAGE_PATH}?return_to=${encodeURIComponent(landingPath(returnTo))}`
}
