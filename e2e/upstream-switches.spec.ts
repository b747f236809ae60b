// The page of the test server's control listener, in a real browser: sound, and its forms do what they say.
import type { Page } from 'playwright/test'
import { freePorts } from '../scripts/ports.ts'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { openApp } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'

let chain: Chain
let controlUrl = ''
test.beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  controlUrl = `http://127.0.0.1:${port}`
  chain = await startChain({ storage: 'sqlite', env: { UPSTREAM_CONTROL_PORT: String(port) } })
})
test.afterAll(() => chain.stop())
test.afterEach(async ({ page }) => {
  await page.goto(controlUrl)
  await page.getByRole('button', { name: 'Make it strict again' }).click()
  await expect(page.getByText('Nothing: this issuer is strict.')).toBeVisible()
})

const endpointForm = (page: Page) => page.locator('form#endpoint')

test('the page is sound, empty and full, and when a form was wrong', async ({ page }) => {
  test.slow()
  const errors = listenToConsole(page)
  await page.goto(controlUrl)
  await expectSoundPage(page)
  await endpointForm(page).getByLabel('Status, error code').fill('200')
  await endpointForm(page).getByRole('button').click()
  await expect(page.getByRole('alert')).toHaveText('fault: expected status: 400 to 599')
  await expectSoundPage(page)
  await signIn(page, chain)
  await page.goto(controlUrl)
  await endpointForm(page).getByRole('button').click()
  await expect(page.getByText('token: status, 1 time')).toBeVisible()
  await expectSoundPage(page)
  expect(errors).toEqual([])
})

test('the sign-in page that asks for a second factor is sound', async ({ page }) => {
  const errors = listenToConsole(page)
  const url = new URL('/oauth2/authorize', chain.upstreamUrl)
  const parameters = {
    client_id: 'test-client',
    redirect_uri: `${chain.adapterUrl}/login/oauth2/code/test-auth-server`,
    response_type: 'code',
    scope: 'openid',
    state: 'a-state',
    nonce: 'a-nonce',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
    acr_values: 'urn:test:second-factor',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  await page.goto(url.href)
  await expect(page.getByLabel('Sign in without it')).not.toBeChecked()
  await expectSoundPage(page)
  expect(errors).toEqual([])
})

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('a person breaks the next token answer, sees what the adapter says, and signs in after that', async ({
    page,
  }) => {
    await page.goto(controlUrl)
    await endpointForm(page).getByRole('button', { name: 'Break the next answers' }).click()
    await expect(page.getByText('token: status, 1 time')).toBeVisible()
    await openApp(page, chain)
    await fillSignIn(page)
    await expect(page).not.toHaveURL(/authenticated/)
    await page.goto(controlUrl)
    await expect(page.getByText('Nothing: this issuer is strict.')).toBeVisible()
    await expect(page.getByRole('row', { name: /POST \/oauth2\/token 503/ })).toBeVisible()
    await openApp(page, chain)
    await expect(page).toHaveURL(/authenticated/)
  })

  test('the login name "deny" comes back to the app as refused', async ({ page }) => {
    await openApp(page, chain)
    await fillSignIn(page, { username: 'deny' })
    await expect(page.getByText('access_denied').first()).toBeVisible()
  })
})
