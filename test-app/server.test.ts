import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestBrowser, NAVIGATION } from './testing/browser.ts'
import type { TestBrowser } from './testing/browser.ts'
import { startOpenidProvider } from './testing/openid-provider.ts'
import type { TestOpenidProvider } from './testing/openid-provider.ts'
import { startTestApp } from './testing/running-app.ts'
import type { RunningApp } from './testing/running-app.ts'

let provider: TestOpenidProvider
let app: RunningApp
let browser: TestBrowser

beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(() => provider.stop())
beforeEach(async () => {
  app = await startTestApp(provider.issuer)
  browser = createTestBrowser()
})
afterEach(async () => {
  for (const name of Object.keys(provider.faults))
    delete provider.faults[name as keyof typeof provider.faults]
  await app.stop()
})

const CALLBACK = '/login/oauth2/code/auth-adapter'
const callbackOf = async (from: TestBrowser, path = '/authenticated'): Promise<string> => {
  const start = await from.open(app.url + path)
  const back = await from.open(start.location ?? '')
  return back.location ?? ''
}
const session = () => browser.cookies.get('TEST_APP_SESSION')
const pendingCookies = (from = browser) =>
  [...from.cookies.keys()].filter((name) => name.startsWith('TEST_APP_LOGIN_'))

describe('the sign-in', () => {
  it('goes to the adapter with the parameters of the chain and lands on the page asked for', async () => {
    const start = await browser.open(`${app.url}/authenticated`)
    expect(start.status).toBe(302)
    const url = new URL(start.location ?? '')
    expect(url.origin + url.pathname).toBe(`${provider.issuer}/oauth2/authorize`)
    const sent = Object.fromEntries(url.searchParams)
    expect(sent).toMatchObject({
      client_id: 'client',
      redirect_uri: app.url + CALLBACK,
      response_type: 'code',
      scope: 'openid profile read',
      code_challenge_method: 'S256',
    })
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(sent[name]).toMatch(/^[\w-]{43}$/)

    const page = await browser.go(`${app.url}/authenticated?tab=3`)
    expect(page.status).toBe(200)
    expect(page.url).toBe(`${app.url}/authenticated?tab=3`)
    expect(page.text).toContain('Test User')
    expect(page.text).toContain('ROLE_USER')
    expect(page.text).toContain('at+jwt')
    expect(session()).toBeDefined()
  })

  it('sends client_secret_basic and never the secret in the body', async () => {
    await browser.go(`${app.url}/authenticated`)
    expect(provider.tokenRequests.at(-1)).not.toHaveProperty('client_secret')
  })

  it('takes its address from the configuration, whatever Host says', async () => {
    const start = await browser.open(`${app.url}/authenticated`, {
      headers: { ...NAVIGATION, 'x-forwarded-host': 'evil.example' },
    })
    expect(new URL(start.location ?? '').searchParams.get('redirect_uri')).toBe(app.url + CALLBACK)
  })

  it('gives the token page the header and the claims, each with its meaning, and no token to any other page', async () => {
    const page = await browser.go(`${app.url}/authenticated`)
    for (const name of ['iss', 'aud', 'exp', 'jti', 'test_auth_server_sub', 'kid']) {
      expect(page.text).toContain(`<code>${name}</code>`)
    }
    for (const request of provider.authorizationRequests)
      expect(page.text).not.toContain(request['nonce'])
    const tokens = [...provider.secrets].filter((secret) => secret.split('.').length === 3)
    for (const path of ['/', '/logout', '/api/me']) {
      const { text } = await browser.go(app.url + path)
      for (const token of tokens) expect(text).not.toContain(token)
    }
  })

  it('shows an access token that is no JWT as what it is', async () => {
    for (const accessToken of [
      'opaque<b>token',
      'a.b.c',
      `${Buffer.from('[]').toString('base64url')}.e30.x`,
    ]) {
      provider.faults.accessToken = accessToken
      const page = await browser.go(`${app.url}/sign-in`)
      expect([page.status, page.text.includes('It is opaque')]).toEqual([200, true])
      expect(page.text).not.toContain('<b>token')
    }
  })

  it('shows claims that try to be markup as text', async () => {
    provider.faults.idTokenClaims = {
      name: '<script>alert(1)</script>',
      '<i>': '"><img>',
      constructor: { a: 1 },
    }
    const page = await browser.go(`${app.url}/authenticated`)
    expect(page.text).toContain('&lt;script&gt;')
    expect(page.text).not.toMatch(/<script|<i>|<img/)
  })

  it('F62 tabs: six sign-ins at once each land where they were going', async () => {
    const starts = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((tab) => browser.open(`${app.url}/authenticated?tab=${tab}`)),
    )
    const pages = await Promise.all(starts.map((start) => browser.go(start.location ?? '')))
    expect(pages.map((page) => [page.status, new URL(page.url).search])).toEqual(
      [1, 2, 3, 4, 5, 6].map((tab) => [200, `?tab=${tab}`]),
    )
    expect(pendingCookies()).toEqual([])
  })

  it('F63 many tabs: of 60 open ones the newest 20 finish, and cookies stay below 4 kB', async () => {
    const callbacks: string[] = []
    for (let tab = 0; tab < 60; tab += 1) {
      app.clock.offsetMs = tab * 10
      callbacks.push(await callbackOf(browser, `/authenticated?tab=${tab}`))
    }
    expect(pendingCookies()).toHaveLength(20)
    const header = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    expect(header.length).toBeLessThan(4000)
    const evicted = await createTestBrowserWith(browser).go(callbacks[39] ?? '')
    expect(evicted.status).toBe(400)
    for (const callback of callbacks.slice(40))
      expect((await browser.open(callback)).status).toBe(302)
  })

  it('A07 fixation: a session planted by another person is not used, and its id is dead', async () => {
    provider.faults.idTokenClaims = { sub: 'attacker' }
    await browser.go(`${app.url}/authenticated`)
    const planted = session() ?? ''
    delete provider.faults.idTokenClaims
    await browser.go(`${app.url}/sign-in`)
    expect(session()).not.toBe(planted)
    const thief = createTestBrowser()
    thief.cookies.set('TEST_APP_SESSION', planted)
    expect((await thief.open(`${app.url}/api/me`, { headers: {} })).status).toBe(401)
  })

  it('A07 fixation: an invented session id is not taken over', async () => {
    browser.cookies.set('TEST_APP_SESSION', 's%3Ainvented.signature')
    await browser.go(`${app.url}/authenticated`)
    expect(session()).not.toContain('invented')
  })

  it('F62 tabs: signing in again in six tabs at once ends nobody’s session', async () => {
    await browser.go(`${app.url}/authenticated`)
    const before = session()
    const pages = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((tab) =>
        browser.go(`${app.url}/sign-in?return_to=%2Fauthenticated%3Ftab%3D${tab}`),
      ),
    )
    expect(pages.map((page) => page.status)).toEqual(Array(6).fill(200))
    expect(app.log.text).not.toContain('session_not_kept')
    expect(session()).toBe(before)
  })

  it('A09 artefacts: the cookie of a pending sign-in is worth nothing as a session', async () => {
    await browser.open(`${app.url}/authenticated`)
    const value = browser.cookies.get(pendingCookies()[0] ?? '') ?? ''
    const thief = createTestBrowser()
    thief.cookies.set('TEST_APP_SESSION', value)
    expect((await thief.open(`${app.url}/api/me`, { headers: {} })).status).toBe(401)
  })
})

