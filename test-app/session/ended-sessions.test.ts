import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import { startRedis } from '../../scripts/redis-server.ts'
import type { RedisServer } from '../../scripts/redis-server.ts'
import { createTestBrowser } from '../testing/browser.ts'
import type { Answer, TestBrowser } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'

const clock = useClock()
let provider: TestOpenidProvider
let redis: RedisServer
let folder: string
let app: RunningApp
let browser: TestBrowser

beforeAll(async () => {
  redis = await startRedis()
  provider = await startOpenidProvider()
  provider.faults.refreshTokens = true
})
afterAll(async () => {
  await provider.stop()
  await redis.stop()
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'test-app-ended-'))
  provider.faults.idTokenClaims = { sid: `session of ${folder}` }
})
afterEach(async () => {
  provider.faults.tokenAnswerAfter = undefined
  await app.stop()
  rmSync(folder, { recursive: true })
})

async function signIn(): Promise<void> {
  browser = createTestBrowser()
  // A new connection to Redis needs a moment.
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await browser.go(`${app.url}/authenticated`)).status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('Nobody could sign in')
}

const me = (as: TestBrowser): Promise<Answer> =>
  as.open(`${app.url}/api/me`, { headers: { accept: '*/*' } })

function copyOf(original: TestBrowser): TestBrowser {
  const copy = createTestBrowser()
  for (const [name, value] of original.cookies) copy.cookies.set(name, value)
  return copy
}

/** A request that refreshes the tokens of the session, and `meanwhile`, before the adapter's answer is there. */
async function whileRefreshing(meanwhile: () => Promise<unknown>): Promise<Answer> {
  const held = Promise.withResolvers<void>()
  const { length: before } = provider.tokenRequests
  provider.faults.tokenAnswerAfter = held.promise
  clock.advance(280)
  const running = me(browser)
  while (provider.tokenRequests.length === before)
    await new Promise((resolve) => setTimeout(resolve, 5))
  await meanwhile()
  held.resolve()
  return running
}

describe.each(['sqlite', 'redis'])('a session on %s that ended during a refresh', (name) => {
  beforeEach(async () => {
    const redisUrl = name === 'redis' ? redis.url : undefined
    app = await startTestApp(provider.issuer, { dataFolder: folder, redisUrl })
    await signIn()
  })

  it.each([
    [
      'by back-channel logout',
      async () => {
        const body = new URLSearchParams({
          logout_token: provider.logoutToken({ ...provider.faults.idTokenClaims }),
        })
        const { status } = await fetch(`${app.url}/logout/backchannel`, { method: 'POST', body })
        expect(status).toBe(200)
      },
    ],
    [
      'by front-channel logout',
      async () => {
        const query = new URLSearchParams({ iss: provider.issuer, sid: `session of ${folder}` })
        const { status } = await fetch(`${app.url}/logout/frontchannel?${query.toString()}`)
        expect(status).toBe(200)
      },
    ],
  ])('%s stays ended', async (_name, logOut) => {
    const kept = copyOf(browser)
    await whileRefreshing(logOut)
    expect([(await me(kept)).status, (await me(browser)).status]).toEqual([401, 401])
  })
})
