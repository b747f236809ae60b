// The real chain in this process, for tests: the upstream test server with its identity service, the adapter set up as in the
// demo, and this app in front of them. For a clock that moves all three: useClock of adapter/test-support/use-chain.ts.
import { merged, startChain } from '../../adapter/test-support/chain.ts'
import type { Chain, ChainOptions, Setting } from '../../adapter/test-support/chain.ts'
import type { TestAppOptions } from '../parts.ts'
import { gatewaySettings } from '../../adapter/test-support/gateway-settings.ts'
import { createTestBrowser } from './browser.ts'
import type { Answer, TestBrowser } from './browser.ts'
import { startTestApp } from './running-app.ts'
import type { RunningApp } from './running-app.ts'

export interface WholeChain {
  /** This app. */
  readonly url: string
  /** The adapter. */
  readonly issuer: string
  /** The identity service. */
  readonly identityUrl: string
  readonly app: RunningApp
  readonly chain: Chain
  /** Every log line of this app so far. */
  readonly log: { readonly text: string }
  /** Of this app alone. */
  readonly clock: { offsetMs: number }
  /** The lines of one event, of this app. */
  events(name: string): Record<string, unknown>[]
  browser(): TestBrowser
  /** Through the browser chain: asks for the page, signs in upstream, and comes back. */
  signIn(browser: TestBrowser, username?: string, path?: string): Promise<Answer>
  close(): Promise<void>
}

export interface WholeChainOptions extends Omit<ChainOptions, 'config'> {
  /** Of this app. */
  readonly app?: Partial<TestAppOptions>
  /** Of the adapter, merged into the demo's settings. */
  readonly config?: Setting
}

export async function startWholeChain(options: WholeChainOptions = {}): Promise<WholeChain> {
  const { app: change = {}, config = {}, ...chainOptions } = options
  let running: Chain | undefined
  const app = await startTestApp(async (url) => {
    running = await startChain({
      ...chainOptions,
      config: merged(gatewaySettings(url), config),
      upstreamTrusts: ['127.0.0.1'],
    })
    return { issuer: running.issuer, identityUrl: running.upstreamIssuer }
  }, change)
  const chain = running as unknown as Chain
  const linesOf = (name: string) =>
    app.log.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === name)
  return {
    url: app.url,
    issuer: chain.issuer,
    identityUrl: chain.upstreamIssuer,
    app,
    chain,
    log: app.log,
    clock: app.clock,
    events: linesOf,
    browser: createTestBrowser,
    async signIn(browser, username = 'testuser', path = '/authenticated') {
      const form = await browser.go(app.url + path)
      if (!form.url.startsWith(`${chain.upstreamIssuer}/login`))
        throw new Error(`Expected the login page, got ${form.status} ${new URL(form.url).pathname}`)
      return browser.submit(form, { username, password: 'password' })
    },
    async close() {
      await app.stop()
      await chain.close()
    },
  }
}