const createTestBrowserWith = (other: TestBrowser): TestBrowser => {
  const copy = createTestBrowser()
  for (const [name, value] of other.cookies) copy.cookies.set(name, value)
  return copy
}

describe('the callback', () => {
  it('A06 login CSRF: a callback begun elsewhere signs nobody in', async () => {
    const attacker = createTestBrowser()
    const callback = await callbackOf(attacker)
    browser.cookies.set('unrelated', '1')
    const requests = provider.tokenRequests.length
    const page = await browser.go(callback)
    expect(page.status).toBe(400)
    expect(page.text).toContain('not started here')
    expect(page.text).toContain('href="/authenticated"')
    expect(session()).toBeUndefined()
    expect(provider.tokenRequests).toHaveLength(requests)
  })

  it('A04 replay: a used callback lands a signed-in browser where it was, and is a page to any other', async () => {
    const callback = await callbackOf(browser, '/authenticated?tab=7')
    expect((await browser.go(callback)).status).toBe(200)
    const requests = provider.tokenRequests.length
    const again = await browser.go(callback)
    expect([again.status, again.url]).toEqual([200, `${app.url}/authenticated?tab=7`])
    const other = createTestBrowser()
    other.cookies.set('unrelated', '1')
    expect((await other.go(callback)).status).toBe(400)
    expect(provider.tokenRequests).toHaveLength(requests)
  })

  it('F60 double click: twenty at once are one token request, and all are signed in', async () => {
    const callback = await callbackOf(browser)
    const requests = provider.tokenRequests.length
    const tabs = Array.from({ length: 20 }, () => createTestBrowserWith(browser))
    const pages = await Promise.all(tabs.map((tab) => tab.go(callback)))
    expect(pages.map((page) => page.status)).toEqual(Array(20).fill(200))
    expect(provider.tokenRequests).toHaveLength(requests + 1)
  })

  it('refuses a state that was changed, or the code of another sign-in', async () => {
    const first = new URL(await callbackOf(browser))
    const second = new URL(await callbackOf(browser))
    const mixed = new URL(first)
    mixed.searchParams.set('code', second.searchParams.get('code') ?? '')
    const page = await browser.go(mixed.href)
    expect(page.status).toBe(502)
    expect(page.text).toContain('invalid_grant')
    const changed = new URL(second)
    changed.searchParams.set('state', `${second.searchParams.get('state')}x`)
    expect((await browser.go(changed.href)).status).toBe(400)
    expect(session()).toBeUndefined()
  })

  it('refuses a sign-in that took longer than fifteen minutes', async () => {
    const callback = await callbackOf(browser)
    app.clock.offsetMs = 15 * 60 * 1000
    expect((await browser.go(callback)).text).toContain('or is over')
  })

  it('refuses two states, and survives odd ones', async () => {
    for (const query of [
      '?state=a&state=b',
      '?state=',
      '',
      '?state=%00',
      `?state=${'x'.repeat(4000)}`,
      '?state[x]=1',
    ]) {
      browser.cookies.set('unrelated', '1')
      expect((await browser.go(app.url + CALLBACK + query)).status).toBe(400)
    }
  })

  const untrusted = [
    ['A05 nonce of another sign-in', { idTokenClaims: { nonce: 'of-another-sign-in' } }],
    ['A05 no nonce', { idTokenClaims: { nonce: undefined } }],
    ['a signature of another key', { foreignKey: true }],
    ['no signature', { algorithm: 'none' }],
    ['another audience', { idTokenClaims: { aud: 'someone-else' } }],
    ['another issuer in the ID token', { idTokenClaims: { iss: 'https://evil.example' } }],
    ['an expired ID token', { idTokenClaims: { exp: 1_600_000_000 } }],
    ['A01 another issuer in the response', { responseIssuer: 'https://evil.example' }],
    ['A01 no issuer in the response', { responseIssuer: null }],
  ] as const
  it.each(untrusted)('refuses an answer with %s', async (_name, faults) => {
    Object.assign(provider.faults, faults)
    const page = await browser.go(`${app.url}/authenticated`)
    expect(page.status).toBe(502)
    expect(page.text).toContain('could not be trusted')
    expect(session()).toBeUndefined()
  })

  it('F07 key rotation: a key changed right after a sign-in does not fail the next', async () => {
    await browser.go(`${app.url}/authenticated`)
    provider.rotateKey()
    expect((await browser.go(`${app.url}/sign-in`)).status).toBe(200)
    expect((await browser.go(`${app.url}/sign-in`)).status).toBe(200)
  })

  it('names the OAuth error of the adapter, escaped, with a way to try again', async () => {
    provider.faults.authorizeError = {
      error: 'access_denied',
      error_description: '<img src=x onerror=alert(1)>\u202egnp',
    }
    const page = await browser.go(`${app.url}/authenticated?tab=2`)
    expect(page.status).toBe(403)
    expect(page.text).toContain('access_denied')
    expect(page.text).not.toContain('<img')
    expect(page.text).not.toContain('\u202e')
    expect(page.text).toContain('href="/sign-in?return_to=%2Fauthenticated%3Ftab%3D2"')
    delete provider.faults.authorizeError
    expect(
      (await browser.go(`${app.url}/sign-in?return_to=%2Fauthenticated%3Ftab%3D2`)).url,
    ).toContain('tab=2')
  })

  const statuses = [
    ['temporarily_unavailable', 503],
    ['server_error', 502],
    ['login_required', 400],
    ['__proto__', 400],
  ] as const
  it.each(statuses)('answers %s with %i', async (error, status) => {
    provider.faults.authorizeError = { error }
    expect((await browser.go(`${app.url}/authenticated`)).status).toBe(status)
  })

  it('says so when the adapter does not accept the client', async () => {
    await app.restart({ clientSecret: 'wrong' })
    const page = await browser.go(`${app.url}/authenticated`)
    expect(page.status).toBe(502)
    expect(page.text).toContain('does not accept this app')
  })
})

