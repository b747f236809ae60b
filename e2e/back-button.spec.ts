// Back, reload, double clicks and repeated links: none of them may lead to a dead end.
import type { Page } from 'playwright/test'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { describeHops, recordHops } from './support/hops.ts'
import type { Chain } from './support/processes.ts'
import { withheldAdapterAnswer, withheldUpstreamAnswer } from './support/walk.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const signedIn = (page: Page) => expect(heading(page)).toHaveText('Hello, testuser')

/** From the app's first page to the upstream's form, as a person goes. */
async function goToForm(page: Page, chain: Chain): Promise<void> {
  await page.goto(chain.appUrl)
  await page.getByRole('link', { name: 'Sign in', exact: true }).click()
  await expect(page.getByLabel('Password')).toBeVisible()
}

/** Signed in already, or on a page whose first way on leads there. */
async function expectToGetOn(page: Page, chain: Chain): Promise<void> {
  await expect(heading(page)).toBeVisible()
  if (!page.url().startsWith(`${chain.appUrl}/authenticated`))
    await page.locator('main a[href]').first().click()
  if (new URL(page.url()).pathname === '/')
    await page.getByRole('link', { name: 'See who you are' }).click()
  await signedIn(page)
}

test.describe('Back', () => {
  test('F61 from the sign-in form leads to the app, Forward to a form that works', async ({
    page,
    chain,
  }) => {
    await goToForm(page, chain)
    await page.goBack()
    await expect(page).toHaveURL(`${chain.appUrl}/`)
    await page.goForward()
    await fillSignIn(page)
    await signedIn(page)
  })

  test('F61 from the sign-in form, and signing in once more from the app', async ({
    page,
    chain,
  }) => {
    await goToForm(page, chain)
    await page.goBack()
    await page.getByRole('link', { name: 'Sign in', exact: true }).click()
    await fillSignIn(page)
    await signedIn(page)
  })

  test('F61 from a wrong password leads to a form that works', async ({ page, chain }) => {
    await goToForm(page, chain)
    await fillSignIn(page, { password: 'wrong' })
    await expect(page.getByRole('alert')).toBeVisible()
    await page.goBack()
    await fillSignIn(page)
    await signedIn(page)
  })

  test('F61 after the login leads to a page that says it is over, once more to the app, signed in', async ({
    page,
    chain,
  }) => {
    await goToForm(page, chain)
    await fillSignIn(page)
    await signedIn(page)
    await page.goBack()
    await expect(heading(page)).toHaveText('This sign-in is not open here')
    await expect(page.getByText('Go back to the application and sign in from there.')).toBeVisible()
    await page.goBack()
    await expect(page.getByText('You are signed in as testuser')).toBeVisible()
    await page.goForward()
    await page.goForward()
    await signedIn(page)
  })

  test('F61 after a refusal leads to the app, and from there to a sign-in that works', async ({
    page,
    chain,
  }) => {
    await goToForm(page, chain)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expect(heading(page)).toHaveText('The sign-in was refused')
    await page.goBack()
    await page.goBack()
    await page.getByRole('link', { name: 'Sign in', exact: true }).click()
    await fillSignIn(page)
    await signedIn(page)
  })

  test('F61 after signing out at the adapter leads to a page about nobody, with a way on', async ({
    page,
    chain,
  }) => {
    await signIn(page, chain)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('status')).toBeVisible()
    await page.goBack()
    await expect(heading(page)).toBeVisible()
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
    await page.goBack()
    await expect(heading(page)).toHaveText('You are not signed in')
    await page.getByRole('link', { name: 'Sign in', exact: true }).click()
    await signedIn(page)
  })
})

test.describe('reload', () => {
  test('F60 of the form, of a wrong password and of the signed-in page', async ({
    page,
    chain,
  }) => {
    await goToForm(page, chain)
    await page.reload()
    await fillSignIn(page, { password: 'wrong' })
    await expect(page.getByRole('alert')).toBeVisible()
    await page.reload()
    await expect(page.getByRole('alert')).toBeVisible()
    await fillSignIn(page)
    await signedIn(page)
    await page.reload()
    await signedIn(page)
  })

  test('F60 of the page after a refusal has a way on', async ({ page, chain }) => {
    await goToForm(page, chain)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expect(heading(page)).toHaveText('The sign-in was refused')
    await page.reload()
    await page.getByRole('link', { name: 'Start again' }).click()
    await fillSignIn(page)
    await signedIn(page)
  })

  test('F60 of the logout question asks again, and the answer counts', async ({ page, chain }) => {
    await signIn(page, chain)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await expect(heading(page)).toHaveText('Do you want to sign out?')
    await page.reload()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('status')).toContainText(
      'You are signed out of this app and of the adapter.',
    )
  })
})

test.describe('the same link twice', () => {
  test('F60 A04 the adapter’s callback, again after the login: already signed in, and on to the app', async ({
    page,
    chain,
  }) => {
    await page.goto(`${chain.appUrl}/authenticated`)
    const callback = await withheldUpstreamAnswer(page, chain)
    await page.goto(callback)
    await signedIn(page)
    const hops = recordHops(page)
    await page.goto(callback)
    await expect(heading(page)).toHaveText('You are signed in')
    expect(describeHops(hops, chain)).toEqual([
      'GET adapter /login/oauth2/code/test-auth-server 200',
    ])
    await expectToGetOn(page, chain)
  })

  test(
    'F60 A04 the adapter’s callback in two tabs at once: both end signed in',
    { tag: '@redis' },
    async ({ page, context, chain }) => {
      await page.goto(`${chain.appUrl}/authenticated`)
      const callback = await withheldUpstreamAnswer(page, chain)
      const second = await context.newPage()
      await Promise.all([page.goto(callback), second.goto(callback)])
      for (const tab of [page, second]) await expectToGetOn(tab, chain)
    },
  )

  test('F60 the app’s callback, again after the login', async ({ page, chain }) => {
    await page.goto(`${chain.appUrl}/authenticated/deep`)
    const callback = await withheldAdapterAnswer(page, chain)
    await page.goto(callback)
    await page.waitForURL(`${chain.appUrl}/authenticated/deep`)
    await page.goto(callback)
    await page.waitForURL(`${chain.appUrl}/authenticated/deep`)
    await signedIn(page)
  })

  test(
    'F60 the app’s callback in two tabs at once: one code, both signed in',
    { tag: '@redis' },
    async ({ page, context, chain }) => {
      await page.goto(`${chain.appUrl}/authenticated`)
      const callback = await withheldAdapterAnswer(page, chain)
      const second = await context.newPage()
      await Promise.all([page.goto(callback), second.goto(callback)])
      for (const tab of [page, second]) await signedIn(tab)
    },
  )

  test('F60 a form that is sent by a double click', async ({ page, chain }) => {
    await goToForm(page, chain)
    await page.getByLabel('User name').fill('testuser')
    await page.getByLabel('Password').fill('password')
    await page.getByRole('button', { name: 'Sign in' }).dblclick({ noWaitAfter: true })
    await signedIn(page)
  })

  test('F61 a form that is sent again from another tab, after the login', async ({
    page,
    context,
    chain,
  }) => {
    await goToForm(page, chain)
    const second = await context.newPage()
    await second.goto(page.url())
    await fillSignIn(page)
    await signedIn(page)
    await fillSignIn(second)
    await expect(heading(second)).toHaveText('This sign-in is not open here')
    await second.goto(`${chain.appUrl}/authenticated`)
    await signedIn(second)
  })
})
