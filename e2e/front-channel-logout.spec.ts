// Apps that are told by the browser alone: the second app has no address for its server, and is on another site than the
// adapter.
import type { Browser, Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { authorizationRequest } from './support/http-client.ts'
import { logged } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'

const FRONT_CHANNEL_ONLY = {
  backchannel_logout_uri: null,
  frontchannel_logout_uri: 'https://app.fourth.test:${SECOND_APP_PORT}/logout/frontchannel',
}

let chain: Chain
let browser: Browser
test.beforeAll(async ({ playwright, launchOptions }) => {
  const config = { clients: { 'second-client': FRONT_CHANNEL_ONLY } }
  chain = await startChain({ storage: 'sqlite', https: true, secondApp: true, config })
  const args = [...(launchOptions.args ?? []), ...chain.browserArgs]
  browser = await playwright.chromium.launch({ ...launchOptions, args })
})
test.afterAll(async () => {
  await browser.close()
  await chain.stop()
})

/** A page of a person who is signed in to both apps. */
async function signedInToBoth(): Promise<Page> {
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${chain.appUrl}/authenticated`)
  await fillSignIn(page)
  await page.waitForURL(`${chain.appUrl}/authenticated`)
  await page.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
  return page
}

/** By a page in a frame, and by nothing else. */
async function expectToldByPage(page: Page, times: number): Promise<void> {
  await page.goto(`${chain.secondAppUrl}/`)
  await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
  const lines = chain.logs(chain.secondApp)
  const heard = logged(lines, 'logout.front_channel').map(({ had_session }) => had_session)
  expect(heard).toEqual(Array.from({ length: times }, () => true))
  expect(logged(lines, 'logout.back_channel')).toEqual([])
}

test('sign out in one app signs the other out', async () => {
  const page = await signedInToBoth()
  await page.goto(`${chain.appUrl}/logout`)
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await expect(page.getByRole('status')).toContainText(
    'You are signed out of this app and of the adapter.',
  )
  await expectToldByPage(page, 1)
  await page.context().close()
})

test('A08 another person signs in: the session of the one before ends in the other app on the way, and the next one is theirs', async () => {
  const page = await signedInToBoth()
  await page.goto(authorizationRequest(chain, { prompt: 'login' }).url.href)
  await fillSignIn(page, { username: 'ada' })
  // The app began none of this; what counts is that its person arrives there.
  await page.waitForURL(({ origin }) => origin === chain.appUrl)
  await expectToldByPage(page, 2)
  await page.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, Ada Admin')
  await page.context().close()
})
