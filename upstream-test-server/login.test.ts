import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from './start.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
  startForTest,
} from './test-support/test-browser.ts'

let server: RunningUpstreamTestServer
const lines: string[] = []
beforeAll(async () => {
  server = await startForTest({}, lines)
})
afterAll(() => server.close())

const browserAndRequest = (parameters: Record<string, string | undefined> = {}) => ({
  browser: createTestBrowser(server.issuer),
  request: authorizationRequest(server.issuer, parameters),
})

async function identityAfter(parameters: Record<string, string>, username?: string) {
  const { browser, request } = browserAndRequest(parameters)
  const page = await signIn(browser, request, username)
  return claimsOf((await redeem(server.issuer, codeOf(page), request.verifier)).body.id_token)
}

describe('signing in', () => {
  it('goes authorize → 302 /login → form → 302 authorize → 302 callback with code, state and iss', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    expect(browser.hops.map(({ status }) => status)).toEqual([302])
    expect(browser.hops[0]?.location).toMatch(/^\/login\?interaction=/)
    expect(form.status).toBe(200)

    const page = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect(browser.hops.map(({ status }) => status)).toEqual([302, 302])
    expect(new URL(browser.hops[0]?.location ?? '').pathname).toMatch(
      /^\/oauth2\/authorize\/[\w-]+$/,
    )
    expect(`${page.url.origin}${page.url.pathname}`).toBe(callback)
    expect([...page.url.searchParams.keys()].toSorted()).toEqual(['code', 'iss', 'state'])
    expect(page.url.searchParams.get('state')).toBe(request.state)
    expect(page.url.searchParams.get('iss')).toBe(server.issuer)
    expect(browser.cookies.map(({ name }) => name)).toContain('TEST_AUTH_SERVER_SESSION')
  })

  it('puts who it is into the ID token for openid profile', async () => {
    const { browser, request } = browserAndRequest()
    const page = await signIn(browser, request)
    const { status, body } = await redeem(server.issuer, codeOf(page), request.verifier)
    expect(status).toBe(200)
    expect(claimsOf(body.id_token)).toMatchObject({
      iss: server.issuer,
      aud: 'test-client',
      sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      roles: ['user'],
      nonce: request.nonce,
      auth_time: expect.any(Number),
    })
    expect(claimsOf(body.id_token)).not.toHaveProperty('email')
  })

  it.each([
    [
      'ada',
      { sub: 'user-0002', name: 'Ada Admin', roles: ['admin', 'user'], email_verified: true },
    ],
    [
      'zoë',
      {
        sub: 'user-0003',
        preferred_username: 'zoë',
        email: 'zoe@example.test',
        email_verified: false,
      },
    ],
    ['zoe\u0308', { sub: 'user-0003' }],
    ["o'brien", { name: "Conan O'Brien", email: "o'brien@example.test", department: 'Legal' }],
    ['nora', { sub: 'user-0006', roles: [] }],
    ['bobby', { name: '<img src=x onerror=alert(1)> & "Bobby" \'Tables\'; --' }],
  ])('knows %s', async (username, claims) => {
    expect(await identityAfter({ scope: 'openid profile email' }, username)).toMatchObject(claims)
  })

  it('leaves e-mail out for a person without one', async () => {
    expect(await identityAfter({ scope: 'openid email' }, 'nora')).not.toHaveProperty(
      'email_verified',
    )
  })

  it('asks nobody twice: the session answers the next request at once', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request)
    const next = await browser.open(authorizationRequest(server.issuer).url)
    expect(codeOf(next)).not.toBe('')
  })

  it('prefills the user name from login_hint, escaped', async () => {
    const { browser, request } = browserAndRequest({ login_hint: 'a"><script>x' })
    const { body } = await browser.open(request.url)
    expect(body).toContain('value="a&quot;&gt;&lt;script&gt;x"')
  })
})

