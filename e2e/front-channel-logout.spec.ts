// Single logout by the browser alone: the second app has no address for its server, and is on another site than the adapter.
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { startChain } from './support/processes.ts'

const FRONT_CHANNEL_ONLY = {
  backchannel_logout_uri: null,
  frontchannel_logout_uri: 'https://app.fourth.test:${SECOND_APP_PORT}/logout/frontchannel',
}

test('sign out in one app signs the other out by its page in a frame', async ({
  playwright,
  launchOptions,
}) => {
  test.setTimeout(60_000)
  const chain = await startChain({
    storage: 'sqlite',
    https: true,
    secondApp: true,
    config: { clients: { 'second-client': FRONT_CHANNEL_ONLY } },
  })
  const args = [...(launchOptions.args ?? []), ...chain.browserArgs]
  const browser = await playwright.chromium.launch({ ...launchOptions, args })
  try {
    const page = await browser.newPage()
    await page.goto(`${chain.appUrl}/authenticated`)
    await fillSignIn(page)
    await page.waitForURL(`${chain.appUrl}/authenticated`)
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')

    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await expect(page.getByRole('status')).toContainText(
      'You are signed out of this app and of the adapter.',
    )
    await page.goto(`${chain.secondAppUrl}/`)
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
    const heard = chain
      .logs(chain.secondApp)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => String(event).startsWith('logout.'))
    expect(heard).toMatchObject([{ event: 'logout.front_channel', had_session: true }])
  } finally {
    await browser.close()
    await chain.stop()
  }
})
