import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestBrowser } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'

let provider: TestOpenidProvider
let app: RunningApp
let browser: TestBrowser
beforeAll(async () => {
  provider = await startOpenidProvider()
  app = await startTestApp(provider.issuer)
})
afterAll(async () => {
  await app.stop()
  await provider.stop()
})
beforeEach(async () => {
  browser = await signedInAs('this-session')
})

async function signedInAs(sid: string): Promise<TestBrowser> {
  provider.faults.idTokenClaims = { sid }
  const fresh = createTestBrowser()
  await fresh.go(`${app.url}/authenticated`)
  return fresh
}

/** As a frame of another site loads it: without cookies. */
const load = (query: string) => fetch(`${app.url}/logout/frontchannel?${query}`)
const queryOf = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()

async function isSignedIn(whose: TestBrowser): Promise<boolean> {
  return (await whose.go(`${app.url}/`)).text.includes('Signed in')
}

describe('front-channel logout', () => {
  it('ends the session that it names, and no other, without a cookie', async () => {
    const other = await signedInAs('another-session')
    const answer = await load(queryOf({ iss: provider.issuer, sid: 'this-session' }))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ])
    expect([await isSignedIn(browser), await isSignedIn(other)]).toEqual([false, true])
  })

  it('is kept by no cache, and may be framed by the adapter only', async () => {
    const good = queryOf({ iss: provider.issuer, sid: 'this-session' })
    for (const query of [good, '']) {
      const { headers } = await load(query)
      expect(headers.get('cache-control')).toBe('no-cache, no-store')
      expect(headers.get('x-frame-options')).toBeNull()
      expect(headers.get('content-security-policy')).toBe(
        `default-src 'none'; frame-ancestors ${provider.issuer}`,
      )
    }
  })

  it('the same again, or one of a session nobody knows, is no error', async () => {
    const iss = provider.issuer
    for (const sid of ['this-session', 'this-session', 'unknown'])
      expect((await load(queryOf({ iss, sid }))).status).toBe(200)
  })

  it('a browser that signed in anew since stays signed in', async () => {
    provider.faults.idTokenClaims = { sid: 'newer-session' }
    await browser.go(`${app.url}/sign-in`)
    await load(queryOf({ iss: provider.issuer, sid: 'this-session' }))
    expect(await isSignedIn(browser)).toBe(true)
  })

  const sid = 'this-session'
  const wrong: [string, (iss: string) => string][] = [
    ['nothing', () => ''],
    ['no issuer', () => queryOf({ sid })],
    ['no sid', (iss) => queryOf({ iss })],
    ['an empty sid', (iss) => queryOf({ iss, sid: '' })],
    ['another issuer', () => queryOf({ iss: 'https://evil.test', sid })],
    ['a longer issuer', (iss) => queryOf({ iss: `${iss}.evil.test`, sid })],
    ['the issuer with a slash', (iss) => queryOf({ iss: `${iss}/`, sid })],
    ['two issuers', (iss) => `${queryOf({ iss, sid })}&iss=${encodeURIComponent(iss)}`],
    ['two sids', (iss) => `${queryOf({ iss, sid })}&sid=another-session`],
    ['a sid of 8 kB', (iss) => queryOf({ iss, sid: 's'.repeat(8000) })],
  ]
  it.each(wrong)('A37 %s: 400, and nothing ends', async (_name, query) => {
    expect((await load(query(provider.issuer))).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('A37 only a GET ends anything', async () => {
    const url = `${app.url}/logout/frontchannel?${queryOf({ iss: provider.issuer, sid })}`
    expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    expect(await isSignedIn(browser)).toBe(true)
  })
})
