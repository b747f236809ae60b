// Several upstreams: the chooser, what it remembers, and what an app asks for, in a browser. It is one upstream test server
// under two names.
import type { Page } from 'playwright/test'
import { answerTo, requestTo, SAMPLE_STATE } from './support/authorization-request.ts'
import { test as base, expect, fillSignIn } from './support/fixtures.ts'
import { describeHops, recordHops } from './support/hops.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain, type Chain } from './support/processes.ts'
import { CALLBACKS } from './support/walk.ts'

const CONFIG = {
  upstreams: {
    'test-auth-server': { display_name: 'Employees' },
    partner: { display_name: 'Partner companies', domains: ['kite.example'] },
  },
  // In the demo it exchanges tokens of an upstream that is none of its own here.
  clients: { 'second-client': { upstreams: ['partner'], exchange: null } },
}

const test = base.extend<object, { chain: Chain }>({
  chain: [
    async ({ storage }, use) => {
      const options = { storage, secondApp: true, otherUpstreams: ['partner'], config: CONFIG }
      const chain = await startChain(options)
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

const TITLE = 'How do you want to sign in?'
const heading = (page: Page) => page.getByRole('heading', { level: 1 })

async function openChooser(page: Page, chain: Chain): Promise<void> {
  await page.goto(`${chain.appUrl}/authenticated`)
  await expect(heading(page)).toHaveText(TITLE)
}

async function expectToken(page: Page, sub: string): Promise<void> {
  await expect(heading(page)).toHaveText('Hello, testuser')
  const claims = page.getByLabel('Claims of the access token as JSON')
  await expect(claims).toContainText(`"sub": "${sub}"`)
}

test.describe('the chooser', () => {
  test('is a sound page, also when it does not know an address', async ({ page, chain }) => {
    const errors = listenToConsole(page)
    await openChooser(page, chain)
    await expectSoundPage(page)
    await page.getByLabel('Or go by your e-mail address').fill('ada@nowhere.example')
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect(page.getByText('No sign-in belongs to this address')).toBeVisible()
    await expectSoundPage(page)
    expect(errors).toEqual([])
  })

  test('leads to the upstream that is chosen, and has it first the next time', async ({
    page,
    chain,
  }) => {
    await openChooser(page, chain)
    await expect(page.getByRole('main').getByRole('link')).toHaveText([/Employees/, /Partner/])
    const hops = recordHops(page)
    await page.getByRole('link', { name: 'Partner companies' }).click()
    await fillSignIn(page)
    await expectToken(page, 'partner:testuser')
    expect(describeHops(hops, chain).slice(0, 3)).toEqual([
      'GET adapter /oauth2/authorization 302',
      'GET adapter /oauth2/authorization/partner 302',
      'GET upstream /oauth2/authorize 302',
    ])
    await page.goto(requestTo(chain, { prompt: 'login' }))
    await expect(page.getByRole('main').getByRole('link')).toHaveText([/Partner/, /Employees/])
  })

  test('goes by the domain of an e-mail address', async ({ page, chain }) => {
    await openChooser(page, chain)
    await page.getByLabel('Or go by your e-mail address').fill('ada@Kite.example')
    await page.getByRole('button', { name: 'Continue' }).click()
    await fillSignIn(page)
    await expectToken(page, 'partner:testuser')
  })
})

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('the chooser and its e-mail field lead on', async ({ page, chain }) => {
    await openChooser(page, chain)
    await page.getByLabel('Or go by your e-mail address').fill('ada@kite.example')
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect(page.getByLabel('Password')).toBeVisible()
    await openChooser(page, chain)
    await page.getByRole('link', { name: 'Employees' }).click()
    await fillSignIn(page)
    await expectToken(page, 'testuser')
  })
})

test.describe('what an app asks for', () => {
  test('another upstream than the session’s is asked, and its person takes over', async ({
    page,
    chain,
  }) => {
    await openChooser(page, chain)
    await page.getByRole('link', { name: 'Employees' }).click()
    await fillSignIn(page)
    await expectToken(page, 'testuser')
    const hops = recordHops(page)
    await page.goto(requestTo(chain, { upstream: 'partner' }))
    await page.waitForURL(`${chain.appUrl}/**`)
    expect(describeHops(hops, chain)).toContain('GET adapter /oauth2/authorization/partner 302')
    await expect.poll(() => answerTo(hops, chain)['code']).toBeTruthy()
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await expectToken(page, 'partner:testuser')
  })

  test('an app with one upstream does not ask, and refuses the others', async ({ page, chain }) => {
    const hops = recordHops(page)
    const redirect_uri = chain.secondAppUrl + CALLBACKS.app
    const forbidden = { client_id: 'second-client', redirect_uri, upstream: 'test-auth-server' }
    await page.goto(requestTo(chain, forbidden))
    const refused = hops.find(({ url }) => url.href.startsWith(redirect_uri))
    expect(Object.fromEntries(refused?.url.searchParams ?? [])).toMatchObject({
      error: 'invalid_request',
      state: SAMPLE_STATE,
      iss: chain.adapterUrl,
    })
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await fillSignIn(page)
    await expectToken(page, 'partner:testuser')
  })
})
