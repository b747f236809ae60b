import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import { createTestBrowser } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { createKeepFresh } from './keep-fresh.ts'

const clock = useClock()
let provider: TestOpenidProvider
let app: RunningApp
let browser: TestBrowser

beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(() => provider.stop())
beforeEach(async () => {
  provider.faults.refreshTokens = true
  app = await startTestApp(provider.issuer)
  browser = createTestBrowser()
  await browser.go(`${app.url}/authenticated`)
})
afterEach(async () => {
  for (const name of Object.keys(provider.faults))
    delete provider.faults[name as keyof typeof provider.faults]
  await app.stop()
})

const refreshes = () =>
  provider.tokenRequests.filter(({ grant_type }) => grant_type === 'refresh_token').length

describe(createKeepFresh, () => {
  it('refreshes when the access token is about to end, once for requests that come together', async () => {
    const before = refreshes()
    await browser.open(`${app.url}/authenticated`)
    expect(refreshes()).toBe(before)
    clock.advance(280)
    const open = () => browser.open(`${app.url}/authenticated`)
    const pages = await Promise.all([open(), open(), open()])
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(refreshes()).toBe(before + 1)
    clock.advance(280)
    expect((await open()).status).toBe(200)
    expect(refreshes()).toBe(before + 2)
    for (const secret of provider.secrets) expect(app.log.text).not.toContain(secret)
  })

  it('is signed out when the adapter says that it is over', async () => {
    provider.faults.tokenError = { status: 400, error: 'invalid_grant' }
    clock.advance(280)
    const page = await browser.open(`${app.url}/authenticated`)
    expect([page.status, new URL(page.location ?? '').origin]).toEqual([302, provider.issuer])
    expect(app.log.text).toContain('tokens.refresh_failed')
  })

  it('stays signed in while the adapter is away; tokens of somebody else end it', async () => {
    provider.faults.tokenStatus = 503
    clock.advance(280)
    expect((await browser.open(`${app.url}/authenticated`)).status).toBe(200)
    delete provider.faults.tokenStatus
    provider.faults.idTokenClaims = { sub: 'somebody-else' }
    expect((await browser.open(`${app.url}/authenticated`)).status).toBe(302)
  })
})
