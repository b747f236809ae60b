// The live log of the app's first page: lines as they are written, and sockets that live as long as the sign-in.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test as base, type BrowserContext, type Page } from 'playwright/test'
import { expect, signIn, test, type WorkerOptions } from './support/fixtures.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain, type Chain } from './support/processes.ts'

const SOCKET = '/socket.io/?EIO=4&transport=websocket'

const liveLog = (page: Page) => page.getByRole('region', { name: 'Live log' })
const lines = (page: Page) => liveLog(page).getByRole('listitem')
const stateOf = (page: Page) => liveLog(page).getByRole('status')

async function openLiveLog(page: Page, { appUrl }: Pick<Chain, 'appUrl'>): Promise<void> {
  await page.goto(`${appUrl}/`)
  await expect(stateOf(page)).toHaveText('Live: lines appear as they are written.')
}

/** What this app logged of sockets since then, in order. */
const socketEvents = ({ logs, testApp }: Chain, from = 0) =>
  logs(testApp)
    .slice(from)
    .map((line) => JSON.parse(line) as { event: string; reason?: string })
    .filter(({ event }) => event.startsWith('socket.'))

const signInWithForm = (context: BrowserContext, { appUrl }: Chain) =>
  context.request.post(`${appUrl}/graphql`, {
    data: {
      query:
        'mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { ... on Result { code } } }',
      variables: { email: 'single@example.test', password: 'password' },
    },
  })

async function expectLoginPage(page: Page): Promise<void> {
  await expect(page).toHaveURL(/\/login\.html\?return_to=%2F$/)
}

test.describe('the live log', { tag: '@redis' }, () => {
  test('shows what another tab does while it does it, and nobody else', async ({
    page,
    context,
    browser,
    chain,
  }) => {
    await signIn(page, chain)
    await openLiveLog(page, chain)
    // What the sign-in wrote is there, from before it was known who it would be.
    await expect(lines(page).filter({ hasText: 'login.finished' }).first()).toBeVisible()
    const stranger = await browser.newPage()
    await signIn(stranger, chain, { username: 'ada' })
    const other = await context.newPage()
    await other.goto(`${chain.appUrl}/authenticated?tab=other`)
    const mine = lines(page).filter({ hasText: 'path=/authenticated' })
    await expect(mine.last()).toBeVisible({ timeout: 3_000 })
    await expect(liveLog(page)).toContainText('claims={')
    await expect(liveLog(page)).not.toContainText('"sub":"ada"')
    await expect(liveLog(page)).not.toContainText('sub=ada')
  })

  test('ends with a sign-out in another tab, and leads to the login page', async ({
    page,
    context,
    chain,
  }) => {
    await signIn(page, chain)
    await openLiveLog(page, chain)
    const from = chain.logs(chain.testApp).length
    const other = await context.newPage()
    await other.goto(`${chain.appUrl}/logout`)
    await other.getByRole('button', { name: 'Sign out here' }).click()
    await expectLoginPage(page)
    expect(socketEvents(chain, from)).toContainEqual(
      expect.objectContaining({ event: 'socket.closed', reason: 'login_ended' }),
    )
  })

  test('ends with a sign-out by the cookies of the login form', async ({
    page,
    context,
    chain,
  }) => {
    await signInWithForm(context, chain)
    await openLiveLog(page, chain)
    const from = chain.logs(chain.testApp).length
    await context.request.post(`${chain.appUrl}/graphql`, {
      data: { query: 'mutation { logout { ... on Result { code } } }' },
    })
    await expectLoginPage(page)
    expect(socketEvents(chain, from)).toContainEqual(
      expect.objectContaining({ event: 'socket.closed', reason: 'login_ended' }),
    )
  })

  test('ends when the sign-in ends at the upstream', async ({ page, context, chain }) => {
    await signIn(page, chain)
    await openLiveLog(page, chain)
    const other = await context.newPage()
    await other.goto(`${chain.upstreamUrl}/connect/logout`)
    await other.getByRole('button', { name: 'Sign out' }).click()
    await expectLoginPage(page)
  })
})

