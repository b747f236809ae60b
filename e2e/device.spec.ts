// A device without a browser, through the whole chain: the test app plays it, and a person with a browser beside it types.
import type { Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

/** The code that the device shows, and the link that it would show as a picture. */
async function switchOn(page: Page, appUrl: string): Promise<{ code: string; link: string }> {
  await page.goto(appUrl)
  await page.getByRole('navigation').getByRole('link', { name: 'A device' }).click()
  await page.getByRole('button', { name: 'Switch the device on' }).click()
  await expect(heading(page)).toHaveText('The device waits for you')
  const link = page.getByRole('link', { name: /link with the code/ })
  return {
    code: await page.locator('.device-code').innerText(),
    link: (await link.getAttribute('href')) ?? '',
  }
}

test.describe('a device', () => {
  test(
    'is signed in by who types its code, without JavaScript',
    { tag: '@redis' },
    async ({ browser, chain }) => {
      const [device, screen] = await Promise.all([
        browser.newPage({ javaScriptEnabled: false }),
        browser.newPage({ javaScriptEnabled: false }),
      ])
      const { code } = await switchOn(device, chain.appUrl)
      await screen.goto(`${chain.adapterUrl}/device`)
      await screen.getByLabel('Code').fill('bbbb bbbb')
      await screen.getByRole('button', { name: 'Continue' }).click()
      await expect(screen.getByText('There is no such code')).toBeVisible()
      await screen.getByLabel('Code').fill(code.toLowerCase())
      await screen.getByRole('button', { name: 'Continue' }).click()
      await expect(heading(screen)).toHaveText('Sign in to Demo device on a device?')
      await expect(screen.getByText(code)).toBeVisible()
      await screen.getByRole('button', { name: 'The codes match, sign in' }).click()
      await fillSignIn(screen)
      await expect(heading(screen)).toHaveText('Your device is signed in')
      await expect(heading(device)).toHaveText('The device is signed in', { timeout: 15_000 })
      await expect(device.getByText('testuser').first()).toBeVisible()
      await Promise.all([device.close(), screen.close()])
    },
  )

  test('the link with the code shows it, and leaves the decision to the person', async ({
    page,
    chain,
  }) => {
    const faults = listenToConsole(page)
    const { code, link } = await switchOn(page, chain.appUrl)
    const watched = page.url()
    await page.goto(link)
    await expect(page.getByLabel('Code')).toHaveValue(code)
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect(heading(page)).toHaveText('Sign in to Demo device on a device?')
    await expectSoundPage(page)
    await page.getByRole('button', { name: 'Refuse' }).click()
    await expect(heading(page)).toHaveText('The device was not signed in')
    await expectSoundPage(page)
    await page.goto(link)
    await page.getByRole('button', { name: 'Continue' }).click()
    await expect(page.getByText('This code was used already')).toBeVisible()
    await expectSoundPage(page)
    await page.goto(watched)
    await expect(heading(page)).toHaveText('The device is not signed in', { timeout: 15_000 })
    await expectSoundPage(page)
    expect(faults).toEqual([])
  })
})
