// What is not accepted, and how a person learns of it: one page with a way on, never a loop.
import type { Page } from 'playwright/test'
import { answerTo, requestTo, SAMPLE_STATE } from './support/authorization-request.ts'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { startForgetfulProxy } from './support/forgetful-proxy.ts'
import { describeHops, hopsAt, recordHops } from './support/hops.ts'
import type { Chain } from './support/processes.ts'
import { CALLBACKS } from './support/walk.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

test.describe('a request that can not be trusted gets a page and no redirect', () => {
  const REQUESTS: {
    name: string
    parameters: (chain: Chain) => Record<string, string>
    isKnownApp: boolean
  }[] = [
    { name: 'an unknown client', parameters: () => ({ client_id: 'nobody' }), isKnownApp: false },
    { name: 'no client', parameters: () => ({ client_id: '' }), isKnownApp: false },
    {
      name: 'a redirect_uri of somebody else',
      parameters: () => ({ redirect_uri: `https://attacker.example${CALLBACKS.app}` }),
      isKnownApp: true,
    },
    {
      name: 'a redirect_uri with a slash more',
      parameters: ({ appUrl }) => ({ redirect_uri: `${appUrl}${CALLBACKS.app}/` }),
      isKnownApp: true,
    },
    {
      name: 'the redirect_uri of the other client',
      parameters: ({ secondAppUrl }) => ({ redirect_uri: secondAppUrl + CALLBACKS.app }),
      isKnownApp: true,
    },
  ]
  for (const { name, parameters, isKnownApp } of REQUESTS) {
    test(name, async ({ page, chain }) => {
      const hops = recordHops(page)
      await page.goto(requestTo(chain, parameters(chain)))
      await expect(heading(page)).toHaveText('This sign-in link does not work')
      expect(describeHops(hops, chain)).toEqual(['GET adapter /oauth2/authorize 400'])
      await expect(page.locator('.flow-id')).toHaveText(/^[\w-]{8,}$/)
      const links = await page
        .getByRole('link')
        .evaluateAll((found) => found.map((link) => (link as unknown as { href: string }).href))
      expect(links).toEqual(isKnownApp ? [`${chain.appUrl}/`] : [])
      if (!isKnownApp)
        await expect(page.getByText('You can close this tab and open the app again.')).toBeVisible()
    })
  }
})

test.describe('F64 cookies that do not stay', () => {
  interface Case {
    lost: string
    isLost: (name: string) => boolean
    title: string
    /** Most navigations after the sign-in form, or in all where there is none. */
    mostHops: number
    asksForPassword: boolean
    wayOn: string
  }
  const named = (prefix: string) => (name: string) => name.startsWith(prefix)
  const CASES: Case[] = [
    {
      lost: 'all',
      isLost: () => true,
      title: 'Your browser blocks cookies',
      mostHops: 5,
      asksForPassword: false,
      wayOn: 'Go to Test app',
    },
    {
      lost: 'the adapter’s',
      isLost: named('AUTH_ADAPTER'),
      title: 'This sign-in was not started here, or is over',
      mostHops: 5,
      asksForPassword: false,
      wayOn: 'Go to Test app',
    },
    {
      lost: 'the adapter’s for resuming',
      isLost: named('AUTH_ADAPTER_RESUME'),
      title: 'This sign-in took too long',
      mostHops: 4,
      asksForPassword: true,
      wayOn: 'Go to Test app',
    },
    {
      lost: 'the app’s for the sign-in',
      isLost: named('TEST_APP_LOGIN'),
      title: 'This sign-in was not started here, or is over',
      mostHops: 5,
      asksForPassword: true,
      wayOn: 'Start again',
    },
    {
      lost: 'the app’s session',
      isLost: named('TEST_APP_SESSION'),
      title: 'You signed in, but the session was not kept',
      mostHops: 12,
      asksForPassword: true,
      wayOn: 'Try again',
    },
  ]
  for (const { lost, isLost, title, mostHops, asksForPassword, wayOn } of CASES) {
    test(`${lost}: one page says so, within ${mostHops} hops`, async ({ browser, chain }) => {
      const proxy = await startForgetfulProxy(isLost)
      const context = await browser.newContext({ proxy: { server: proxy.url } })
      try {
        const page = await context.newPage()
        const hops = recordHops(page)
        await page.goto(`${chain.appUrl}/authenticated`)
        if (asksForPassword) {
          hops.length = 0
          await fillSignIn(page)
        }
        await expect(heading(page)).toHaveText(title)
        expect(hops.length, describeHops(hops, chain).join('\n')).toBeLessThanOrEqual(mostHops)
        expect((await context.cookies()).filter(({ name }) => isLost(name))).toEqual([])
        await expect(page.getByRole('link', { name: wayOn })).toBeVisible()
      } finally {
        await context.close()
        await proxy.stop()
      }
    })
  }

  test('cleared while the sign-in form is open: a page with a way on, which works', async ({
    page,
    context,
    chain,
  }) => {
    await page.goto(`${chain.appUrl}/authenticated`)
    await context.clearCookies({ name: /^(AUTH_ADAPTER|TEST_APP)/ })
    await fillSignIn(page)
    await expect(heading(page)).toHaveText('This sign-in was not started here, or is over')
    await page.getByRole('link', { name: 'Go to Test app' }).click()
    await page.getByRole('link', { name: 'Sign in', exact: true }).click()
    await expect(heading(page)).toHaveText('Hello, testuser')
  })
})

