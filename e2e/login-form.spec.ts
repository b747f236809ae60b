// The other way to sign in: the form of this app, which asks the identity service and ends in the adapter's token, too.
import type { BrowserContext, Page } from 'playwright/test'
import { createControlClient } from '../upstream-test-server/control-client.ts'
import { freePorts } from '../scripts/ports.ts'
import { expect, test } from './support/fixtures.ts'
import { fillForm, openForm, problemOn, signInByForm } from './support/login-form.ts'
import { startChain, type Chain } from './support/processes.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const whoLine = (page: Page) => page.locator('.who')
const branches = (page: Page) => page.getByRole('radio')

/** Every token that this browser has, which is none that a script can read. */
async function expectTokensHidden(page: Page, context: BrowserContext): Promise<void> {
  const cookies = await context.cookies()
  const tokens = cookies.filter(({ name }) => /^TEST_APP_(ACCESS|REFRESH)$/.test(name))
  expect(tokens).toHaveLength(2)
  for (const cookie of tokens)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
  const seen = await page.evaluate(
    'document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)',
  )
  expect(seen).toBe('{}{}')
}

test('somebody in one branch is signed in, lands where they were going, and signs out again', async ({
  page,
  chain,
  context,
}) => {
  await openForm(page, chain, '/authenticated?tab=3')
  await fillForm(page, { email: 'single@example.test' })
  await page.waitForURL(`${chain.appUrl}/authenticated?tab=3`)
  await expect(heading(page)).toHaveText('Hello, testuser')
  await expect(whoLine(page)).toContainText('by the form of this app, token until')
  await expectTokensHidden(page, context)

  await page.getByRole('navigation').getByRole('link', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('status')).toContainText('You are signed out of this app')
  await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
  expect((await page.request.get(`${chain.appUrl}/api/me`)).status()).toBe(401)
})

test('somebody in several branches chooses one, once, by keyboard', async ({ page, chain }) => {
  await openForm(page, chain, '/authenticated')
  await page.getByLabel('E-mail address').fill('multi@example.test')
  await page.keyboard.press('Tab')
  await page.keyboard.type('password')
  await page.keyboard.press('Enter')
  await expect(heading(page)).toHaveText('Choose a branch')
  await expect(branches(page)).toHaveCount(3)
  expect((await page.request.get(`${chain.appUrl}/api/me`)).status()).toBe(401)

  await page.getByRole('button', { name: 'Go on' }).click()
  await expect(page.getByRole('alert')).toHaveText('Choose one of the branches.')
  await expect(branches(page).first()).toBeFocused()
  await page.reload()
  await branches(page).first().focus()
  await page.keyboard.press('ArrowDown')
  await expect(branches(page).nth(1)).toBeChecked()
  await page.keyboard.press('Enter')
  await page.waitForURL(`${chain.appUrl}/authenticated`)
  await expect(heading(page)).toHaveText('Hello, Mina Multi')

  await page.goto(`${chain.appUrl}/select-branch`)
  await expect(page.getByRole('status')).toContainText('There is no branch to choose')
})

test('a wrong password is said next to the form, and the next try may be right', async ({
  page,
  chain,
}) => {
  await openForm(page, chain)
  await fillForm(page, { email: '', password: '' })
  await expect(page.getByText('Enter your e-mail address.')).toBeVisible()
  await expect(page.getByText('Enter your password.')).toBeVisible()
  await expect(page.getByLabel('E-mail address')).toBeFocused()
  await expect(page.getByLabel('E-mail address')).toHaveAccessibleDescription(
    'Enter your e-mail address.',
  )
  await fillForm(page, { email: 'nobody' })
  await expect(page.getByLabel('E-mail address')).toHaveAttribute('aria-invalid', 'true')
  for (const email of ['single@example.test', 'unknown@example.test']) {
    await fillForm(page, { email, password: 'wrong' })
    await expect(problemOn(page)).toHaveText('The e-mail address or the password is not right.')
    await expect(page.getByLabel('Password')).toBeFocused()
    await expect(page.getByLabel('Password')).toHaveValue('')
    await expect(page.getByLabel('E-mail address')).toHaveValue(email)
  }
  await fillForm(page, { email: 'single@example.test' })
  await page.waitForURL(`${chain.appUrl}/`)
  await expect(whoLine(page)).toContainText('Signed in as testuser')
  // The form is a plain file, and says the same of who is signed in.
  const said = (await whoLine(page).innerText()).replaceAll(/\s+/g, ' ')
  await openForm(page, chain)
  await expect(whoLine(page)).toHaveText(said, { useInnerText: true })
})

