// One login belongs to one browser and counts once: links that were sent, answers that come twice, many tabs, long waits.
import { describe, expect, it } from 'vitest'
import { claimsOf } from '../test-support/app.ts'
import type { Browser, Visit } from '../test-support/browser.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'

const CALLBACK = '/login/oauth2/code/test-auth-server'
const NOT_STARTED_HERE = 'This sign-in was not started here, or is over'
const isCallback = (url: URL) => url.pathname === CALLBACK
const isResume = (url: URL) => url.pathname.startsWith('/oauth2/authorize/')
const hasCode = ({ url }: Visit) =>
  url.searchParams.has('code') && url.pathname === '/login/oauth2/code/auth-adapter'

const on = useChain()
const clock = useClock()

/** Signs in upstream and stops before the answer is brought to the adapter. */
async function upToCallback(
  browser: Browser,
  request = on.chain.app.request(),
  username = 'testuser',
): Promise<URL> {
  const visit = await on.chain.signIn(browser, request.url, username, {
    stopBefore: (url) => isCallback(url) && url.origin === on.chain.url,
  })
  return visit.url
}

async function expectNotStartedHere(visit: Visit): Promise<void> {
  expect(visit.status).toBe(400)
  expect(visit.body).toContain(NOT_STARTED_HERE)
  expect(visit.hops.flatMap(({ setCookies }) => setCookies)).toEqual([])
}

const isSignedIn = async (browser: Browser) =>
  (await browser.open(on.chain.app.request({ prompt: 'none' }).url)).url.searchParams.has('code')

describe('a login that is brought to another browser', () => {
  it('A03 A06 the callback URL opened in a browser that began nothing: a page, and no session (CVE-2022-39222, CVE-2021-41580)', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const callback = await upToCallback(attacker)
    const visit = await victim.open(callback)
    await expectNotStartedHere(visit)
    expect(await isSignedIn(victim)).toBe(false)
  })

  it('A03 the victim is signing in too, in their own login', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const own = await upToCallback(victim, undefined, 'ada')
    const callback = await upToCallback(attacker)
    await expectNotStartedHere(await victim.open(callback))
    const done = await victim.open(own)
    expect(hasCode(done)).toBe(true)
  })

  it('A03 the victim is signed in: their session stays theirs', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    await on.chain.signIn(victim, on.chain.app.request().url, 'ada')
    const callback = await upToCallback(attacker)
    const visit = await victim.open(callback)
    expect(hasCode(visit)).toBe(false)
    const request = on.chain.app.request({ prompt: 'none' })
    const { body } = await on.chain.app.finish(await victim.open(request.url), request)
    expect(claimsOf(body.id_token)['sub']).toBe('user-0002')
  })

  it('A03 after the victim opened it the attacker gets no code either', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const callback = await upToCallback(attacker)
    await victim.open(callback)
    const visit = await attacker.open(callback, {
      stopBefore: (url) => url.origin === on.chain.upstreamIssuer,
    })
    expect(hasCode(visit)).toBe(false)
  })

  it('A03 the upstream’s authorization URL of one browser finished in another', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const leaving = await attacker.open(on.chain.app.request().url, {
      stopBefore: (url) => url.origin === on.chain.upstreamIssuer,
    })
    const visit = await on.chain.signIn(victim, leaving.url)
    await expectNotStartedHere({
      ...visit,
      hops: visit.hops.filter(({ url }) => url.origin === on.chain.url),
    })
    expect(await isSignedIn(victim)).toBe(false)
  })

  it('A03 A34 the finished login’s resume URL, its cookie planted from another host of the domain: no code, and no session', async () => {
    const attacker = on.chain.newBrowser()
    const stop = (url: URL) => url.origin === on.chain.url && isResume(url)
    const { url } = await on.chain.signIn(attacker, on.chain.app.request().url, 'ada', {
      stopBefore: stop,
    })
    const planted = attacker.cookies
      .filter(({ name }) => /RESUME/.test(name))
      .map((cookie) => ({ ...cookie, path: '/' }))
    expect(planted.map(({ name }) => name)).toContain('AUTH_ADAPTER_RESUME.sig')
    const victim = on.chain.newBrowser()
    victim.cookies.push(...planted)
    await expectNotStartedHere(await victim.open(url))
    const own = on.chain.newBrowser()
    const { url: ownUrl } = await on.chain.signIn(own, on.chain.app.request().url, 'testuser', {
      stopBefore: stop,
    })
    own.cookies.push(...planted)
    await expectNotStartedHere(await own.open(ownUrl))
    expect([await isSignedIn(victim), await isSignedIn(own)]).toEqual([false, false])
    expect(hasCode(await attacker.open(url))).toBe(true)
  })

  it('A03 our own start URL of one browser opened in another: refused before anything leaves', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const start = await attacker.open(on.chain.app.request().url, {
      stopBefore: (url) => url.pathname.startsWith('/oauth2/authorization/'),
    })
    const visit = await victim.open(start.url)
    expect([visit.status, visit.hops.length]).toEqual([400, 1])
    await victim.open(on.chain.app.request().url)
    await expectNotStartedHere(await victim.open(start.url))
  })

  it('A03 the finished login’s resume URL opened in another browser: no code', async () => {
    const [attacker, victim] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const callback = await upToCallback(attacker)
    const stopped = await attacker.open(callback, { stopBefore: isResume })
    const visit = await victim.open(stopped.url)
    expect(visit.status).toBe(400)
    expect(hasCode(visit)).toBe(false)
    expect(await isSignedIn(victim)).toBe(false)
  })

  it('A34 a second login cookie of the same name, in either order: fails closed, with a way on (CVE-2024-28197)', async () => {
    for (const place of ['unshift', 'push'] as const) {
      const browser = on.chain.newBrowser()
      const callback = await upToCallback(browser)
      const own = browser.cookie(/^AUTH_ADAPTER_LOGIN_/)
      browser.cookies[place]({ ...(own as NonNullable<typeof own>), value: 'planted' })
      const visit = await browser.open(callback)
      await expectNotStartedHere(visit)
    }
  })

  it('A34 a second session cookie of the same name: nobody, or the person, never another', async () => {
    const [victim, attacker] = [on.chain.newBrowser(), on.chain.newBrowser()]
    await on.chain.signIn(victim, on.chain.app.request().url, 'ada')
    await on.chain.signIn(attacker, on.chain.app.request().url)
    const planted = attacker.cookies.filter(({ name }) => name === 'AUTH_ADAPTER_SESSION')
    for (const place of ['unshift', 'push'] as const) {
      const tossed = on.chain.newBrowser()
      tossed.cookies = structuredClone(victim.cookies)
      tossed.cookies[place](...planted)
      const request = on.chain.app.request({ prompt: 'none' })
      const visit = await tossed.open(request.url)
      if (!hasCode(visit)) continue
      const { body } = await on.chain.app.finish(visit, request)
      expect(claimsOf(body.id_token)['sub']).toBe('user-0002')
    }
  })
})

