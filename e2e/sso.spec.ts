// Single sign-on: what the adapter answers from its own session, without the upstream.
import type { Page } from 'playwright/test'
import { answerTo, requestTo, SAMPLE_STATE } from './support/authorization-request.ts'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { describeHops, hopsAt, recordHops } from './support/hops.ts'
import { CALLBACKS, withheld } from './support/walk.ts'

function everyRequestOf(page: Page): URL[] {
  const urls: URL[] = []
  page.on('request', (request) => void urls.push(new URL(request.url())))
  return urls
}

test.describe('single sign-on', { tag: '@redis' }, () => {
  test('a second client gets its code without a trip to the upstream', async ({ page, chain }) => {
    await signIn(page, chain)
    const hops = recordHops(page)
    const requests = everyRequestOf(page)
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
    expect(describeHops(hops, chain)).toEqual([
      'GET second-app /authenticated 302',
      'GET adapter /oauth2/authorize 302',
      `GET second-app ${CALLBACKS.app} 302`,
      'GET second-app /authenticated 200',
    ])
    expect(requests.filter(({ origin }) => origin === chain.upstreamUrl)).toEqual([])
    await expect(page.getByRole('contentinfo')).toContainText('second-client')
  })

  test('both apps keep their own session: signing out of one leaves the other', async ({
    page,
    chain,
  }) => {
    await signIn(page, chain)
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out here' }).click()
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
    const hops = recordHops(page)
    await page.goto(`${chain.secondAppUrl}/authenticated`)
    expect(describeHops(hops, chain)).toEqual(['GET second-app /authenticated 200'])
  })

  test('prompt=none gets a code when the person is signed in', async ({ page, chain }) => {
    await signIn(page, chain)
    const hops = recordHops(page)
    await page.goto(requestTo(chain, { prompt: 'none' }))
    expect(hopsAt(hops, chain.upstreamUrl)).toEqual([])
    expect(answerTo(hops, chain)).toEqual({
      code: expect.stringMatching(/^[\w-]{20,}$/),
      state: SAMPLE_STATE,
      iss: chain.adapterUrl,
    })
  })
})

test('prompt=none gets login_required when nobody is signed in, and shows nothing', async ({
  page,
  chain,
}) => {
  const hops = recordHops(page)
  await page.goto(requestTo(chain, { prompt: 'none' }))
  expect(hopsAt(hops, chain.upstreamUrl)).toEqual([])
  expect(describeHops(hops, chain).slice(0, 2)).toEqual([
    'GET adapter /oauth2/authorize 302',
    `GET app ${CALLBACKS.app} 302`,
  ])
  expect(answerTo(hops, chain)).toMatchObject({
    error: 'login_required',
    state: SAMPLE_STATE,
    iss: chain.adapterUrl,
  })
})

test('prompt=login asks for the password again, once', async ({ page, chain }) => {
  await signIn(page, chain)
  const hops = recordHops(page)
  await page.goto(requestTo(chain, { prompt: 'login' }))
  await fillSignIn(page)
  // The app began none of this, and is signed in.
  await page.waitForURL(`${chain.appUrl}/authenticated`)
  expect(describeHops(hopsAt(hops, chain.upstreamUrl), chain)).toEqual([
    'GET upstream /oauth2/authorize 302',
    'GET upstream /login 200',
    'POST upstream /login 302',
    'GET upstream /oauth2/authorize/<uid> 302',
  ])
  expect(answerTo(hops, chain)).toMatchObject({ code: expect.any(String), state: SAMPLE_STATE })
})

test('F67 another person signs in with prompt=login: the app is theirs from then on, no mixed tokens', async ({
  page,
  chain,
  context,
}) => {
  await signIn(page, chain)
  await context.clearCookies({ name: 'TEST_APP_SESSION' })
  const asked = new URL(
    await withheld(page, `${chain.appUrl}/authenticated`, `${chain.adapterUrl}/oauth2/authorize`),
  )
  asked.searchParams.set('prompt', 'login')
  await page.goto(asked.href)
  await fillSignIn(page, { username: 'ada' })
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, Ada Admin')
  await expect(page.locator('[data-claim="sub"]')).toHaveText('user-0002')
  await page.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, Ada Admin')
})