test('what else is wrong with an account is said to who knows its password', async ({
  page,
  chain,
}) => {
  await openForm(page, chain)
  const reasons = {
    'locked@example.test': 'This account is locked until somebody unlocks it.',
    'disabled@example.test': 'This account is disabled.',
    'workspace-disabled@example.test': 'The workspace of this account is disabled.',
    'member-disabled@example.test': 'This account is no longer a member of its workspace.',
    'no-branch@example.test': 'This account is in no branch, so there is nothing to sign in to.',
    'system@example.test': 'This account is for programs. People can not sign in with it.',
  }
  for (const [email, reason] of Object.entries(reasons)) {
    await fillForm(page, { email })
    await expect(problemOn(page)).toHaveText(reason)
  }
})

test('the form leads to no other site, and offers the adapter', async ({ page, chain }) => {
  await page.goto(`${chain.appUrl}/login.html?return_to=${encodeURIComponent('//evil.example/')}`)
  await expect(page.getByRole('link', { name: 'Sign in with the adapter' })).toHaveAttribute(
    'href',
    '/sign-in?return_to=%2F',
  )
  await signInByForm(page, chain, {}, '/\\evil.example')
  await page.goto(`${chain.appUrl}/login.html?return_to=%2Fauthenticated`)
  await expect(page.getByText(/^You are signed in as testuser, by the form/)).toBeVisible()
  await page.getByRole('link', { name: 'Go on' }).click()
  await expect(heading(page)).toHaveText('Hello, testuser')
})

test.describe('with a chain of its own', () => {
  let chain: Chain
  let clock: ReturnType<typeof createControlClient>
  test.beforeAll(async () => {
    const [port = 0] = await freePorts(1)
    clock = createControlClient(`http://127.0.0.1:${port}`)
    chain = await startChain({
      storage: 'sqlite',
      env: { UPSTREAM_CONTROL_PORT: String(port) },
    })
  })
  test.afterAll(() => chain.stop())

  test('ten wrong passwords lock the form for a quarter of an hour, and no longer', async ({
    page,
  }) => {
    await clock.setClock(-901)
    await openForm(page, chain)
    for (let count = 0; count < 10; count += 1) {
      await fillForm(page, { email: 'single@example.test', password: `wrong ${count}` })
      await expect(problemOn(page)).toContainText('is not right')
    }
    await fillForm(page, { email: 'single@example.test' })
    await expect(problemOn(page)).toHaveText(
      /^Too many wrong passwords\. Try again at \d.*, in 15 minutes\.$/,
    )
    await clock.setClock(0)
    await fillForm(page, { email: 'single@example.test' })
    await page.waitForURL(`${chain.appUrl}/`)
    await expect(whoLine(page)).toContainText('Signed in as testuser')
  })

  test('what does not answer is named, and it works once it is back', async ({ page }) => {
    await openForm(page, chain)
    await chain.adapter.stop()
    await fillForm(page, {})
    await expect(problemOn(page)).toHaveText('The adapter does not answer. Try again.')
    await chain.adapter.start()
    await chain.upstream.stop()
    await fillForm(page, {})
    await expect(problemOn(page)).toContainText('The identity service does not answer.')
    await chain.upstream.start()
    await fillForm(page, {})
    await page.waitForURL(`${chain.appUrl}/`)
  })
})
