// Each process killed in mid-login and started again: the login goes on, or ends on a page with a way on that then works.
import type { Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { holdNavigation, type HeldNavigation } from './support/hold-navigation.ts'
import { authorizationRequest, redeemCode } from './support/http-client.ts'
import { createHttpBrowser, submitSignIn } from './support/http-browser.ts'
import { expectSignedIn, finishSignIn, followWaysOn, tryAgain } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'

let chain: Chain
test.beforeAll(async ({ storage }) => {
  chain = await startChain({ storage })
})
test.afterAll(() => chain.stop())
test.afterEach(async () => {
  await chain.redis?.start()
  await Promise.all([chain.upstream.start(), chain.adapter.start(), chain.testApp.start()])
})

type Owner = 'appUrl' | 'adapterUrl' | 'upstreamUrl'

interface Step {
  /** `before …`: the request that has not been sent yet. */
  name: string
  owner: Owner
  path: RegExp
  method?: 'POST'
  /** Comes after the sign-in form. */
  isLate?: true
}

/** Every hop of the browser, in order. */
const STEPS: readonly Step[] = [
  { name: 'the authorization request', owner: 'adapterUrl', path: /^\/oauth2\/authorize$/ },
  {
    name: 'the choice of the upstream',
    owner: 'adapterUrl',
    path: /^\/oauth2\/authorization\/test-auth-server$/,
  },
  {
    name: 'the authorization request upstream',
    owner: 'upstreamUrl',
    path: /^\/oauth2\/authorize$/,
  },
  { name: 'the form is shown', owner: 'upstreamUrl', path: /^\/login$/ },
  {
    name: 'the form is sent',
    owner: 'upstreamUrl',
    path: /^\/login$/,
    method: 'POST',
    isLate: true,
  },
  {
    name: 'the upstream goes on',
    owner: 'upstreamUrl',
    path: /^\/oauth2\/authorize\/./,
    isLate: true,
  },
  {
    name: "the adapter's callback",
    owner: 'adapterUrl',
    path: /^\/login\/oauth2\/code\/test-auth-server$/,
    isLate: true,
  },
  { name: 'resume', owner: 'adapterUrl', path: /^\/oauth2\/authorize\/./, isLate: true },
  {
    name: "the app's callback and the token call",
    owner: 'appUrl',
    path: /^\/login\/oauth2\/code\/auth-adapter$/,
    isLate: true,
  },
]

const ignored = () => undefined

/** Opens the app and stops before `step`. */
async function loginUpTo(
  page: Page,
  { owner, path, method, isLate }: Step,
): Promise<HeldNavigation> {
  const isStep = (url: URL, how: string) =>
    url.origin === chain[owner] && path.test(url.pathname) && how === (method ?? 'GET')
  if (isLate) await page.goto(`${chain.appUrl}/authenticated`)
  const hold = await holdNavigation(page, isStep)
  if (isLate) fillSignIn(page).catch(ignored)
  else page.goto(`${chain.appUrl}/authenticated`).catch(ignored)
  return hold.reached
}

/** Through the form, if it is not behind the person, to the app's page for the signed-in. */
const finishLogin = (page: Page, isFormBehind = false) =>
  isFormBehind ? expectSignedIn(page) : finishSignIn(page)

type PartName = 'adapter' | 'upstream' | 'testApp' | 'redis'

async function killAndStart(names: readonly PartName[]): Promise<void> {
  const parts = names.map((name) => chain[name]).filter((part) => part !== undefined)
  await Promise.all(parts.map((part) => part.kill()))
  // The adapter may find its store away when it starts; Redis first keeps the storage outages to their own tests.
  await chain.redis?.start()
  await Promise.all(parts.map((part) => part.start()))
}

for (const step of STEPS) {
  test(`F45 the adapter killed and restarted before ${step.name}: the login finishes`, async ({
    page,
  }) => {
    const held = await loginUpTo(page, step)
    await killAndStart(['adapter'])
    await held.release()
    await finishLogin(page, step.isLate)
  })

  test(
    `F45 every process killed and restarted before ${step.name}: the login finishes`,
    { tag: '@redis' },
    async ({ page }) => {
      const held = await loginUpTo(page, step)
      await killAndStart(['adapter', 'upstream', 'testApp', 'redis'])
      await held.release()
      await finishLogin(page, step.isLate)
    },
  )

  test(
    `F45 Redis killed and restarted before ${step.name}: the login finishes, if need be by Try again`,
    { tag: '@redis-only' },
    async ({ page }) => {
      const held = await loginUpTo(page, step)
      await killAndStart(['redis'])
      await held.release()
      // Connections may take some of the second they are given.
      await followWaysOn(page)
    },
  )
}

test('F45 the adapter is dead when the app makes the token call: a page, and Try again works without the form', async ({
  page,
}) => {
  const held = await loginUpTo(page, STEPS.at(-1) as Step)
  await chain.adapter.kill()
  await held.release()
  await expect(page.getByRole('heading', { name: 'The adapter does not answer' })).toBeVisible()
  await chain.adapter.start()
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).origin))
  await tryAgain(page).click()
  await expectSignedIn(page)
  expect(asked).not.toContain(chain.upstreamUrl)
})

