// The chain while its store is away: pages and 503s, no half-made logins, and all is well once it is back.
import { afterEach, describe, expect, it } from 'vitest'
import { createBreaker } from './test-support/breakable-driver.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { useChain } from './test-support/use-chain.ts'

const breaker = createBreaker()
const on = useChain({ wrapDriver: breaker.wrap })
afterEach(() => breaker.mend())

const PAGE = 'We can not sign you in right now'
const isCallback = (url: URL) => url.pathname === '/login/oauth2/code/test-auth-server'

function expectUnavailablePage(visit: Visit): void {
  expect(visit.status).toBe(503)
  expect(visit.body).toContain(PAGE)
  expect(visit.headers.get('retry-after')).toBe('2')
  expect(visit.headers.getSetCookie()).toEqual([])
  expect(visit.headers.get('location')).toBeNull()
}

describe('F20 the store is down', () => {
  it('an authorization request gets a 503 page, discovery and JWKS go on, readiness says no and liveness yes', async () => {
    breaker.break()
    expectUnavailablePage(await on.chain.newBrowser().open(on.chain.app.request().url))
    for (const path of ['/.well-known/openid-configuration', '/oauth2/jwks', '/ping'])
      expect((await fetch(on.chain.url + path)).status).toBe(200)
    expect((await fetch(`${on.chain.adminUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${on.chain.adminUrl}/healthz`)).status).toBe(200)
    breaker.mend()
    expect((await fetch(`${on.chain.adminUrl}/readyz`)).status).toBe(200)
  })

  it('the callback gets a 503 page, and the same callback works once the store is back', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const { url } = await on.chain.signIn(browser, request.url, 'testuser', {
      stopBefore: isCallback,
    })
    breaker.break()
    expectUnavailablePage(await browser.open(url))
    breaker.mend()
    expect((await on.chain.app.finish(await browser.open(url), request)).status).toBe(200)
  })

  it('the token endpoint answers 503 temporarily_unavailable, and the code works once the store is back', async () => {
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    breaker.break()
    const down = await on.chain.app.finish(visit, request)
    expect([down.status, down.body['error']]).toEqual([503, 'temporarily_unavailable'])
    breaker.mend()
    expect((await on.chain.app.finish(visit, request)).status).toBe(200)
  })

  it('userinfo answers 503, not 401: the token is good', async () => {
    const request = on.chain.app.request()
    const { body } = await on.chain.app.finish(
      await on.chain.signIn(on.chain.newBrowser(), request.url),
      request,
    )
    breaker.break()
    expect((await on.chain.app.userinfo(body.access_token)).status).toBe(503)
    breaker.mend()
    expect((await on.chain.app.userinfo(body.access_token)).status).toBe(200)
  })

  it('the log names the failure once for each request, as an error', async () => {
    breaker.break()
    const before = on.chain.logLines.length
    await on.chain.newBrowser().open(on.chain.app.request().url)
    const errors = on.chain.logLines
      .slice(before)
      .filter((line) => line.includes('"level":"error"'))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('broken by the test')
  })
})

describe('F21 one operation of a login fails', () => {
  /** From the app’s request to the token; 'ok', or what the person or the app was told. */
  async function login(browser: Browser): Promise<string> {
    const request = on.chain.app.request()
    let visit = await browser.open(request.url)
    if (visit.url.pathname === '/login')
      visit = await browser.submit(visit, { username: 'testuser', password: 'password' })
    if (!visit.url.searchParams.has('code') || visit.url.origin === on.chain.url)
      return `${visit.status} ${visit.url.searchParams.get('error') ?? ''}`.trim()
    const { status, body } = await on.chain.app.finish(visit, request)
    return status === 200 ? 'ok' : `${status} ${String(body['error'])}`
  }

  it('whichever it is of the step that renews the session: 503 without a cookie; until the writes go out the same address works again', async () => {
    const isResume = (url: URL) =>
      url.origin === on.chain.url && url.pathname.startsWith('/oauth2/authorize/')
    // The session by its cookie, the session, the interaction, the grant.
    const READS = 4
    for (let at = 1; ; at += 1) {
      breaker.mend()
      const browser = on.chain.newBrowser()
      await on.chain.signIn(browser, on.chain.app.request().url)
      const request = on.chain.app.request({ prompt: 'login' })
      const { url } = await on.chain.signIn(browser, request.url, 'testuser', {
        stopBefore: isResume,
      })
      breaker.breakAt(at)
      const visit = await browser.open(url)
      breaker.mend()
      if (visit.status === 302) return expect(at).toBeGreaterThan(READS + 1)
      expect(visit.status, `operation ${at}`).toBe(503)
      expect(
        visit.hops.flatMap(({ setCookies }) => setCookies),
        `operation ${at}`,
      ).toEqual([])
      if (at <= READS)
        expect(
          (await on.chain.app.finish(await browser.open(url), request)).status,
          `after operation ${at}`,
        ).toBe(200)
    }
  })

  it('whichever it is: 503 and a page or temporarily_unavailable, and the next attempt works', async () => {
    breaker.mend()
    expect(await login(on.chain.newBrowser())).toBe('ok')
    const operations = breaker.count()
    expect(operations).toBeGreaterThanOrEqual(12)
    const told = new Map<string, number>()
    for (let at = 1; at <= operations; at += 1) {
      const browser = on.chain.newBrowser()
      breaker.breakAt(at)
      const outcome = await login(browser)
      breaker.mend()
      expect(outcome, `operation ${at}`).toMatch(
        /^(503|503 temporarily_unavailable|302 temporarily_unavailable|ok)$/,
      )
      told.set(outcome, (told.get(outcome) ?? 0) + 1)
      expect(await login(browser), `after operation ${at}`).toBe('ok')
    }
    expect(told.get('ok') ?? 0).toBeLessThanOrEqual(operations / 4)
  })
})

describe('A21 a code that is used again while the store fails', () => {
  it('whichever operation fails: no token, and the first one is over at the latest with the next use', async () => {
    for (let at = 1; at <= 8; at += 1) {
      const request = on.chain.app.request()
      const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
      const first = await on.chain.app.finish(visit, request)
      breaker.breakAt(at)
      const again = await on.chain.app.finish(visit, request)
      breaker.mend()
      expect(again.body, `operation ${at}`).not.toHaveProperty('access_token')
      expect([400, 503]).toContain(again.status)
      await on.chain.app.finish(visit, request)
      expect((await on.chain.app.userinfo(first.body.access_token)).status).toBe(401)
    }
  })
})
