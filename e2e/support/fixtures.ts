// What end-to-end tests are given: a chain for the whole worker on the project's storage, and a way to sign in.
import { test as base, type Page } from 'playwright/test'
import { startChain, type Chain, type ChainOptions } from './processes.ts'

export interface WorkerOptions {
  /** Set by the project: see playwright.config.ts. */
  storage: ChainOptions['storage']
}

interface WorkerFixtures {
  /** Started once for a worker, with the second app. Tests that kill parts of it start their own with startChain. */
  chain: Chain
}

export const test = base.extend<object, WorkerOptions & WorkerFixtures>({
  storage: ['sqlite', { option: true, scope: 'worker' }],
  chain: [
    async ({ storage }, use) => {
      const chain = await startChain({ storage, secondApp: true })
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

export { expect } from 'playwright/test'

export interface Credentials {
  username?: string
  password?: string
}

/** Fills in the upstream's sign-in form, on which `page` must be, and sends it. */
export async function fillSignIn(
  page: Page,
  { username = 'testuser', password = 'password' }: Credentials = {},
): Promise<void> {
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** From the app through the whole chain and back; resolves on the app's page for the signed-in. */
export async function signIn(
  page: Page,
  chain: Pick<Chain, 'appUrl'>,
  credentials: Credentials = {},
): Promise<void> {
  await page.goto(`${chain.appUrl}/authenticated`)
  await fillSignIn(page, credentials)
  await page.waitForURL(`${chain.appUrl}/authenticated`)
}
