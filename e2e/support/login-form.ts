// The form of /login.html, as a person uses it.
import type { Page } from 'playwright/test'
import { expect } from './fixtures.ts'
import type { Chain } from './processes.ts'

interface Credentials {
  email?: string
  password?: string
}

export const problemOn = (page: Page) => page.locator('#problem')

export async function openForm(
  page: Page,
  { appUrl }: Pick<Chain, 'appUrl'>,
  returnTo?: string,
): Promise<void> {
  const query = returnTo === undefined ? '' : `?return_to=${encodeURIComponent(returnTo)}`
  await page.goto(`${appUrl}/login.html${query}`)
}

/** Fills in the form, sends it, and waits until it was answered. */
export async function fillForm(
  page: Page,
  { email = 'single@example.test', password = 'password' }: Credentials = {},
): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Resolves on the app's first page, or on `landing`. */
export async function signInByForm(
  page: Page,
  chain: Pick<Chain, 'appUrl'>,
  credentials: Credentials = {},
  returnTo = '/',
): Promise<void> {
  await openForm(page, chain, returnTo)
  await fillForm(page, credentials)
  await expect(page.locator('.who')).toContainText('by the form of this app')
}
