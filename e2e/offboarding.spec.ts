// Who is disabled at the upstream is out of every app, in the time that docs/refresh.md states for its coupling.
import type { Page } from 'playwright/test'
import { freePorts } from '../scripts/ports.ts'
import { createControlClient, type ControlClient } from '../upstream-test-server/control-client.ts'
import { expect, signIn, test } from './support/fixtures.ts'
import { logged } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'

/** So short that an app refreshes at each page. */
const ACCESS_TOKEN = { ttl: '10s' }
const STRICT = { when: 'always', rotation: 'always', coupling: 'strict' }

let chain: Chain
let control: ControlClient

test.beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  control = createControlClient(`http://127.0.0.1:${port}`)
  const app = { refresh: STRICT, access_token: ACCESS_TOKEN }
  chain = await startChain({
    storage: 'sqlite',
    secondApp: true,
    env: { UPSTREAM_CONTROL_PORT: String(port) },
    config: { clients: { client: app, 'second-client': app } },
  })
  await control.setRefresh({ issued: 'always' })
})
test.afterAll(() => chain.stop())

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const refreshes = () =>
  logged(chain.logs(chain.adapter), 'token.issued').filter(
    ({ grant_type }) => grant_type === 'refresh_token',
  ).length

test('strict: in every app the next page leads to the sign-in of the upstream, where nobody gets in', async ({
  page,
}) => {
  await signIn(page, chain)
  await page.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(heading(page)).toHaveText('Hello, testuser')
  for (const url of [chain.appUrl, chain.secondAppUrl]) {
    const before = refreshes()
    await page.goto(`${url}/authenticated`)
    await expect(heading(page)).toHaveText('Hello, testuser')
    expect(refreshes()).toBeGreaterThan(before)
  }

  await control.disablePerson('testuser')
  for (const url of [chain.appUrl, chain.secondAppUrl]) {
    await page.goto(`${url}/authenticated`)
    await expect(page).toHaveURL(
      ({ origin, pathname }) => origin === chain.upstreamUrl && pathname === '/login',
    )
  }
  expect(logged(chain.logs(chain.adapter), 'lifecycle.ended').length).toBeGreaterThan(0)
})