test('a page of another origin can not open a socket, this app’s own can', async ({
  page,
  chain,
}) => {
  await signIn(page, chain)
  const opens = (url: string) =>
    page.evaluate(
      (address) =>
        new Promise<boolean>((resolve) => {
          const socket = new WebSocket(address)
          socket.addEventListener('open', () => (socket.close(), resolve(true)))
          socket.addEventListener('error', () => resolve(false))
        }),
      url,
    )
  const address = chain.appUrl.replace('http', 'ws') + SOCKET
  expect(await opens(address)).toBe(true)
  // Another port is the same site, so that cookies would go along.
  const foreign = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end('x'))
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`
  await page.goto(origin)
  const from = chain.logs(chain.testApp).length
  expect(await opens(address)).toBe(false)
  await expect
    .poll(() => socketEvents(chain, from))
    .toContainEqual(expect.objectContaining({ refusal: 'cross_origin', origin }))
  foreign.close()
})

test('the live log can be paused, is sound, and writes nothing to the console', async ({
  page,
  context,
  chain,
}) => {
  const errors = listenToConsole(page)
  await signIn(page, chain)
  await openLiveLog(page, chain)
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(stateOf(page)).toHaveText('Paused.')
  const before = await lines(page).count()
  await context.request.get(`${chain.appUrl}/while-paused`)
  const shown = () => lines(page).filter({ hasText: 'path=/while-paused' })
  await page.waitForResponse(/./, { timeout: 500 }).catch(() => undefined)
  expect([await lines(page).count(), await shown().count()]).toEqual([before, 0])
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(shown().first()).toBeVisible()
  await expectSoundPage(page)
  expect(errors).toEqual([])
})

test('the live log asks for the lines every 30 seconds, and goes on where it was', async ({
  page,
  chain,
}) => {
  await page.clock.install()
  await signIn(page, chain)
  await openLiveLog(page, chain)
  for (const time of ['first', 'second']) {
    const asked = page.waitForResponse(/\/logs\.json\?since=/, { timeout: 10_000 })
    await page.clock.fastForward(30_000)
    expect((await asked).status(), time).toBe(200)
  }
})

test('without JavaScript there is a link to the lines', async ({ browser, chain }) => {
  const page = await browser.newPage({ javaScriptEnabled: false })
  await signIn(page, chain)
  await page.goto(`${chain.appUrl}/`)
  await page.getByRole('link', { name: 'the same as JSON' }).click()
  await expect(page.locator('body')).toContainText('login.finished')
})

const shortTest = base.extend<object, WorkerOptions & { shortChain: Chain }>({
  storage: ['sqlite', { option: true, scope: 'worker' }],
  shortChain: [
    async ({ storage }, use) => {
      const config = { clients: { client: { access_token: { ttl: '10s' } } } }
      const chain = await startChain({ storage, config })
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

shortTest(
  'a socket whose token expires comes back with a new one, by either way to sign in',
  async ({ browser, shortChain: chain }) => {
    const [byChain, byForm] = await Promise.all([browser.newContext(), browser.newContext()])
    const pages = await Promise.all([byChain.newPage(), byForm.newPage()])
    await signIn(pages[0], chain)
    await signInWithForm(byForm, chain)
    await Promise.all(pages.map((page) => openLiveLog(page, chain)))
    const from = chain.logs(chain.testApp).length
    const names = () => socketEvents(chain, from).map(({ event, reason }) => reason ?? event)
    const both = (name: string) => names().filter((other) => other === name).length >= 2
    await expect.poll(() => both('unauthorized'), { timeout: 15_000 }).toBe(true)
    await expect.poll(() => both('socket.opened')).toBe(true)
    for (const page of pages) {
      await expect(stateOf(page)).toHaveText('Live: lines appear as they are written.')
      await expect(page).toHaveURL(`${chain.appUrl}/`)
    }
  },
)

shortTest(
  'the line to an app that is started anew is mended, and the log of the new one shown',
  async ({ page, shortChain: chain }) => {
    await signIn(page, chain)
    await openLiveLog(page, chain)
    await chain.testApp.stop()
    await expect(stateOf(page)).toContainText('Not connected.')
    await chain.testApp.start()
    await expect(stateOf(page)).toHaveText('Live: lines appear as they are written.', {
      timeout: 25_000,
    })
    await expect(lines(page).filter({ hasText: 'socket.opened' }).first()).toBeVisible()
    await expect(lines(page).filter({ hasText: 'login.finished' })).toHaveCount(0)
  },
)
