// Stops a page's navigation at one of its hops, redirects included, so that a test can do something in between.
import type { Page } from 'playwright/test'

export interface HeldNavigation {
  url: URL
  method: string
  /** Sends the request now; nothing is held any more. */
  release(): Promise<void>
}

export interface Hold {
  /** Resolves when the hop is about to be requested. */
  reached: Promise<HeldNavigation>
}

/** Holds the first hop from now on that `isIt` says. Playwright's own routes do not see redirects. */
export async function holdNavigation(
  page: Page,
  isIt: (url: URL, method: string) => boolean,
): Promise<Hold> {
  const devtools = await page.context().newCDPSession(page)
  const reached = Promise.withResolvers<HeldNavigation>()
  let isHeld = false
  devtools.on('Fetch.requestPaused', ({ requestId, request }) => {
    const url = new URL(request.url)
    const goOn = () => devtools.send('Fetch.continueRequest', { requestId })
    // Those after the held one pause as well, for as long as the page lives: to switch that off in the very moment in which one
    // pauses would hold it for ever.
    if (isHeld || !isIt(url, request.method)) return void goOn().catch(() => undefined)
    isHeld = true
    const release = async () => void (await goOn())
    reached.resolve({ url, method: request.method, release })
  })
  await devtools.send('Fetch.enable', {
    patterns: [{ urlPattern: '*', resourceType: 'Document', requestStage: 'Request' }],
  })
  return { reached: reached.promise }
}