describe('a wrong password', () => {
  it('says so, keeps the user name, and lets the next try in', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    const again = await browser.submit(form, { username: 'ada', password: 'wrong' })
    expect(again.status).toBe(400)
    expect(again.body).toContain('The user name or the password is wrong.')
    expect(again.body).toMatch(/name="username"\s+value="ada"/)
    expect(again.body).not.toContain('value="wrong"')
    const page = await browser.submit(again, { username: 'ada', password: 'password' })
    expect(codeOf(page)).not.toBe('')
  })

  it('is counted, logged with the count, and forgotten after a success', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    await browser.submit(form, { username: 'nora', password: 'wrong' })
    await browser.submit(form, { username: 'nora', password: '' })
    expect(server.users.failedAttempts('nora')).toBe(2)
    const failed = lines
      .map((line) => JSON.parse(line))
      .filter(({ event, sub }) => event === 'login.failed' && sub === 'user-0006')
    expect(failed.map((line) => line.failed_attempts)).toEqual([1, 2])
    await browser.submit(form, { username: 'nora', password: 'password' })
    expect(server.users.failedAttempts('nora')).toBe(0)
  })

  it('reads the same as an unknown user name', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    const [known, unknown] = [
      await browser.submit(form, { username: 'ada', password: 'wrong' }),
      await browser.submit(form, { username: 'xda', password: 'wrong' }),
    ]
    expect(unknown.status).toBe(known.status)
    expect(unknown.body.replaceAll('xda', 'ada')).toBe(known.body)
  })
})

describe('cancel', () => {
  it('takes access_denied back to the client', async () => {
    const { browser, request } = browserAndRequest()
    const page = await browser.submit(await browser.open(request.url), { action: 'cancel' })
    expect(page.url.href.startsWith(callback)).toBe(true)
    expect(Object.fromEntries(page.url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: request.state,
      iss: server.issuer,
    })
  })
})

describe('prompt, max_age and id_token_hint', () => {
  it('C12 prompt=login asks again, and auth_time moves on', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request)
    const again = authorizationRequest(server.issuer, { prompt: 'login' })
    const form = await browser.open(again.url)
    expect(form.url.pathname).toBe('/login')
    const page = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect(codeOf(page)).not.toBe('')
  })

  it('C13 prompt=none without a session is login_required', async () => {
    const { browser, request } = browserAndRequest({ prompt: 'none' })
    const page = await browser.open(request.url)
    expect(page.url.searchParams.get('error')).toBe('login_required')
  })

  it('C16 max_age of an hour is silent, max_age=0 is not', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request)
    const silent = await browser.open(authorizationRequest(server.issuer, { max_age: '3600' }).url)
    expect(codeOf(silent)).not.toBe('')
    const asked = await browser.open(authorizationRequest(server.issuer, { max_age: '0' }).url)
    expect(asked.url.pathname).toBe('/login')
  })

  it('prompt=login as another person ends the session before, without a page between', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request, 'testuser')
    const before = browser.cookies.find(({ name }) => name === 'TEST_AUTH_SERVER_SESSION')
    const again = authorizationRequest(server.issuer, { prompt: 'login' })
    const page = await signIn(browser, again, 'ada')
    const { body } = await redeem(server.issuer, codeOf(page), again.verifier)
    expect(claimsOf(body.id_token).sub).toBe('user-0002')
    expect(browser.cookies.find(({ name }) => name === 'TEST_AUTH_SERVER_SESSION')?.value).not.toBe(
      before?.value,
    )
  })

  it('an id_token_hint of somebody else ends in login_required', async () => {
    const { browser, request } = browserAndRequest()
    const first = await signIn(browser, request, 'testuser')
    const { body } = await redeem(server.issuer, codeOf(first), request.verifier)
    const other = createTestBrowser(server.issuer)
    const page = await signIn(
      other,
      authorizationRequest(server.issuer, { id_token_hint: body.id_token }),
      'ada',
    )
    expect(page.url.searchParams.get('error')).toBe('login_required')
  })
})
