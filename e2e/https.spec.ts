// The chain over https with a host name for each process: what Secure, cookie prefixes, SameSite and framing really do.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cookie, Page } from 'playwright/test'
import { expect, fillSignIn } from './support/fixtures.ts'
import { authorizationRequest } from './support/http-client.ts'
import { cookiesAt, hostOf, test } from './support/https.ts'
import { signInByForm } from './support/login-form.ts'
import { expectSignedIn, finishSignIn, logged, openApp } from './support/pages.ts'
import type { Chain } from './support/processes.ts'

test('login, single sign-on with the second app, and logout, over three sites', async ({
  https: { chain },
  person,
}) => {
  await openApp(person, chain)
  expect(new URL(person.url()).origin).toBe(chain.upstreamUrl)
  await finishSignIn(person)
  expect(person.url()).toBe(`${chain.appUrl}/authenticated`)

  const asked: string[] = []
  person.on('request', (request) => asked.push(new URL(request.url()).origin))
  await person.goto(`${chain.secondAppUrl}/authenticated`)
  await expectSignedIn(person)
  expect(person.url()).toBe(`${chain.secondAppUrl}/authenticated`)
  expect(asked).toContain(chain.adapterUrl)
  expect(asked).not.toContain(chain.upstreamUrl)

  await person.goto(`${chain.appUrl}/logout`)
  await person.getByRole('button', { name: 'Sign out everywhere' }).click()
  await person.getByRole('button', { name: 'Sign out', exact: true }).click()
  await expect(person.getByText('You are signed out of this app and of the adapter.')).toBeVisible()
  expect(
    (await cookiesAt(person.context(), chain.adapterUrl)).filter(({ name }) =>
      name.endsWith('AUTH_ADAPTER_SESSION'),
    ),
  ).toEqual([])
  // No session at the adapter any more: the next sign-in asks the upstream again.
  asked.length = 0
  await person.goto(`${chain.appUrl}/authenticated`)
  await expectSignedIn(person)
  expect(asked).toContain(chain.upstreamUrl)
})

