// The upstream away, dead or slow: the person always gets a page that names the flow and has a way on, and it works.
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { holdNavigation } from './support/hold-navigation.ts'
import {
  expectSignedIn,
  finishSignIn,
  flowIdOn,
  isFormShown,
  isSignedIn,
  logged,
  openApp,
  tryAgain,
  tryAgainUntil,
} from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'
import { freePorts } from '../scripts/ports.ts'

const UNAVAILABLE = { name: 'test-auth-server does not answer' }
const isCallback = (url: URL) => url.pathname === '/login/oauth2/code/test-auth-server'

test.describe('an upstream that comes and goes', () => {
  let chain: Chain
  test.beforeAll(async () => {
    chain = await startChain({ storage: 'sqlite', notStarted: ['upstream'] })
  })
  test.afterAll(() => chain.stop())

  test('F01 down at the start of the chain: ready all the same; a page, and Try again works once it is there', async ({
    page,
  }) => {
    const [{ ms }] = logged(chain.logs(chain.adapter), 'listening') as [{ ms: number }]
    // Three processes start at once here, beside other tests: it is about not waiting for the upstream.
    expect(ms).toBeLessThan(5000)
    expect((await fetch(`${chain.adminUrl}/readyz`)).status).toBe(200)

    expect(await openApp(page, chain)).toBe(502)
    await expect(page.getByRole('heading', UNAVAILABLE)).toBeVisible()
    const { flow_id, error } = logged(chain.logs(chain.adapter), 'login.failed').at(-1) as {
      flow_id: string
      error: object
    }
    expect(await flowIdOn(page)).toBe(flow_id)
    expect(JSON.stringify(error)).toContain('ECONNREFUSED')

    await tryAgain(page).click()
    await expect(page.getByRole('heading', UNAVAILABLE)).toBeVisible()
    await chain.upstream.start()
    await tryAgainUntil(page, isFormShown(page))
    await finishSignIn(page)
    expect(logged(chain.logs(chain.adapter), 'login.finished').at(-1)).toMatchObject({ flow_id })
  })

  test('F02 Give up returns to the app, which is told temporarily_unavailable, and can start again', async ({
    page,
  }) => {
    await chain.upstream.kill()
    await chain.adapter.restart()
    await openApp(page, chain)
    await page.getByRole('link', { name: 'Give up and return to Test app' }).click()
    await expect(page.locator('#oauth-error')).toHaveText('temporarily_unavailable')
    expect(new URL(page.url()).origin).toBe(chain.appUrl)
    await chain.upstream.start()
    await tryAgainUntil(page, isFormShown(page))
    await finishSignIn(page)
  })

  test('F02 down between the form and the token call: a page within a second, and Try again needs no password', async ({
    page,
  }) => {
    await chain.upstream.start()
    await openApp(page, chain)
    const hold = await holdNavigation(page, isCallback)
    fillSignIn(page).catch(() => undefined)
    const held = await hold.reached
    await chain.upstream.kill()
    const answered = page.waitForResponse((response) => isCallback(new URL(response.url())))
    const releasedAt = performance.now()
    await held.release()
    expect((await answered).status()).toBe(502)
    expect(performance.now() - releasedAt).toBeLessThan(1500)
    await expect(page.getByRole('heading', UNAVAILABLE)).toBeVisible()
    await chain.upstream.start()
    await tryAgainUntil(page, isSignedIn(page))
  })

  test('F03 silent, at the start of a login and at the token call: a page after 5 s, and it works when the upstream speaks again', async ({
    browser,
    page,
  }) => {
    await chain.upstream.start()
    const atToken = await (await browser.newContext()).newPage()
    await openApp(atToken, chain)
    const hold = await holdNavigation(atToken, isCallback)
    fillSignIn(atToken).catch(() => undefined)
    const held = await hold.reached
    // Without its metadata the adapter has to ask the upstream before it sends anyone there.
    await chain.adapter.restart()
    chain.upstream.signal('SIGSTOP')

    const startedAt = performance.now()
    await held.release()
    await openApp(page, chain)
    await expect(page.getByRole('heading', UNAVAILABLE)).toBeVisible()
    await expect(atToken.getByRole('heading', UNAVAILABLE)).toBeVisible()
    const waitedMs = performance.now() - startedAt
    expect(waitedMs).toBeGreaterThan(4000)
    expect(waitedMs).toBeLessThan(10_000)

    chain.upstream.signal('SIGCONT')
    await tryAgainUntil(page, isFormShown(page))
    await finishSignIn(page)
    await tryAgainUntil(atToken, isSignedIn(atToken))
    await atToken.context().close()
  })

  test('F01 another app session goes on while the upstream is down: single sign-on needs no upstream', async ({
    page,
    context,
  }) => {
    await chain.upstream.start()
    await openApp(page, chain)
    await finishSignIn(page)
    await chain.upstream.kill()
    const { hostname } = new URL(chain.appUrl)
    await context.clearCookies({ name: 'TEST_APP_SESSION', domain: hostname })
    await openApp(page, chain)
    await expectSignedIn(page)
    await chain.upstream.start()
  })
})

test.describe('a configuration that names a dead upstream', () => {
  let chain: Chain
  test.beforeAll(async () => {
    const [dead = 0] = await freePorts(1)
    const config = { upstreams: { 'test-auth-server': { issuer: `http://127.0.0.1:${dead}` } } }
    chain = await startChain({ storage: 'sqlite', notStarted: ['upstream'], config })
  })
  test.afterAll(() => chain.stop())

  test('the adapter starts, and the login ends in the page with the flow id that stands in the log', async ({
    page,
  }) => {
    expect(await openApp(page, chain)).toBe(502)
    const flowId = await flowIdOn(page)
    const [failed] = logged(chain.logs(chain.adapter), 'login.failed')
    expect(failed).toMatchObject({
      flow_id: flowId,
      upstream: 'test-auth-server',
      client_id: 'client',
      code: 'unavailable',
    })
    await expect(page.getByRole('link', { name: 'Give up and return to Test app' })).toBeVisible()
    await expect(page.getByRole('link', { name: 'Go to Test app' })).toHaveCount(0)
  })
})