describe('an answer that comes again', () => {
  it('A04 F60 the same callback twice: one login; the second goes on or says so (CVE-2020-14302)', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    const first = await browser.open(callback)
    expect((await on.chain.app.finish(first, request)).status).toBe(200)
    const second = await browser.open(callback)
    expect(second.status).toBe(200)
    expect(second.body).toContain('You are signed in')
    expect(second.body).toContain('http://127.0.0.1:8080/')
    expect(hasCode(second)).toBe(false)
  })

  it('F60 a callback that is reloaded before the resume: lands in the app', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    await browser.open(callback, { stopBefore: isResume })
    const second = await browser.open(callback)
    expect((await on.chain.app.finish(second, request)).status).toBe(200)
  })

  it('F60 a resume URL that is reloaded says that all is well', async () => {
    const browser = on.chain.newBrowser()
    const stopped = await browser.open(await upToCallback(browser), { stopBefore: isResume })
    await browser.open(stopped.url)
    const again = await browser.open(stopped.url)
    expect(hasCode(again)).toBe(false)
    expect(again.body).toContain('http://127.0.0.1:8080/')
    expect(again.status).toBeLessThan(500)
  })

  it('A04 20 times in parallel: exactly one code exchange upstream and one code for the app', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    const before = on.chain.events('login.finished').length
    const visits = await Promise.all(
      Array.from({ length: 20 }, () =>
        browser.open(callback, { stopBefore: (url) => url.origin === on.chain.upstreamIssuer }),
      ),
    )
    expect(on.chain.events('login.finished').length - before).toBe(1)
    const codes = visits.filter(hasCode).map(({ url }) => url.searchParams.get('code') as string)
    expect(codes.length).toBeGreaterThanOrEqual(1)
    const answers = await Promise.all(
      [...new Set(codes)].map((code) => on.chain.app.redeem(code, { verifier: request.verifier })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const visit of visits) expect(visit.status).toBeLessThan(500)
  })

  it('A04 the resume URL 20 times in parallel: one code that can be used', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const { url } = await browser.open(await upToCallback(browser, request), {
      stopBefore: isResume,
    })
    const visits = await Promise.all(Array.from({ length: 20 }, () => browser.open(url)))
    const codes = new Set(
      visits.filter(hasCode).map((visit) => visit.url.searchParams.get('code') as string),
    )
    expect(codes.size).toBeGreaterThanOrEqual(1)
    const answers = await Promise.all(
      [...codes].map((code) => on.chain.app.redeem(code, { verifier: request.verifier })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const visit of visits) expect(visit.status).toBeLessThan(500)
  })

  it('A04 after logout: nothing comes back to life', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    const done = await browser.open(callback)
    await on.chain.app.finish(done, request)
    const page = await browser.open(`${on.chain.url}/connect/logout`)
    await browser.submit(page, { logout: 'yes' })
    await expectNotStartedHere(await browser.open(callback))
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('A04 from another browser: refused (CVE-2025-46815)', async () => {
    const browser = on.chain.newBrowser()
    const callback = await upToCallback(browser)
    await browser.open(callback)
    await expectNotStartedHere(await on.chain.newBrowser().open(callback))
  })

  it('a HEAD request, as link checkers send, does not use the answer up', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    const head = await fetch(callback, {
      method: 'HEAD',
      redirect: 'manual',
      headers: { cookie: browser.cookieHeader(callback) },
    })
    expect(head.status).toBe(405)
    expect((await on.chain.app.finish(await browser.open(callback), request)).status).toBe(200)
  })

  const STATES: [name: string, change: (url: URL) => void][] = [
    ['no state', (url) => url.searchParams.delete('state')],
    ['an empty state', (url) => url.searchParams.set('state', '')],
    [
      'a state of ours cut short',
      (url) =>
        url.searchParams.set('state', (url.searchParams.get('state') as string).slice(0, -1)),
    ],
    [
      'a made-up state',
      (url) => url.searchParams.set('state', `${'a'.repeat(20)}.${'b'.repeat(43)}`),
    ],
    [
      'the state twice',
      (url) => url.searchParams.append('state', url.searchParams.get('state') as string),
    ],
    ['a very long state', (url) => url.searchParams.set('state', 's'.repeat(5000))],
    ['a state with line breaks', (url) => url.searchParams.set('state', 'a\r\nSet-Cookie: x=1')],
  ]
  it.each(STATES)(
    'C56 %s: no token request, and the login can still be finished',
    async (_name, change) => {
      const browser = on.chain.newBrowser()
      const request = on.chain.app.request()
      const callback = await upToCallback(browser, request)
      const changed = new URL(callback)
      change(changed)
      const refused = await browser.open(changed, {
        stopBefore: (url) => url.origin === on.chain.upstreamIssuer,
      })
      expect(hasCode(refused)).toBe(false)
      expect(refused.hops[0]?.status).toBe(400)
      expect((await on.chain.app.finish(await browser.open(callback), request)).status).toBe(200)
    },
  )
})