test('the form of the app signs in, with cookies that are Secure and of its host only', async ({
  https: { chain },
  person,
}) => {
  await signInByForm(person, chain)
  const cookies = await cookiesAt(person.context(), chain.appUrl)
  for (const name of ['__Host-TEST_APP_ACCESS', '__Host-TEST_APP_REFRESH'])
    expect(cookies.find((cookie) => cookie.name === name)).toMatchObject({
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      domain: hostOf(chain.appUrl),
    })
  await person.goto(`${chain.appUrl}/authenticated`)
  await expect(person.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
})

test('every cookie of the adapter and the app is Secure, HttpOnly, SameSite=Lax, prefixed and of its host only', async ({
  https: { chain },
  person,
}) => {
  const context = person.context()
  await openApp(person, chain)
  // In mid-login there are the cookies of the interaction as well.
  const seen = new Map<string, Cookie>()
  const look = async () => {
    for (const url of [chain.adapterUrl, chain.appUrl])
      for (const cookie of await cookiesAt(context, url)) seen.set(cookie.name, cookie)
  }
  await look()
  await finishSignIn(person)
  await look()

  for (const name of [
    '__Host-AUTH_ADAPTER_SESSION',
    '__Secure-AUTH_ADAPTER_RESUME',
    '__Host-TEST_APP_SESSION',
  ])
    expect([...seen.keys()]).toContain(name)
  for (const cookie of seen.values()) {
    expect(cookie).toMatchObject({ secure: true, httpOnly: true, sameSite: 'Lax' })
    // Without a Domain attribute the browser keeps it for the host alone, and shows it without a dot.
    expect([hostOf(chain.adapterUrl), hostOf(chain.appUrl)]).toContain(cookie.domain)
    expect(cookie.name).toMatch(cookie.path === '/' ? /^__Host-/ : /^__Secure-/)
  }
  expect([...seen.keys()].some((name) => name.startsWith('__Host-AUTH_ADAPTER_LOGIN_'))).toBe(true)
})

test('HSTS and the other headers are on every answer of the adapter', async ({
  https: { chain },
  person,
}) => {
  for (const path of [
    '/.well-known/openid-configuration',
    '/oauth2/authorize',
    '/nothing-here',
    '/connect/logout',
  ]) {
    const response = await person.goto(chain.adapterUrl + path)
    const headers = (await response?.allHeaders()) ?? {}
    expect(headers['strict-transport-security']).toMatch(/^max-age=\d{7,}/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  }
})

test('A36 no page of the adapter can be framed by another site', async ({
  https: { chain },
  person,
}) => {
  const paths = ['/oauth2/authorize', '/nothing-here', '/connect/logout']
  const frames = paths.map(
    (path, index) => `<iframe name="frame-${index}" src="${chain.adapterUrl}${path}"></iframe>`,
  )
  // A real server: Chromium keeps pages that come from nowhere away from this machine, whatever they frame.
  const evil = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(`<h1>Win a prize</h1>${frames.join('')}`),
  )
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  const blocked: string[] = []
  person.on('requestfailed', (request) =>
    blocked.push(`${request.url()} ${request.failure()?.errorText}`),
  )
  await person.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  await expect
    .poll(() => blocked.toSorted())
    .toEqual(
      paths.map((path) => `${chain.adapterUrl}${path} net::ERR_BLOCKED_BY_RESPONSE`).toSorted(),
    )
  for (const index of paths.keys())
    expect(await person.frameLocator(`[name=frame-${index}]`).locator('.card').count()).toBe(0)
  evil.close()
})

/** The second app was signed out by its page in a frame, and by nothing else. */
async function expectToldByPage(person: Page, chain: Chain, work: () => Promise<void>) {
  const told = () => logged(chain.logs(chain.secondApp), 'logout.front_channel')
  const before = told().length
  await work()
  await person.goto(`${chain.secondAppUrl}/`)
  await expect(person.getByText('Not signed in', { exact: true })).toBeVisible()
  await expect.poll(() => told().slice(before)).toMatchObject([{ had_session: true }])
  expect(logged(chain.logs(chain.secondApp), 'logout.back_channel')).toEqual([])
}

async function signInToBoth(person: Page, chain: Chain): Promise<void> {
  await openApp(person, chain)
  await finishSignIn(person)
  await person.goto(`${chain.secondAppUrl}/authenticated`)
  await expectSignedIn(person)
}

test('sign out in one app signs the other out by its page in a frame', async ({
  https: { chain },
  person,
}) => {
  await signInToBoth(person, chain)
  await expectToldByPage(person, chain, async () => {
    await person.goto(`${chain.appUrl}/logout`)
    await person.getByRole('button', { name: 'Sign out everywhere' }).click()
    await person.getByRole('button', { name: 'Sign out', exact: true }).click()
    await expect(person.getByRole('status')).toContainText('It tells every other app')
  })
})

test('A08 another person signs in: the session before ends in the other app too, and the next one there is theirs', async ({
  https: { chain },
  person,
}) => {
  await signInToBoth(person, chain)
  await expectToldByPage(person, chain, async () => {
    await person.goto(authorizationRequest(chain, { prompt: 'login' }).url.href)
    await fillSignIn(person, { username: 'ada' })
    // The app began none of this; what counts is that its person arrives there.
    await person.waitForURL(({ origin }) => origin === chain.appUrl)
  })
  await person.goto(`${chain.secondAppUrl}/authenticated`)
  await expect(person.getByRole('heading', { level: 1 })).toHaveText('Hello, Ada Admin')
})

test('A37 a form that another site sends to our logout leads to the question, and signs nobody out', async ({
  https: { chain },
  person,
}) => {
  await openApp(person, chain)
  await finishSignIn(person)
  const form = `<form method="post" action="${chain.adapterUrl}/connect/logout"><input type="hidden" name="logout" value="yes"></form>`
  const evil = createServer((_request, response) =>
    response
      .setHeader('content-type', 'text/html')
      .end(`${form}<script>document.forms[0].submit()</script>`),
  )
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  const first = person.waitForRequest((request) => request.method() === 'POST')
  await person.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`)
  await expect(person.getByRole('heading', { level: 1 })).toHaveText('Do you want to sign out?')
  expect((await (await first).allHeaders())['cookie'] ?? '').not.toContain('AUTH_ADAPTER_SESSION')
  evil.close()
  const names = (await cookiesAt(person.context(), chain.adapterUrl)).map(({ name }) => name)
  expect(names).toContain('__Host-AUTH_ADAPTER_SESSION')
  await person.goto(`${chain.secondAppUrl}/authenticated`)
  await expectSignedIn(person)
})

test('response_mode=form_post reaches an app on another site, after the form and by single sign-on', async ({
  https: { chain },
  person,
}) => {
  const callback = `${chain.appUrl}/login/oauth2/code/auth-adapter`
  const arrivals: { method: string; url: string; body: URLSearchParams }[] = []
  await person.route(callback, (route) => {
    const request = route.request()
    arrivals.push({
      method: request.method(),
      url: request.url(),
      body: new URLSearchParams(request.postData() ?? ''),
    })
    return route.fulfill({ contentType: 'text/html', body: '<h1>Arrived</h1>' })
  })
  for (const isFirst of [true, false]) {
    const request = authorizationRequest(chain, { response_mode: 'form_post' })
    await person.goto(request.url.href)
    if (isFirst) await fillSignIn(person)
    await expect(person.getByRole('heading', { name: 'Arrived' })).toBeVisible()
    const arrival = arrivals.at(-1)
    expect(arrival).toMatchObject({ method: 'POST', url: callback })
    expect(arrival?.body.get('state')).toBe(request.state)
    expect(arrival?.body.get('iss')).toBe(chain.adapterUrl)
    expect(arrival?.body.get('code')).toMatch(/^[\w-]{43}$/)
  }
  expect(arrivals).toHaveLength(2)
})
