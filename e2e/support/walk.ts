// Walks a login by hand, with the browser's own cookies, to hold it between two hops: a page follows redirects by itself.
import type { APIResponse, Page } from 'playwright/test'
import type { Chain } from './processes.ts'

const MOST_HOPS = 12
const AS_A_PERSON = { headers: { accept: 'text/html' }, maxRedirects: 0 } as const

export const CALLBACKS = {
  adapter: '/login/oauth2/code/test-auth-server',
  app: '/login/oauth2/code/auth-adapter',
} as const

/** Follows redirects up to the first URL that starts with `stopAt`; that one is not opened. */
async function walkTo(page: Page, stopAt: string, first: APIResponse): Promise<string> {
  let response = first
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    const location = response.headers()['location']
    if (location === undefined)
      throw new Error(`${response.url()} answered ${response.status()} before ${stopAt}`)
    const next = new URL(location, response.url()).href
    if (next.startsWith(stopAt)) return next
    response = await page.request.get(next, AS_A_PERSON)
  }
  throw new Error(`no redirect to ${stopAt} within ${MOST_HOPS} hops`)
}

/** Opens `from` and walks to `stopAt`. */
export async function withheld(page: Page, from: string, stopAt: string): Promise<string> {
  return walkTo(page, stopAt, await page.request.get(from, AS_A_PERSON))
}

/** Sends the sign-in form on which `page` is, and returns the URL of the adapter's callback, not yet opened. */
export async function withheldUpstreamAnswer(page: Page, chain: Chain): Promise<string> {
  const interaction = await page.locator('input[name=interaction]').inputValue()
  const form = { interaction, username: 'testuser', password: 'password', action: 'sign-in' }
  const sent = await page.request.post(page.url(), { ...AS_A_PERSON, form })
  return walkTo(page, chain.adapterUrl + CALLBACKS.adapter, sent)
}

/** As above, one leg further: the URL of the app's callback, not yet opened. */
export async function withheldAdapterAnswer(page: Page, chain: Chain): Promise<string> {
  const callback = await withheldUpstreamAnswer(page, chain)
  return withheld(page, callback, chain.appUrl + CALLBACKS.app)
}