describe('many tabs and long waits', () => {
  it('F62 20 tabs of two apps, finished in another order: 20 of 20, each with its own state', async () => {
    const browser = on.chain.newBrowser()
    const tabs = []
    for (let index = 0; index < 20; index += 1) {
      const app = index % 2 === 0 ? on.chain.app : on.chain.secondApp
      const request = app.request()
      tabs.push({ app, request, page: await browser.open(request.url) })
    }
    for (const { app, request, page } of tabs.toSorted((a, b) =>
      a.request.nonce.localeCompare(b.request.nonce),
    )) {
      const visit = await browser.submit(page, { username: 'testuser', password: 'password' })
      expect(visit.url.searchParams.get('state')).toBe(request.state)
      const { status, body } = await app.finish(visit, request)
      expect(status).toBe(200)
      expect(claimsOf(body.id_token)).toMatchObject({
        aud: app.clientId,
        nonce: request.nonce,
        sub: 'testuser',
      })
    }
  })

  it('F63 60 tabs: the newest 20 work, the rest get a page, and the Cookie header stays below 8 kB', async () => {
    const browser = on.chain.newBrowser()
    const leaving = (url: URL) => url.origin === on.chain.upstreamIssuer
    const tabs = []
    for (let index = 0; index < 60; index += 1) {
      const request = on.chain.app.request()
      tabs.push({ request, away: await browser.open(request.url, { stopBefore: leaving }) })
      clock.advance(1)
    }
    expect(
      browser.cookies.filter(({ name }) => name.startsWith('AUTH_ADAPTER_LOGIN_')),
    ).toHaveLength(20)
    for (const path of [
      '/',
      CALLBACK,
      '/oauth2/authorize',
      '/oauth2/authorization/test-auth-server',
      '/userinfo',
    ])
      expect(browser.cookieHeader(on.chain.url + path).length).toBeLessThan(8192)
    for (const { away } of tabs.slice(35, 40)) {
      const state = away.url.searchParams.get('state') as string
      await expectNotStartedHere(
        await browser.open(
          `${on.chain.url}${CALLBACK}?code=x&state=${state}&iss=${on.chain.upstreamIssuer}`,
        ),
      )
    }
    const [first] = tabs.slice(40)
    const finished = await on.chain.signIn(browser, (first as (typeof tabs)[number]).away.url)
    expect(hasCode(finished)).toBe(true)
  })

  it('F66 a login of nine minutes works', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const page = await browser.open(request.url)
    clock.advance(9 * 60)
    const visit = await browser.submit(page, { username: 'testuser', password: 'password' })
    expect((await on.chain.app.finish(visit, request)).status).toBe(200)
  })

  it('F66 a login of eleven minutes: a page that says so, with the way back to the app', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const callback = await upToCallback(browser, request)
    clock.advance(11 * 60)
    const visit = await browser.open(callback)
    expect(visit.status).toBe(400)
    expect(visit.body).toContain('This sign-in took too long')
    expect(visit.body).toContain('http://127.0.0.1:8080/')
  })

  it('F64 a browser that sends no cookies: one page that says so, no loop', async () => {
    const browser = on.chain.newBrowser()
    const start = await browser.open(on.chain.app.request().url, {
      stopBefore: (url) => url.pathname.startsWith('/oauth2/authorization/'),
    })
    const visit = await on.chain.newBrowser().open(start.url)
    expect(visit.status).toBe(400)
    expect(visit.body).toContain('Your browser blocks cookies')
    expect(visit.hops).toHaveLength(1)
  })

  it.each(['/login/oauth2/code/', '/oauth2/authorize/'])(
    'F64 cookies cleared before %s: one page with a way on, no loop',
    async (path) => {
      const browser = on.chain.newBrowser()
      const request = on.chain.app.request()
      const { url } = await on.chain.signIn(browser, request.url, 'testuser', {
        stopBefore: ({ origin, pathname }) => origin === on.chain.url && pathname.startsWith(path),
      })
      browser.cookies = []
      const visit = await browser.open(url)
      expect([visit.status, visit.hops.length]).toEqual([400, 1])
      expect(hasCode(visit)).toBe(false)
    },
  )

  it('F61 every address of a finished login opened again: a page that leads to the app, and no second code', async () => {
    const browser = on.chain.newBrowser()
    const visit = await on.chain.signIn(browser, on.chain.app.request().url)
    for (const { url } of visit.hops.filter(
      (hop, index) => index > 0 && hop.url.origin === on.chain.url,
    )) {
      const again = await browser.open(url)
      expect(hasCode(again)).toBe(false)
      expect([200, 400]).toContain(again.status)
      expect(again.body, url.pathname).toContain('href="http://127.0.0.1:8080/"')
    }
  })

  it('state and nonce of 50 logins are all different', async () => {
    const seen = new Set<string>()
    for (let index = 0; index < 50; index += 1) {
      const { url } = await on.chain.newBrowser().open(on.chain.app.request().url, {
        stopBefore: ({ origin }) => origin === on.chain.upstreamIssuer,
      })
      for (const name of ['state', 'nonce', 'code_challenge'])
        seen.add(url.searchParams.get(name) as string)
    }
    expect(seen.size).toBe(150)
  })
})
