import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from './start.ts'
import {
  authorizationRequest,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
  startForTest,
} from './test-support/test-browser.ts'

let server: RunningUpstreamTestServer
beforeAll(async () => {
  server = await startForTest()
})
afterAll(() => server.close())

const browserAndRequest = (parameters: Record<string, string | undefined> = {}) => ({
  browser: createTestBrowser(server.issuer),
  request: authorizationRequest(server.issuer, parameters),
})

describe('several tabs', () => {
  it('F62 each of six finishes its own login, whatever the order', async () => {
    const browser = createTestBrowser(server.issuer)
    const tabs = []
    for (let index = 0; index < 6; index++) {
      const request = authorizationRequest(server.issuer)
      tabs.push({ request, form: await browser.open(request.url) })
    }
    for (const { request, form } of [tabs[4], tabs[0], tabs[5], tabs[2], tabs[1], tabs[3]].filter(
      (tab) => tab !== undefined,
    )) {
      const page = await browser.submit(form, { username: 'testuser', password: 'password' })
      expect(page.url.searchParams.get('state')).toBe(request.state)
      expect((await redeem(server.issuer, codeOf(page), request.verifier)).status).toBe(200)
    }
    expect(
      browser.cookies.filter(({ name }) => name.startsWith('TEST_AUTH_SERVER_INTERACTION_')),
    ).toEqual([])
  })

  it('F67 a tab that waited while another signed in as somebody else still finishes, as whom it says', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request, 'testuser')
    const [first, second] = [1, 2].map(() =>
      authorizationRequest(server.issuer, { prompt: 'login' }),
    )
    if (!first || !second) throw new Error('two requests')
    const waiting = await browser.open(second.url)
    await signIn(browser, first, 'ada')
    const page = await browser.submit(waiting, { username: "o'brien", password: 'password' })
    const { body } = await redeem(server.issuer, codeOf(page), second.verifier)
    expect(claimsOf(body.id_token).sub).toBe('user-0004')
  })

  it('two at once in one session both get a code that works', async () => {
    const { browser, request } = browserAndRequest()
    await signIn(browser, request)
    const requests = [1, 2, 3, 4].map(() => authorizationRequest(server.issuer))
    const pages = await Promise.all(
      requests.map(({ url }) => {
        const tab = createTestBrowser(server.issuer)
        tab.cookies = [...browser.cookies]
        return tab.open(url)
      }),
    )
    const results = await Promise.all(
      pages.map((page, index) => redeem(server.issuer, codeOf(page), requests[index]?.verifier)),
    )
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })
})

describe('the form is bound to the browser that began', () => {
  it('A06 a link to the form is of no use in another browser', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    const stranger = createTestBrowser(server.issuer)
    const shown = await stranger.open(form.url)
    expect(shown.status).toBe(400)
    expect(shown.body).toContain('This sign-in is not open here')
    const posted = await stranger.submit(form, { username: 'testuser', password: 'password' })
    expect(posted.status).toBe(400)
    expect(stranger.cookies).toEqual([])
  })

  it('a cookie made for another interaction does not open this one', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    const stranger = createTestBrowser(server.issuer)
    await stranger.open(authorizationRequest(server.issuer).url)
    const ofVictim = browser.cookies.find(({ name }) =>
      name.startsWith('TEST_AUTH_SERVER_INTERACTION_'),
    )
    const own = stranger.cookies.find(({ name }) =>
      name.startsWith('TEST_AUTH_SERVER_INTERACTION_'),
    )
    stranger.cookies = [{ name: ofVictim?.name ?? '', value: own?.value ?? '', path: '/login' }]
    expect((await stranger.open(form.url)).status).toBe(400)
    stranger.cookies = [
      { name: ofVictim?.name ?? '', value: ofVictim?.value ?? '', path: '/login' },
    ]
    expect((await stranger.open(form.url)).status).toBe(200)
  })

  it.each([
    '/login',
    '/login?interaction=',
    '/login?interaction=a&interaction=b',
    '/login?interaction=%00',
  ])('shows a page for %s', async (path) => {
    expect((await createTestBrowser(server.issuer).open(path)).status).toBe(400)
  })

  it('shows a page when the form is sent again after it is over', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    await browser.submit(form, { username: 'testuser', password: 'password' })
    const again = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect(again.status).toBe(400)
    expect(again.body).toContain('Go back to the application')
  })

  it('a body over 8 kB is refused', async () => {
    const { browser, request } = browserAndRequest()
    const form = await browser.open(request.url)
    const page = await browser.submit(form, { username: 'a'.repeat(9000), password: 'password' })
    expect(page.status).toBe(413)
  })
})