test('a fetch without a session gets 401 JSON and starts no sign-in; with one it gets the person', async ({
  page,
  context,
  chain,
}) => {
  await page.goto(chain.appUrl)
  const requests: string[] = []
  page.on('request', (request) => void requests.push(request.url()))
  const answers = await page.evaluate(async () =>
    Promise.all(
      ['/authenticated', '/api/me', '/sign-in'].map(async (path) => {
        const response = await fetch(path)
        return {
          status: response.status,
          type: response.headers.get('content-type'),
          body: (await response.json()) as unknown,
        }
      }),
    ),
  )
  for (const answer of answers) {
    expect(answer).toEqual({
      status: 401,
      type: expect.stringContaining('application/json'),
      body: {
        error: 'unauthenticated',
        login_url: expect.stringMatching(/^\/(sign-in|login\.html)\?return_to=/),
      },
    })
  }
  expect(requests.filter((url) => !url.startsWith(chain.appUrl))).toEqual([])
  expect(await context.cookies()).toEqual([])
  await signIn(page, chain)
  expect(
    await page.evaluate(async () => (await (await fetch('/api/me')).json()) as unknown),
  ).toMatchObject({ sub: 'testuser', authorities: ['ROLE_USER'] })
})

test.describe('what can not be given ends in one OAuth error, not in another round', () => {
  const REQUESTS = [
    { name: 'prompt=consent', parameters: { prompt: 'consent' }, error: 'consent_required' },
    {
      name: 'an acr that the upstream does not reach',
      parameters: {
        claims: JSON.stringify({ id_token: { acr: { essential: true, values: ['gold'] } } }),
      },
      error: 'unmet_authentication_requirements',
    },
    {
      name: 'somebody who does not exist',
      parameters: { claims: JSON.stringify({ id_token: { sub: { value: 'nobody' } } }) },
      error: 'login_required',
    },
  ]
  for (const { name, parameters, error } of REQUESTS) {
    test(name, async ({ page, chain }) => {
      const hops = recordHops(page)
      await page.goto(requestTo(chain, parameters))
      await fillSignIn(page)
      await expect(page.getByRole('link', { name: 'Start again' })).toBeVisible()
      expect(answerTo(hops, chain)).toMatchObject({
        error,
        state: SAMPLE_STATE,
        iss: chain.adapterUrl,
      })
      expect(
        describeHops(hopsAt(hops, chain.upstreamUrl), chain).filter((hop) =>
          hop.startsWith('POST'),
        ),
      ).toHaveLength(1)
      expect(hops.length, describeHops(hops, chain).join('\n')).toBeLessThanOrEqual(12)
    })
  }
})

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('signing in, another person taking over, and signing out work', async ({ page, chain }) => {
    await signIn(page, chain)
    await expect(heading(page)).toHaveText('Hello, testuser')
    await page.goto(requestTo(chain, { prompt: 'login' }))
    await fillSignIn(page, { username: 'ada' })
    await expect(heading(page)).toHaveText('One moment')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await expect(heading(page)).toHaveText('Hello, Ada Admin')
    await page.goto(`${chain.secondAppUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('status')).toContainText(
      'You are signed out of this app and of the adapter.',
    )
  })

  test('an answer by form_post waits for a button', async ({ page, chain }) => {
    await page.goto(requestTo(chain, { response_mode: 'form_post' }))
    await fillSignIn(page)
    await expect(heading(page)).toHaveText('One moment')
    const sent = page.waitForRequest(
      (request) => request.method() === 'POST' && request.url() === chain.appUrl + CALLBACKS.app,
    )
    await page.getByRole('button', { name: 'Continue' }).click()
    const fields = new URLSearchParams((await sent).postData() ?? '')
    expect(Object.fromEntries(fields)).toEqual({
      code: expect.stringMatching(/^[\w-]{20,}$/),
      state: SAMPLE_STATE,
      iss: chain.adapterUrl,
    })
  })
})
