// Sign-ins that took too long. A chain of its own: its logins live for two seconds.
import { test as base, type Page } from 'playwright/test'
import { expect, fillSignIn, type WorkerOptions } from './support/fixtures.ts'
import { startChain, type Chain } from './support/processes.ts'
import { withheld, withheldUpstreamAnswer } from './support/walk.ts'

const LOGIN_TTL = '2s'

const test = base.extend<object, WorkerOptions & { shortChain: Chain }>({
  storage: ['sqlite', { option: true, scope: 'worker' }],
  shortChain: [
    async ({ storage }, use) => {
      const chain = await startChain({ storage, config: { login: { ttl: LOGIN_TTL } } })
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

/** The step to the upstream of a login begun now, in this browser. */
const beginLogin = (page: Page, chain: Chain) =>
  withheld(page, `${chain.appUrl}/authenticated`, `${chain.adapterUrl}/oauth2/authorization/`)

/** Waits until the adapter takes a login begun now to be over, and with it every earlier one. */
async function allLoginsAreOver(page: Page, chain: Chain): Promise<void> {
  const probe = await beginLogin(page, chain)
  await expect
    .poll(async () => (await page.request.get(probe, { maxRedirects: 0 })).text(), {
      timeout: 15_000,
    })
    .toContain('This sign-in took too long')
}

async function expectTooLongWithAWayOn(page: Page, chain: Chain): Promise<void> {
  await expect(heading(page)).toHaveText('This sign-in took too long')
  await page.getByRole('link', { name: 'Go to Test app' }).click()
  await page.getByRole('link', { name: 'Sign in', exact: true }).click()
  // The upstream may know the person by now.
  if (page.url().startsWith(chain.upstreamUrl)) await fillSignIn(page)
  await expect(heading(page)).toHaveText('Hello, testuser')
}

test('F66 a sign-in form left open too long leads to a page that says so, and its link to a sign-in that works', async ({
  page,
  shortChain: chain,
}) => {
  await page.goto(`${chain.appUrl}/authenticated`)
  await expect(page.getByLabel('Password')).toBeVisible()
  await allLoginsAreOver(page, chain)
  await fillSignIn(page)
  await expectTooLongWithAWayOn(page, chain)
})

test('F66 so does an answer of the upstream that comes too late', async ({
  page,
  shortChain: chain,
}) => {
  await page.goto(`${chain.appUrl}/authenticated`)
  const answer = await withheldUpstreamAnswer(page, chain)
  await allLoginsAreOver(page, chain)
  await page.goto(answer)
  await expectTooLongWithAWayOn(page, chain)
})

test('F66 so does an interrupted step to the upstream', async ({ page, shortChain: chain }) => {
  const step = await beginLogin(page, chain)
  await allLoginsAreOver(page, chain)
  await page.goto(step)
  await expectTooLongWithAWayOn(page, chain)
})