describe('who may start a sign-in', () => {
  const programs = [
    ['fetch', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
    ['curl', { accept: '*/*' }],
    ['prefetch', { ...NAVIGATION, 'sec-purpose': 'prefetch;prerender' }],
  ] as const
  it.each(programs)('%s gets 401 and no cookie', async (_name, headers) => {
    const answer = await browser.open(`${app.url}/authenticated?a=1`, { headers })
    expect(answer.status).toBe(401)
    expect(JSON.parse(answer.text)).toEqual({
      error: 'unauthenticated',
      login_url: '/sign-in?return_to=%2Fauthenticated%3Fa%3D1',
    })
    expect(browser.setCookies).toEqual([])
  })

  it('HEAD gets 401, an older browser without fetch metadata is sent to sign in', async () => {
    expect((await browser.open(`${app.url}/authenticated`, { method: 'HEAD' })).status).toBe(401)
    const old = await browser.open(`${app.url}/authenticated`, {
      headers: { accept: 'text/html,*/*' },
    })
    expect(old.status).toBe(302)
  })

  it('gives fetch the person once there is a session', async () => {
    await browser.go(`${app.url}/authenticated`)
    const me = await browser.open(`${app.url}/api/me`, { headers: { accept: 'application/json' } })
    expect(JSON.parse(me.text)).toMatchObject({ sub: 'testuser', authorities: ['ROLE_USER'] })
  })
})

describe('F64 cookies that do not come back', () => {
  it('end in a page that says so, within five hops', async () => {
    browser.acceptsCookies = false
    const page = await browser.go(`${app.url}/authenticated`)
    expect(page.status).toBe(400)
    expect(page.text).toContain('did not keep the cookie')
    expect(page.hops.length).toBeLessThanOrEqual(5)
  })

  it('a browser that keeps cookies, and came with none, learns that the sign-in is over', async () => {
    const callback = await callbackOf(createTestBrowser())
    expect((await browser.go(callback)).text).toContain('not started here')
  })

  it('a session that is never kept ends in a page after the second sign-in, not in a loop', async () => {
    browser.refuses.add('TEST_APP_SESSION')
    const page = await browser.go(`${app.url}/authenticated`)
    expect(page.status).toBe(500)
    expect(page.text).toContain('session was not kept')
    expect(page.hops.filter((hop) => hop.includes('/oauth2/authorize'))).toHaveLength(2)
  })

  it('a session that is missing once is made anew without a word', async () => {
    const landing = await browser.open(await callbackOf(browser))
    browser.cookies.delete('TEST_APP_SESSION')
    expect((await browser.go(landing.location ?? '')).status).toBe(200)
    expect(browser.cookies.has('TEST_APP_ARRIVED')).toBe(false)
  })
})

describe('signing out', () => {
  const formOf = async (): Promise<string> =>
    /name="form_token" value="([^"]+)"/.exec((await browser.open(`${app.url}/logout`)).text)?.[1] ??
    ''
  const own = { 'sec-fetch-site': 'same-origin', accept: 'text/html' }

  it('here ends the session and comes home', async () => {
    await browser.go(`${app.url}/authenticated`)
    const stolen = createTestBrowserWith(browser)
    const form = { form_token: await formOf(), where: 'here' }
    const answer = await browser.open(`${app.url}/logout`, { form, headers: own })
    expect([answer.status, answer.location]).toEqual([303, `${app.url}/?signed_out=here`])
    expect(session()).toBeUndefined()
    expect((await stolen.open(`${app.url}/api/me`, { headers: {} })).status).toBe(401)
  })

  it('at the adapter sends hint, client_id, return address and state, and says so on return', async () => {
    await browser.go(`${app.url}/authenticated`)
    const form = { form_token: await formOf(), where: 'adapter' }
    const answer = await browser.open(`${app.url}/logout`, { form, headers: own })
    expect(answer.status).toBe(303)
    const url = new URL(answer.location ?? '')
    expect(url.pathname).toBe('/oauth2/logout')
    expect(url.searchParams.get('client_id')).toBe('client')
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${app.url}/`)
    expect(url.searchParams.get('id_token_hint')).toContain('.')
    const home = await browser.go(url.href)
    expect(home.text).toContain('signed out of this app and of the adapter')
    expect((await browser.go(home.url)).text).not.toContain('of the adapter.</p>')
  })

  it('says that only half is done when the adapter is away or has no logout', async () => {
    provider.faults.noEndSession = true
    await browser.go(`${app.url}/authenticated`)
    const form = { form_token: await formOf(), where: 'adapter' }
    app.clock.offsetMs = 10_000
    const page = await browser.open(`${app.url}/logout`, { form, headers: own })
    expect(page.status).toBe(503)
    expect(page.text).toContain('Signed out here only')
    expect(session()).toBeUndefined()
  })

  it('is refused from another site, without the token, or with the token of another session', async () => {
    await browser.go(`${app.url}/authenticated`)
    const token = await formOf()
    const attempts = [
      {
        headers: { 'sec-fetch-site': 'cross-site', accept: 'text/html' },
        form: { form_token: token },
      },
      {
        headers: { 'sec-fetch-site': 'same-site', accept: 'text/html' },
        form: { form_token: token },
      },
      { headers: { origin: 'https://evil.example' }, form: { form_token: token } },
      { headers: own, form: { where: 'here' } },
      { headers: own, form: { form_token: 'x'.repeat(token.length) } },
    ]
    for (const attempt of attempts) {
      expect((await browser.open(`${app.url}/logout`, attempt)).status).toBe(403)
    }
    expect((await browser.open(`${app.url}/api/me`, { headers: {} })).status).toBe(200)
  })
})

describe('what every answer has', () => {
  it('no-store, a CSP without script, and forms that may lead to the adapter only', async () => {
    for (const path of ['/', '/authenticated', '/nowhere', CALLBACK, '/api/me']) {
      const { headers } = await browser.open(app.url + path)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['content-security-policy']).toContain(`form-action 'self' ${provider.issuer}`)
      expect(headers['content-security-policy']).not.toContain('unsafe')
      expect(headers['x-powered-by']).toBeUndefined()
    }
  })

  it('cookies that scripts and other sites do not get, with the __Host- prefix on https', async () => {
    await browser.go(`${app.url}/authenticated`)
    for (const line of browser.setCookies) expect(line).toMatch(/Path=\/;.*HttpOnly; SameSite=Lax/)
    await app.restart({ url: 'https://app.example' })
    const secure = createTestBrowser()
    await secure.open(`${app.url}/authenticated`, {
      headers: { ...NAVIGATION, 'x-forwarded-proto': 'https' },
    })
    expect(secure.setCookies).toHaveLength(2)
    expect(secure.setCookies[0]).toMatch(/^__Host-TEST_APP_LOGIN_.*; Path=\/;.*Secure/)
    expect(secure.setCookies[1]).toMatch(/^__Host-TEST_APP_BROWSER=.*; Path=\/;.*Secure/)
  })

  it('A43 a whole sign-in and sign-out at every log level leaves none of its secrets in the log', async () => {
    await browser.go(`${app.url}/authenticated`)
    provider.faults.foreignKey = true
    await browser.go(`${app.url}/sign-in`)
    const cookies = browser.setCookies.map((line) => line.split(';')[0]?.split('=')[1] ?? '')
    for (const secret of [...provider.secrets, ...cookies.filter((value) => value.length > 8)]) {
      expect(app.log.text).not.toContain(secret)
    }
    expect(app.log.text).toContain('login.finished')
    expect(app.log.text).toContain('login.failed')
  })

  it('a page for addresses that do not exist, can not be read or are too large, and JSON for programs', async () => {
    const big = { form: { where: 'x'.repeat(10_000) }, headers: { accept: 'text/html' } }
    await browser.go(`${app.url}/authenticated`)
    expect((await browser.open(`${app.url}/nowhere`)).text).toContain('There is no such page')
    expect((await browser.open(`${app.url}/authenticated`, { form: { a: 'b' } })).status).toBe(404)
    expect((await browser.open(`${app.url}/authenticated/%E0%A4%A`)).status).toBe(400)
    expect((await browser.open(`${app.url}/logout`, big)).status).toBe(413)
    const json = await browser.open(`${app.url}/nowhere`, {
      headers: { accept: 'application/json' },
    })
    expect([json.status, JSON.parse(json.text)]).toEqual([404, { error: 'There is no such page' }])
  })

  it('localhost is sent to the address that cookies and redirect_uri are for', async () => {
    const answer = await browser.open(
      `${app.url.replace('127.0.0.1', 'localhost')}/authenticated?a=1`,
    )
    expect([answer.status, answer.location]).toEqual([302, `${app.url}/authenticated?a=1`])
  })
})

describe('the age of things', () => {
  it('an access token that is over and can not be refreshed leads through the chain again', async () => {
    await browser.go(`${app.url}/authenticated`)
    app.clock.offsetMs = 360_000
    const page = await browser.open(`${app.url}/authenticated`)
    expect([page.status, new URL(page.location ?? '').origin]).toEqual([302, provider.issuer])
  })

  it('a session ends after twelve hours', async () => {
    await browser.go(`${app.url}/authenticated`)
    app.clock.offsetMs = 12 * 60 * 60 * 1000
    expect((await browser.open(`${app.url}/api/me`, { headers: {} })).status).toBe(401)
  })
})
