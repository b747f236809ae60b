// The session of a person: when it begins, whose it is, when it ends, and what ends with it.
import { describe, expect, it } from 'vitest'
import { hashed } from '../storage/provider/artefact-key.ts'
import { claimsOf, type TokenAnswer } from '../test-support/app.ts'
import { formOf, type Browser, type Visit } from '../test-support/browser.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'

const SESSION = 'AUTH_ADAPTER_SESSION'
const HOUR = 3600

describe.each(['memory', 'sqlite'] as const)('sessions in %s', (storage) => {
  const on = useChain({ storage })
  const clock = useClock()

  async function login(
    browser: Browser,
    username = 'testuser',
    parameters = {},
  ): Promise<{ visit: Visit; tokens: TokenAnswer['body'] }> {
    const request = on.chain.app.request(parameters)
    const visit = await on.chain.signIn(browser, request.url, username)
    return { visit, tokens: (await on.chain.app.finish(visit, request)).body }
  }

  const isSignedIn = async (browser: Browser) =>
    (await browser.open(on.chain.app.request({ prompt: 'none' }).url)).url.searchParams.has('code')
  const valueOf = (browser: Browser) => browser.cookie(SESSION)?.value ?? ''
  const isAlive = async (token: string) => (await on.chain.app.userinfo(token)).status === 200
  const sessionUid = (accessToken: string) =>
    String(claimsOf(accessToken)['jti']).split('.')[2] ?? ''
  const identityOf = (accessToken: string) =>
    on.chain.driver.get(`Identity:${hashed(sessionUid(accessToken))}`)

  /** A browser with the same cookies, as if they had been copied. */
  function copyOf(browser: Browser): Browser {
    const copy = on.chain.newBrowser()
    copy.cookies = structuredClone(browser.cookies)
    return copy
  }

  it('A07 a planted session cookie is not the session after login (CVE-2022-25896)', async () => {
    const attacker = on.chain.newBrowser()
    await attacker.open(on.chain.app.request().url)
    const victim = on.chain.newBrowser()
    const planted = {
      name: SESSION,
      value: 'a'.repeat(43),
      host: '127.0.0.1',
      path: '/',
      attributes: [],
    }
    victim.cookies.push(planted, { ...planted, name: `${SESSION}.sig`, value: 'b'.repeat(43) })
    const { tokens } = await login(victim)
    expect(valueOf(victim)).not.toBe(planted.value)
    expect(tokens.access_token).toBeTruthy()
    const replay = on.chain.newBrowser()
    replay.cookies.push(planted)
    expect(await isSignedIn(replay)).toBe(false)
  })

  it('A07 a session of the attacker’s that the victim signs in over: a new value, and the old one is dead', async () => {
    const attacker = on.chain.newBrowser()
    await login(attacker)
    const stolen = copyOf(attacker)
    await login(attacker, 'testuser', { prompt: 'login' })
    expect(valueOf(attacker)).not.toBe(valueOf(stolen))
    expect(await isSignedIn(stolen)).toBe(false)
    expect(await isSignedIn(attacker)).toBe(true)
  })

  it('A08 prompt=login and another person: a page, then a session of their own; the old one and its tokens end (CVE-2023-6787)', async () => {
    const browser = on.chain.newBrowser()
    const first = await login(browser)
    const old = copyOf(browser)
    const request = on.chain.app.request({ prompt: 'login' })
    const page = await on.chain.signIn(browser, request.url, 'ada')
    expect(page.status).toBe(200)
    expect(formOf(page)).toMatchObject({
      action: { pathname: '/connect/logout/confirm' },
      fields: { logout: 'yes' },
    })
    expect(page.headers.get('content-security-policy')).toContain(
      `form-action 'self' ${new URL(on.chain.app.redirectUri).origin};`,
    )
    const done = await browser.submit(page)
    expect(done.url.origin + done.url.pathname).toBe(on.chain.app.redirectUri)
    const { body } = await on.chain.app.finish(done, request)
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'user-0002',
      preferred_username: 'ada',
    })
    expect(claimsOf(body.id_token)).toMatchObject({
      sub: 'user-0002',
      preferred_username: 'ada',
      nonce: request.nonce,
    })
    expect(sessionUid(body.access_token)).not.toBe(sessionUid(first.tokens.access_token))
    expect(await isAlive(first.tokens.access_token)).toBe(false)
    expect(await isAlive(body.access_token)).toBe(true)
    expect(await isSignedIn(old)).toBe(false)
    expect(await identityOf(first.tokens.access_token)).toBeUndefined()
  })

  it('A09 no other cookie’s value does for a session cookie (CVE-2023-48309)', async () => {
    const browser = on.chain.newBrowser()
    await login(browser)
    for (const cookie of browser.received.filter(
      ({ name }) => name.startsWith('AUTH_ADAPTER_') && !name.startsWith(SESSION),
    )) {
      const attempt = on.chain.newBrowser()
      const signature = browser.cookie(`${cookie.name}.sig`)?.value ?? 'x'
      const planted = { host: '127.0.0.1', path: '/', attributes: [] }
      attempt.cookies.push(
        { ...planted, name: SESSION, value: cookie.value },
        { ...planted, name: `${SESSION}.sig`, value: signature },
      )
      expect(await isSignedIn(attempt)).toBe(false)
    }
  })

  it('a session cookie without its signature, or with a changed one, is nobody', async () => {
    const browser = on.chain.newBrowser()
    await login(browser)
    const unsigned = copyOf(browser)
    unsigned.cookies = unsigned.cookies.filter(({ name }) => !name.endsWith('.sig'))
    const changed = copyOf(browser)
    for (const cookie of changed.cookies)
      if (cookie.name === SESSION)
        cookie.value = cookie.value.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))
    expect([
      await isSignedIn(unsigned),
      await isSignedIn(changed),
      await isSignedIn(browser),
    ]).toEqual([false, false, true])
  })

  it('idle for more than eight hours: asked again, and the identity is gone', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    expect(await identityOf(tokens.access_token)).toBeDefined()
    clock.advance(8 * HOUR - 60)
    expect(await isSignedIn(copyOf(browser))).toBe(true)
    clock.advance(8 * HOUR + 1)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await identityOf(tokens.access_token)).toBeUndefined()
  })

  it('used all the time: over after twelve hours in any case', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    for (let hours = 3; hours < 12; hours += 3) {
      clock.advance(3 * HOUR)
      expect(await isSignedIn(browser)).toBe(true)
    }
    clock.advance(3 * HOUR + 1)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await identityOf(tokens.access_token)).toBeUndefined()
  })

  it('F68 a day later the session is over', async () => {
    const browser = on.chain.newBrowser()
    await login(browser)
    clock.advance(24 * HOUR)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('F68 an hour back: the session goes on, and what was used stays used', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(browser, request.url)
    const { body } = await on.chain.app.finish(visit, request)
    clock.advance(-HOUR)
    expect((await on.chain.app.finish(visit, request)).body['error']).toBe('invalid_grant')
    expect(await isAlive(body.access_token)).toBe(false)
  })

  it('A52 logout ends the session, the tokens of every app in it, and the identity', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    const second = on.chain.secondApp.request()
    const other = (await on.chain.secondApp.finish(await browser.open(second.url), second)).body
    expect([await isAlive(tokens.access_token), await isAlive(other.access_token)]).toEqual([
      true,
      true,
    ])
    const target = `${new URL(on.chain.app.redirectUri).origin}/`
    const logout = new URL('/connect/logout', on.chain.url)
    logout.search = new URLSearchParams({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: target,
      state: 's',
    }).toString()
    const page = await browser.open(logout)
    const done = await browser.submit(page, { logout: 'yes' })
    expect(done.url.href).toBe(`${target}?state=s`)
    expect(done.hops.map(({ method, status }) => `${method} ${status}`)).toEqual(['POST 303'])
    expect(await isSignedIn(browser)).toBe(false)
    expect([await isAlive(tokens.access_token), await isAlive(other.access_token)]).toEqual([
      false,
      false,
    ])
    expect(await identityOf(tokens.access_token)).toBeUndefined()
  })

  it('F67 a login that was to renew a session which ended meanwhile begins a new one', async () => {
    const browser = on.chain.newBrowser()
    await login(browser)
    const request = on.chain.app.request({ prompt: 'login' })
    const form = await browser.open(request.url)
    const logout = await browser.open(`${on.chain.url}/connect/logout`)
    await browser.submit(logout, { logout: 'yes' })
    expect(await isSignedIn(browser)).toBe(false)
    const done = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect((await on.chain.app.finish(done, request)).body.access_token).toBeTruthy()
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('A52 a code that was issued before logout is worth nothing after it', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(browser, request.url)
    const page = await browser.open(`${on.chain.url}/connect/logout`)
    await browser.submit(page, { logout: 'yes' })
    const late = await on.chain.app.finish(visit, request)
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant'])
  })

  it('A52 signed out of one app only: its codes and tokens end, those of the others and the session stay', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    const second = on.chain.secondApp.request()
    const other = (await on.chain.secondApp.finish(await browser.open(second.url), second)).body
    const pending = on.chain.app.request()
    const notRedeemed = await browser.open(pending.url)
    await browser.submit(
      await browser.open(`${on.chain.url}/connect/logout?id_token_hint=${tokens.id_token}`),
    )
    expect([await isAlive(tokens.access_token), await isAlive(other.access_token)]).toEqual([
      false,
      true,
    ])
    expect((await on.chain.app.finish(notRedeemed, pending)).body['error']).toBe('invalid_grant')
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('A52 logout leaves no grant behind', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    const grantKey = `Grant:${hashed(String(claimsOf(tokens.access_token)['jti']).split('.')[1] ?? '')}`
    expect(await on.chain.driver.get(grantKey)).toBeDefined()
    await browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' })
    expect(await on.chain.driver.get(grantKey)).toBeUndefined()
  })

  it('A37 a logout link from elsewhere asks first, and a forged form is refused', async () => {
    const browser = on.chain.newBrowser()
    await login(browser)
    const page = await browser.open(`${on.chain.url}/connect/logout`)
    expect(page.status).toBe(200)
    expect(page.hops).toHaveLength(1)
    const forged = await browser.open(`${on.chain.url}/connect/logout/confirm`, {
      form: { xsrf: 'x'.repeat(43), logout: 'yes' },
    })
    expect(forged.status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('C61 an unregistered post_logout_redirect_uri is not followed', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    for (const target of [
      'https://evil.test/',
      'http://127.0.0.1:8080/?x=1',
      'http://127.0.0.1:8080',
      'http://127.0.0.1:8081/',
    ]) {
      const url = new URL('/connect/logout', on.chain.url)
      url.search = new URLSearchParams({
        id_token_hint: tokens.id_token,
        post_logout_redirect_uri: target,
      }).toString()
      const page = await browser.open(url)
      expect(page.status).toBe(400)
      expect(page.hops).toHaveLength(1)
    }
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('F67 while a tab waits as one person, another signs in elsewhere: a clean switch, no mixed tokens', async () => {
    const browser = on.chain.newBrowser()
    const first = on.chain.app.request()
    const waiting = await browser.open(first.url)
    const { tokens } = await login(browser, 'ada', { prompt: 'login' })
    expect(claimsOf(tokens.access_token)['sub']).toBe('user-0002')
    const page = await browser.submit(waiting, { username: 'testuser', password: 'password' })
    expect(formOf(page).action.pathname).toBe('/connect/logout/confirm')
    const { status, body } = await on.chain.app.finish(await browser.submit(page), first)
    expect(status).toBe(200)
    for (const token of [body.access_token, body.id_token])
      expect(claimsOf(token)).toMatchObject({ sub: 'testuser', preferred_username: 'testuser' })
    expect([await isAlive(body.access_token), await isAlive(tokens.access_token)]).toEqual([
      true,
      false,
    ])
  })

  it('C61 a forged or unreadable id_token_hint at logout: a page, the session stays', async () => {
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    const [header, claims] = tokens.id_token.split('.')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const hint of [
      `${none}.${claims ?? ''}.`,
      `${header ?? ''}.${claims ?? ''}.AAAA`,
      'x',
      tokens.access_token,
    ]) {
      const page = await browser.open(
        `${on.chain.url}/connect/logout?id_token_hint=${hint}&post_logout_redirect_uri=http://127.0.0.1:8080/`,
      )
      expect([page.status, page.hops.length]).toEqual([400, 1])
    }
    expect(await isSignedIn(browser)).toBe(true)
  })
})
