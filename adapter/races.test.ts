// What may happen once happens once, with a store whose answers take time, so that requests overlap between its operations.
import { describe, expect, it } from 'vitest'
import { claimsOf, type AuthorizationRequest } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { slowDriver } from './test-support/slow-driver.ts'
import { useChain } from './test-support/use-chain.ts'

const CALLBACK = '/login/oauth2/code/test-auth-server'
const hasCode = ({ url }: Visit) =>
  url.searchParams.has('code') && url.pathname === '/login/oauth2/code/auth-adapter'

describe.each(['memory', 'sqlite'] as const)('with a slow %s store', (storage) => {
  const on = useChain({ storage, wrapDriver: slowDriver })

  const times = <T>(count: number, work: () => Promise<T>) =>
    Promise.all(Array.from({ length: count }, work))

  async function signInUntil(browser: Browser, url: URL, path: string): Promise<URL> {
    const visit = await on.chain.signIn(browser, url, 'testuser', {
      stopBefore: ({ origin, pathname }) => origin === on.chain.url && pathname.startsWith(path),
    })
    return visit.url
  }

  it('A20 50 parallel redemptions of one code: exactly one 200, invalid_grant for the rest, and the token is over', async () => {
    for (let round = 0; round < 4; round += 1) {
      const request = on.chain.app.request()
      const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
      const answers = await times(50, () => on.chain.app.finish(visit, request))
      const told = answers.map(({ status, body }) =>
        `${status} ${String(body['error'] ?? '')}`.trim(),
      )
      expect(told.filter((answer) => answer === '200')).toHaveLength(1)
      expect(told.filter((answer) => answer === '400 invalid_grant')).toHaveLength(49)
      const token = answers.find(({ status }) => status === 200)?.body.access_token as string
      expect((await on.chain.app.userinfo(token)).status).toBe(401)
    }
  })

  it('A04 F60 one callback 20 times in parallel: one code exchange upstream, and every answer leads on in the same login', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const url = await signInUntil(browser, request.url, CALLBACK)
    const before = on.chain.events('login.finished').length
    const visits = await times(20, () =>
      browser.open(url, { stopBefore: ({ origin }) => origin === on.chain.upstreamIssuer }),
    )
    expect(on.chain.events('login.finished').length - before).toBe(1)
    await expectSameLogin(visits, request)
  })

  it('F60 one resume URL 20 times in parallel: whichever answer the browser keeps, the app gets the same login', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const url = await signInUntil(browser, request.url, '/oauth2/authorize/')
    await expectSameLogin(await times(20, () => browser.open(url)), request)
  })

  /** A browser that was clicked twice shows the last answer only, so each has to be good; none is for anybody else. */
  async function expectSameLogin(visits: Visit[], request: AuthorizationRequest): Promise<void> {
    for (const visit of visits) expect(visit.status).toBeLessThan(500)
    const coming = visits.filter(hasCode)
    expect(coming.length).toBeGreaterThanOrEqual(1)
    for (const visit of coming) {
      expect(visit.url.searchParams.get('state')).toBe(request.state)
      const { status, body } = await on.chain.app.finish(visit, request)
      expect(status).toBe(200)
      expect(claimsOf(body.id_token)).toMatchObject({
        sub: 'testuser',
        nonce: request.nonce,
        aud: 'client',
      })
      expect((await on.chain.app.finish(visit, request)).body['error']).toBe('invalid_grant')
    }
  }

  it('F62 ten tabs of two apps finish at the same time: every one gets its tokens, and all are good', async () => {
    const browser = on.chain.newBrowser()
    const tabs = []
    for (let index = 0; index < 10; index += 1) {
      const app = index % 2 === 0 ? on.chain.app : on.chain.secondApp
      const request = app.request()
      tabs.push({ app, request, url: await signInUntilOnce(browser, request.url) })
    }
    const tokens = await Promise.all(
      tabs.map(async ({ app, request, url }) => app.finish(await browser.open(url), request)),
    )
    expect(tokens.map(({ status }) => status)).toEqual(tabs.map(() => 200))
    for (const { body } of tokens)
      expect((await on.chain.app.userinfo(body.access_token)).status).toBe(200)
  })

  /** The upstream asks for the password in the first tab only. */
  async function signInUntilOnce(browser: Browser, url: URL): Promise<URL> {
    const stopBefore = ({ origin, pathname }: URL) =>
      origin === on.chain.url && pathname === CALLBACK
    const page = await browser.open(url, { stopBefore })
    return page.url.pathname === '/login'
      ? (await browser.submit(page, { username: 'testuser', password: 'password' }, { stopBefore }))
          .url
      : page.url
  }

  it('F62 ten tabs of an app that is new to the session, at the same time: every code is good', async () => {
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    const answers = await times(10, async () => {
      const request = on.chain.secondApp.request()
      return on.chain.secondApp.finish(await browser.open(request.url), request)
    })
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    for (const { body } of answers)
      expect((await on.chain.secondApp.userinfo(body.access_token)).status).toBe(200)
  })

  it('a logout that meets ten silent sign-ons: afterwards nobody is signed in, and no token lives', async () => {
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    const page = await browser.open(`${on.chain.url}/connect/logout`)
    const copy = on.chain.newBrowser()
    copy.cookies = structuredClone(browser.cookies)
    const silent = times(10, async () => {
      const request = on.chain.app.request({ prompt: 'none' })
      const visit = await copy.open(request.url)
      return hasCode(visit) ? on.chain.app.finish(visit, request) : undefined
    })
    const [, answers] = await Promise.all([browser.submit(page, { logout: 'yes' }), silent])
    expect(hasCode(await copy.open(on.chain.app.request({ prompt: 'none' }).url))).toBe(false)
    for (const answer of answers)
      if (answer?.status === 200)
        expect((await on.chain.app.userinfo(answer.body.access_token)).status).toBe(401)
  })
})
