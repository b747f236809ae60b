// The chain over https, with a browser that knows its host names and certificates.
import type { Browser, BrowserContext, Cookie, Page } from 'playwright/test'
import { test as base } from './fixtures.ts'
import { startChain, type Chain } from './processes.ts'

export interface Https {
  https: { chain: Chain; browser: Browser }
}

/** A browser of its own: it has to know the host names and the throw-away certificates. */
export const test = base.extend<{ person: Page }, Https>({
  https: [
    async ({ playwright, launchOptions }, use) => {
      const chain = await startChain({ storage: 'sqlite', https: true, secondApp: true })
      const args = [...(launchOptions.args ?? []), ...chain.browserArgs]
      const browser = await playwright.chromium.launch({ ...launchOptions, args })
      await use({ chain, browser })
      await browser.close()
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  person: async ({ https }, use) => {
    const context = await https.browser.newContext()
    await use(await context.newPage())
    await context.close()
  },
})

export const hostOf = (url: string) => new URL(url).hostname

export async function cookiesAt(context: BrowserContext, url: string): Promise<Cookie[]> {
  const all = await context.cookies()
  return all.filter(({ domain }) => domain.replace(/^\./, '') === hostOf(url))
}

/** Parent domain of the adapter's host: where a neighbour could plant cookies for it. */
export const parentOf = (url: string) => hostOf(url).split('.').slice(1).join('.')
