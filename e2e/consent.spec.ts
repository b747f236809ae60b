// The consent page as a person meets it, on the way to an app that is somebody else's.
import type { Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain } from './support/processes.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

test('somebody else’s app is asked about once, and comes back with a refusal too', async ({
  page,
}) => {
  const config = {
    // Nobody could be asked for their consent to an exchange.
    clients: { client: { third_party: true, exchange: null } },
    scope_descriptions: { read: 'See your orders' },
  }
  const chain = await startChain({ storage: 'sqlite', config })
  try {
    const faults = listenToConsole(page)
    await page.goto(`${chain.appUrl}/authenticated`)
    await fillSignIn(page)
    await expect(heading(page)).toHaveText('Do you allow Test app this?')
    await expect(page.getByText('See your orders')).toBeVisible()
    await expectSoundPage(page)
    await page.getByRole('button', { name: 'Refuse' }).click()
    await expect(page).toHaveURL((url) => url.origin === chain.appUrl)
    await expect(page.getByText('access_denied')).toBeAttached()
    await page.goto(`${chain.appUrl}/authenticated`)
    await page.getByRole('button', { name: 'Allow' }).click()
    await expect(heading(page)).toHaveText('Hello, testuser')
    await page.context().clearCookies()
    await page.goto(`${chain.appUrl}/authenticated`)
    await fillSignIn(page)
    await expect(heading(page)).toHaveText('Hello, testuser')
    expect(faults).toEqual([])
  } finally {
    await chain.stop()
  }
})
