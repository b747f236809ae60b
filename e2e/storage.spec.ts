// Redis dead or silent: a page instead of a hang, and logins again as soon as it is back.
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { holdNavigation } from './support/hold-navigation.ts'
import {
  expectSignedIn,
  finishSignIn,
  followWaysOn,
  logged,
  openApp,
  tryAgain,
} from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'
import {
  authorize,
  expectUnavailable,
  NO_HANG_MS,
  NO_STORE,
  timed,
} from './support/store-outage.ts'

const PATHS_WITHOUT_STORE = ['/.well-known/openid-configuration', '/oauth2/jwks', '/ping']

async function statusesWithoutStore({ adapterUrl }: Chain): Promise<number[]> {
  const answers = await Promise.all(PATHS_WITHOUT_STORE.map((path) => timed(adapterUrl + path)))
  return answers.map(({ status }) => status)
}

async function expectStoreless(chain: Chain): Promise<void> {
  expectUnavailable(await authorize(chain))
  expect((await timed(`${chain.adminUrl}/healthz`)).status).toBe(200)
  const readiness = await timed(`${chain.adminUrl}/readyz`)
  expect([readiness.status, JSON.parse(readiness.body)]).toEqual([
    503,
    expect.objectContaining({ status: 'not_ready' }),
  ])
  expect(readiness.ms).toBeLessThan(NO_HANG_MS)
}

/** How long it takes until a login can begin. */
async function recoveryMs(chain: Chain): Promise<number> {
  const backAt = performance.now()
  await expect(async () => expect((await authorize(chain)).status).toBe(302)).toPass({
    intervals: [25],
    timeout: 10_000,
  })
  expect((await timed(`${chain.adminUrl}/readyz`)).status).toBe(200)
  const ms = performance.now() - backAt
  await appHasStore(chain)
  return ms
}

/** The app has a connection of its own, and says when it is lost and when it is back. */
async function appHasStore(chain: Chain): Promise<void> {
  const said = (event: string) => logged(chain.logs(chain.testApp), event).length
  await expect
    .poll(() => said('session_store.recovered') - said('session_store.unavailable'), {
      intervals: [25],
    })
    .toBe(0)
}

test.describe('Redis', () => {
  let chain: Chain
  test.beforeAll(async () => {
    chain = await startChain({ storage: 'redis' })
  })
  test.afterAll(() => chain.stop())
  test.afterEach(async () => {
    chain.redis?.signal('SIGCONT')
    await chain.redis?.start()
  })

  test('F20 dead before a login: 503 page, keys and metadata served, not ready but alive; the next login works within a second', async ({
    page,
  }) => {
    await chain.redis?.kill()
    await expectStoreless(chain)
    expect(await statusesWithoutStore(chain)).toEqual([200, 200, 200])
    await chain.redis?.start()
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
    await openApp(page, chain)
    await finishSignIn(page)
  })

  test('F20 dead when the adapter starts: it serves, says 503, and works once Redis is there', async ({
    page,
  }) => {
    await chain.redis?.kill()
    await chain.adapter.restart()
    await expectStoreless(chain)
    // Its signing keys are in Redis, so there is nothing to say about them yet.
    expect(await statusesWithoutStore(chain)).toEqual([503, 503, 200])
    await chain.redis?.start()
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
    await openApp(page, chain)
    await finishSignIn(page)
  })

  test('F21 dead while the form is open: the callback gets the page, and Try again finishes the same login', async ({
    page,
  }) => {
    await openApp(page, chain)
    await chain.redis?.kill()
    await fillSignIn(page)
    await expect(page.getByRole('heading', NO_STORE)).toBeVisible()
    expect(page.url()).toContain('/login/oauth2/code/test-auth-server')
    await tryAgain(page).click()
    await expect(page.getByRole('heading', NO_STORE)).toBeVisible()
    await chain.redis?.start()
    await recoveryMs(chain)
    await tryAgain(page).click()
    await expectSignedIn(page)
  })

  const LATER_STEPS = [
    {
      name: 'resume',
      isStep: ({ origin, pathname }: URL) =>
        origin === chain.adapterUrl && pathname.startsWith('/oauth2/authorize/'),
      page: NO_STORE,
    },
    {
      name: 'the token call',
      isStep: ({ origin, pathname }: URL) =>
        origin === chain.appUrl && pathname.startsWith('/login/'),
      page: { name: 'The adapter does not answer' },
    },
  ]
  for (const { name, isStep, page: shown } of LATER_STEPS) {
    test(`F21 dead at ${name}: a page, and its way on ends signed in`, async ({ page }) => {
      await openApp(page, chain)
      const hold = await holdNavigation(page, isStep)
      fillSignIn(page).catch(() => undefined)
      const held = await hold.reached
      await chain.redis?.kill()
      await held.release()
      await expect(page.getByRole('heading', shown)).toBeVisible()
      await chain.redis?.start()
      await followWaysOn(page)
    })
  }

  test('F22 silent: every request is answered with the page in time, and nothing piles up', async () => {
    await authorize(chain)
    chain.redis?.signal('SIGSTOP')
    await expectStoreless(chain)
    expect(await statusesWithoutStore(chain)).toEqual([200, 200, 200])
    const many = await Promise.all(Array.from({ length: 50 }, () => authorize(chain)))
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([503]))
    expect(Math.max(...many.map(({ ms }) => ms))).toBeLessThan(2 * NO_HANG_MS)
    chain.redis?.signal('SIGCONT')
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
  })
})