test('F45 the adapter is dead when the upstream sends the browser back: a reload finishes the login', async ({
  page,
}) => {
  const held = await loginUpTo(
    page,
    STEPS.find(
      ({ owner, path }) =>
        owner === 'adapterUrl' && path.test('/login/oauth2/code/test-auth-server'),
    ) as Step,
  )
  await chain.adapter.kill()
  const failed = page.waitForEvent('requestfailed', (request) => request.url() === held.url.href)
  await held.release()
  expect((await failed).failure()?.errorText).toBe('net::ERR_CONNECTION_REFUSED')
  await chain.adapter.start()
  await page.goto(held.url.href)
  await expectSignedIn(page)
})

test.describe('answers that a crash took away', { tag: '@redis' }, () => {
  const isApp = ({ origin }: URL) => origin === chain.appUrl
  const isCallback = ({ origin, pathname }: URL) =>
    origin === chain.adapterUrl && pathname.startsWith('/login/oauth2/code/')
  const isResume = ({ origin, pathname }: URL) =>
    origin === chain.adapterUrl && pathname.startsWith('/oauth2/authorize/')

  async function loginInHttp(stopBefore: (next: URL) => boolean) {
    const browser = createHttpBrowser()
    const request = authorizationRequest(chain)
    const { location } = await submitSignIn(browser, await browser.follow(request.url), stopBefore)
    if (!location) throw new Error('The login ended before that')
    return { browser, request, location }
  }

  test('F46 crash between the code exchange and the save: a reload of the callback finishes the login without the form', async () => {
    const { browser, request, location: callback } = await loginInHttp(isCallback)
    chain.upstream.signal('SIGSTOP')
    // Two at once: the one that is answered says that the other has taken the state and waits for the upstream.
    const calls = [browser.request(callback), browser.request(callback)]
    const outcomes = Promise.allSettled(calls)
    expect((await Promise.any(calls)).location?.pathname).toBe(
      '/oauth2/authorization/test-auth-server',
    )
    await chain.adapter.kill()
    expect((await outcomes).map(({ status }) => status).toSorted()).toEqual([
      'fulfilled',
      'rejected',
    ])
    chain.upstream.signal('SIGCONT')
    await chain.adapter.start()
    const { location } = await browser.follow(callback, isApp)
    expect((await redeemCode(chain, location as URL, request)).access_token).toMatch(/^ey/)
  })

  test('F47 crash after resume, before its answer arrived: a page with a way on that works without the form', async () => {
    const { browser, location: resume } = await loginInHttp(isResume)
    await browser.requestInVain(resume)
    await chain.adapter.kill()
    await chain.adapter.start()
    const shown = await browser.request(resume)
    expect(shown.status).toBe(400)
    expect(shown.body).toContain(`href="${chain.appUrl}/"`)
    const again = authorizationRequest(chain)
    const { location } = await browser.follow(again.url, isApp)
    expect((await redeemCode(chain, location as URL, again)).access_token).toMatch(/^ey/)
  })

  test('F48 crash after the code was consumed: the retry is refused, what was issued ends, a new login needs no form', async () => {
    const { browser, request, location: callback } = await loginInHttp(isApp)
    const lost = await redeemCode(chain, callback, request)
    await chain.adapter.kill()
    await chain.adapter.start()
    await expect(redeemCode(chain, callback, request)).rejects.toThrow('invalid_grant')
    const userinfo = await fetch(`${chain.adapterUrl}/userinfo`, {
      headers: { authorization: `Bearer ${lost.access_token}` },
    })
    expect(userinfo.status).toBe(401)
    const again = authorizationRequest(chain)
    const { location } = await browser.follow(again.url, isApp)
    expect((await redeemCode(chain, location as URL, again)).access_token).toMatch(/^ey/)
  })
})
