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
  provider.faults.idTokenClaims = { sid: 'this-session' }
  browser = createTestBrowser()
  await browser.go(`${app.url}/authenticated`)
})

const tell = (token: string | undefined) =>
  fetch(`${app.url}/logout/backchannel`, {
    method: 'POST',
    body: new URLSearchParams(token === undefined ? {} : { logout_token: token }),
  })

async function isSignedIn(): Promise<boolean> {
  return (await browser.go(`${app.url}/`)).text.includes('Signed in')
}

describe('back-channel logout', () => {
  it('ends the session that it names, and no other', async () => {
    const first = browser
    provider.faults.idTokenClaims = { sid: 'another-session' }
    const other = createTestBrowser()
    await other.go(`${app.url}/authenticated`)
    const answer = await tell(provider.logoutToken({ sid: 'this-session' }))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    browser = other
    expect(await isSignedIn()).toBe(true)
    browser = first
    expect(await isSignedIn()).toBe(false)
  })

  it('the same token again, or one of a session nobody knows, is no error', async () => {
    const token = provider.logoutToken({ sid: 'this-session' })
    expect([(await tell(token)).status, (await tell(token)).status]).toEqual([200, 200])
  })

  it('a browser that signed in anew since stays signed in', async () => {
    provider.faults.idTokenClaims = { sid: 'newer-session' }
    await browser.go(`${app.url}/sign-in`)
    await tell(provider.logoutToken({ sid: 'this-session' }))
    expect(await isSignedIn()).toBe(true)
  })

  it('takes a token that is signed with a new key at once', async () => {
    await tell(provider.logoutToken({ sid: 'nobody' }))
    provider.rotateKey()
    await tell(provider.logoutToken({ sid: 'this-session' }))
    expect(await isSignedIn()).toBe(false)
  })

  const wrong: [string, () => string | undefined][] = [
    ['no token', () => undefined],
    ['an ID token', () => provider.logoutToken({ events: undefined, nonce: 'n' }, { typ: 'JWT' })],
    ['a nonce', () => provider.logoutToken({ sid: 'this-session', nonce: 'n' })],
    ['no event', () => provider.logoutToken({ sid: 'this-session', events: {} })],
    ['another audience', () => provider.logoutToken({ sid: 'this-session', aud: 'other' })],
    ['another issuer', () => provider.logoutToken({ sid: 'this-session', iss: 'https://e.test' })],
    ['no signature', () => provider.logoutToken({ sid: 'this-session' }, { algorithm: 'none' })],
    ['no sid', () => provider.logoutToken({ sub: 'testuser' })],
    ['an end in the past', () => provider.logoutToken({ sid: 'this-session', exp: 1 })],
  ]
  it.each(wrong)('refuses %s', async (_name, token) => {
    expect((await tell(token())).status).toBe(400)
    expect(await isSignedIn()).toBe(true)
  })
})
