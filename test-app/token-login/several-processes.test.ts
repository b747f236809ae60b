import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import { startRedis } from '../../scripts/redis-server.ts'
import type { RedisServer } from '../../scripts/redis-server.ts'
import type { TestAppOptions } from '../parts.ts'
import { askGraphql } from '../testing/ask-graphql.ts'
import { OWN_SCRIPT } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let redis: RedisServer
let folder: string
let whole: WholeChain
let second: RunningApp

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
const clock = useClock()
afterEach(async () => {
  await second.stop()
  await whole.close()
  rmSync(folder, { recursive: true })
})

/** Two of this app behind one address, as behind a balancer. */
async function startTwo(change: Partial<TestAppOptions>): Promise<void> {
  folder = mkdtempSync(path.join(tmpdir(), 'test-app-two-'))
  const shared = { dataFolder: folder, ...change }
  whole = await startWholeChain({ app: shared })
  second = await startTestApp(whole.issuer, {
    ...shared,
    url: whole.url,
    identityUrl: whole.identityUrl,
  })
  await login(whole.browser())
}

/** A new connection to Redis needs a moment. */
async function login(browser: TestBrowser, tries = 100): Promise<TestBrowser> {
  const variables = { email: 'single@example.test', password: 'password' }
  const { result } = await askGraphql(browser, whole.url, 'login', variables)
  if (result['code'] === 'SIGNED_IN' || tries === 0) return browser
  await new Promise((resolve) => setTimeout(resolve, 25))
  return login(browser, tries - 1)
}

const copyOf = (original: TestBrowser): TestBrowser => {
  const copy = whole.browser()
  for (const [name, value] of original.cookies) copy.cookies.set(name, value)
  return copy
}
const me = (browser: TestBrowser, at = whole.url) =>
  browser.open(`${at}/api/me`, { headers: OWN_SCRIPT })
const refreshesIn = (text: string) =>
  text.split('\n').filter((line) => line.includes('/api/auth/refresh')).length
const refreshes = () => refreshesIn(whole.log.text) + refreshesIn(second.log.text)

describe.each([
  ['sqlite', () => ({})],
  ['redis', () => ({ redisUrl: redis.url, cookieName: 'TEST_APP_SESSION' })],
])('two processes on one %s', (_name, change) => {
  it('A21 refresh once between them, and both know the new cookies', async () => {
    await startTwo(change())
    const browser = await login(whole.browser())
    for (let round = 1; round <= 3; round += 1) {
      clock.advance(301)
      const copies = Array.from({ length: 20 }, () => copyOf(browser))
      const answers = await Promise.all(
        copies.map((copy, index) => me(copy, index % 2 === 0 ? whole.url : second.url)),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
      expect(new Set(copies.map((copy) => copy.cookies.get('TEST_APP_REFRESH'))).size).toBe(1)
      expect(refreshes()).toBe(round)
      for (const [name, value] of copies[0]?.cookies ?? []) browser.cookies.set(name, value)
    }
  })

  it('A52 signing out at one ends it at the other, which refreshes no more', async () => {
    await startTwo(change())
    const browser = await login(whole.browser())
    const kept = copyOf(browser)
    expect((await me(kept, second.url)).status).toBe(200)
    await askGraphql(browser, whole.url, 'logout')
    clock.advance(301)
    expect((await me(kept, second.url)).status).toBe(401)
    expect(refreshes()).toBe(0)
  })
})
