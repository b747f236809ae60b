// Writes down every navigation of a browser, redirects included, in the words of the chain.
import type { BrowserContext, Page, Response } from 'playwright/test'
import type { Chain } from './processes.ts'

type Urls = Pick<Chain, 'appUrl' | 'secondAppUrl' | 'adapterUrl' | 'upstreamUrl'>

export interface Hop {
  readonly method: string
  readonly url: URL
  readonly status: number
  readonly response: Response
}

/** The list fills while the browser moves. */
export function recordHops(from: Page | BrowserContext): Hop[] {
  const hops: Hop[] = []
  const record = (response: Response) => {
    const request = response.request()
    if (!request.isNavigationRequest()) return
    hops.push({
      method: request.method(),
      url: new URL(response.url()),
      status: response.status(),
      response,
    })
  }
  // One signature for both kinds of source.
  ;(from as Page).on('response', record)
  return hops
}

const NAMES = {
  appUrl: 'app',
  secondAppUrl: 'second-app',
  adapterUrl: 'adapter',
  upstreamUrl: 'upstream',
} as const

function processOf(origin: string, urls: Urls): string {
  const found = Object.entries(NAMES).find(([key]) => urls[key as keyof Urls] === origin)
  return found ? found[1] : origin
}

/** `GET adapter /oauth2/authorize 302`: without the query, and with `<uid>` for what is made anew each time. */
export function describeHop(hop: Hop, urls: Urls): string {
  const path = hop.url.pathname.replace(/^(\/oauth2\/authorize)\/.+$/, '$1/<uid>')
  return `${hop.method} ${processOf(hop.url.origin, urls)} ${path} ${hop.status}`
}

export const describeHops = (hops: readonly Hop[], urls: Urls): string[] =>
  hops.map((hop) => describeHop(hop, urls))

/** The hops that one process answered. */
export const hopsAt = (hops: readonly Hop[], origin: string): Hop[] =>
  hops.filter(({ url }) => url.origin === origin)
