// The clock is set between two steps of one login, by as much as NTP does or as much as somebody types. What it does to
// those who are signed in is in time-jump.test.ts.
import { describe, expect, it } from 'vitest'
import type { Browser } from './test-support/browser.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const HOUR = 3600
const DAY = 24 * HOUR

const on = useChain({
  storage: 'sqlite',
  config: { clients: { client: { refresh: { when: 'always', rotation: 'always' } } } },
})
const clock = useClock()

const isApp = (url: URL) => url.pathname === '/login/oauth2/code/auth-adapter'
const isCallback = (url: URL) =>
  url.origin === on.chain.url && url.pathname.startsWith('/login/oauth2/code/')

/** The person has signed in at the upstream; where its answer leads was not opened yet. */
async function halfway() {
  const request = on.chain.app.request()
  const browser = on.chain.newBrowser()
  const stop = { stopBefore: isCallback }
  const { url } = await on.chain.signIn(browser, request.url, 'testuser', stop)
  return { request, browser, callback: url }
}

async function signInAnew(): Promise<number> {
  const request = on.chain.app.request()
  const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
  return (await on.chain.app.finish(visit, request)).status
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return isApp(url) && url.searchParams.has('code')
}

const userinfo = async (token: string) => (await on.chain.app.userinfo(token)).status

describe('F68 in the middle of a login', () => {
  it.each([
    ['a second back, as for a leap second', -1],
    ['two seconds on', 2],
    // `clock_tolerance` is 30 s.
    ['28 seconds back, as by NTP', -28],
    ['thirty seconds on', 30],
  ])('%s: it finishes', async (_name, seconds) => {
    const { request, browser, callback } = await halfway()
    clock.advance(seconds)
    const { status, body } = await on.chain.app.finish(await browser.open(callback), request)
    expect(status).toBe(200)
    expect(await userinfo(body.access_token)).toBe(200)
  })

  it.each([
    ['an hour on', HOUR],
    ['a day on', DAY],
  ])('%s: a page that says what to do, and the next one works', async (_name, seconds) => {
    const { browser, callback } = await halfway()
    clock.advance(seconds)
    const page = await browser.open(callback)
    expect(page.status).toBe(400)
    expect(page.body).toContain('Go back to the app and start again.')
    expect(await isSignedIn(browser)).toBe(false)
    expect(await signInAnew()).toBe(200)
  })

  it('an hour back: the sign-in at the upstream is from the future; app and log say so, nobody is let in, and the next one works', async () => {
    const { request, browser, callback } = await halfway()
    clock.advance(-HOUR)
    const { url } = await browser.open(callback)
    expect(isApp(url)).toBe(true)
    const failed = on.chain.events('login.failed').at(-1)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'server_error',
      error_description: expect.stringContaining(`flow ${String(failed?.['flow_id'])}`),
      state: request.url.searchParams.get('state'),
    })
    expect(failed?.['error']).toMatchObject({
      message: expect.stringMatching(/^ID token auth_time: clock: 3[56]\d\d s ahead of ours/),
    })
    expect(await isSignedIn(browser)).toBe(false)
    expect(await signInAnew()).toBe(200)
  })

  it('a day back, while the upstream takes its time: the wait for it is not measured by this clock', async () => {
    await on.chain.upstreamControl.failNext('token', { kind: 'delay', milliseconds: 300 })
    const request = on.chain.app.request()
    const answer = on.chain.signIn(on.chain.newBrowser(), request.url)
    await on.chain.upstreamControl.waitForRequest({ endpoint: 'token' }, 5000)
    clock.advance(-DAY)
    expect(isApp((await answer).url)).toBe(true)
  })
})

describe('F68 an hour on, and the same hour back', () => {
  it('what ended meanwhile stays so, what was used stays used', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(browser, request.url)
    const { body } = await on.chain.app.finish(visit, request)
    clock.advance(HOUR)
    await browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' })
    clock.advance(-HOUR)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await userinfo(body.access_token)).toBe(401)
    const refreshed = await on.chain.app.redeem('', {
      form: {
        grant_type: 'refresh_token',
        code: undefined,
        refresh_token: String(body['refresh_token']),
      },
    })
    expect(refreshed.body['error']).toBe('invalid_grant')
    expect((await on.chain.app.finish(visit, request)).body['error']).toBe('invalid_grant')
  })
})
