// Single logout in every direction: down to the other app, up to the upstream, and from there inward.
import type { Page } from 'playwright/test'
import { expect, signIn, test } from './support/fixtures.ts'

type Urls = { appUrl: string; secondAppUrl: string; upstreamUrl: string }

async function signInToBoth(page: Page, chain: Urls): Promise<void> {
  await signIn(page, chain)
  await page.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
}

/** The app has no session of its own any more. */
async function expectSignedOut(page: Page, appUrl: string): Promise<void> {
  await expect(async () => {
    await page.goto(`${appUrl}/`)
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible({ timeout: 500 })
  }).toPass({ timeout: 10_000 })
}

/** A sign-in asks for the password again. */
async function expectPasswordAsked(page: Page, { appUrl, upstreamUrl }: Urls): Promise<void> {
  await page.goto(`${appUrl}/authenticated`)
  await expect(page).toHaveURL((url) => url.origin === upstreamUrl && url.pathname === '/login')
}

test.describe('single logout', { tag: '@redis' }, () => {
  test('sign out in one app signs the other out, upstream included', async ({ page, chain }) => {
    await signInToBoth(page, chain)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('checkbox', { name: 'Sign out at test-auth-server too' }).check()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await expect(page).toHaveURL((url) => url.origin === chain.upstreamUrl)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL((url) => url.origin === chain.appUrl)
    await expectSignedOut(page, chain.appUrl)
    await expectSignedOut(page, chain.secondAppUrl)
    await expectPasswordAsked(page, chain)
  })

  test('sign out at the upstream signs both out', async ({ page, chain }) => {
    await signInToBoth(page, chain)
    await page.goto(`${chain.upstreamUrl}/connect/logout`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expectSignedOut(page, chain.appUrl)
    await expectSignedOut(page, chain.secondAppUrl)
    await expectPasswordAsked(page, chain)
  })

  test('without the box the other app is signed out too, and the upstream lets the person in again', async ({
    page,
    chain,
  }) => {
    await signInToBoth(page, chain)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.waitForURL((url) => url.origin === chain.appUrl)
    await expectSignedOut(page, chain.secondAppUrl)
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
  })
})
