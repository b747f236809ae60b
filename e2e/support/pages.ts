// What stands on the pages of the chain, as tests ask for it.
import type { Page } from 'playwright/test'
import { expect, fillSignIn } from './fixtures.ts'
import type { Chain } from './processes.ts'

export const tryAgain = (page: Page) => page.getByRole('link', { name: 'Try again' })

/** The app's page for the signed-in. */
export async function expectSignedIn(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Hello, testuser' })).toBeVisible()
}

/** Fills in the form that is shown, or is about to be, and arrives at the app. */
export async function finishSignIn(page: Page): Promise<void> {
  await expect(page.getByRole('button', { name: 'Sign in', exact: true })).toBeVisible()
  await fillSignIn(page)
  await expectSignedIn(page)
}

/** Follows "Try again" until `isReady`: what comes back may need a moment. */
export async function tryAgainUntil(page: Page, isReady: () => Promise<boolean>): Promise<void> {
  await expect(async () => {
    if (!(await isReady())) await tryAgain(page).click({ timeout: 1000 })
    expect(await isReady()).toBe(true)
  }).toPass({ intervals: [100] })
}

export const isFormShown = (page: Page) => () => page.getByLabel('User name').isVisible()
export const isSignedIn = (page: Page) => () =>
  page.getByRole('heading', { name: 'Hello, testuser' }).isVisible()

/** As a person does it: what a page offers is followed, form included, until one is signed in. */
export async function followWaysOn(page: Page): Promise<void> {
  await expect(async () => {
    if (await tryAgain(page).isVisible()) await tryAgain(page).click({ timeout: 1000 })
    if (await isFormShown(page)()) await fillSignIn(page)
    expect(await isSignedIn(page)()).toBe(true)
  }).toPass({ intervals: [100] })
}

/** Opens the app's protected page; the status is that of the page where the redirects end. */
export async function openApp(
  page: Page,
  { appUrl }: Pick<Chain, 'appUrl'>,
): Promise<number | undefined> {
  return (await page.goto(`${appUrl}/authenticated`))?.status()
}

export const flowIdOn = (page: Page) => page.locator('.flow-id').innerText()

/** Log lines that are `event`, in order; what the audit says of the same is not among them. */
export function logged(lines: readonly string[], event: string): Record<string, unknown>[] {
  return lines
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ audit }) => audit !== true)
}
