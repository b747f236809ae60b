import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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

  it('A21 a session of the chain is refreshed by both at once, and goes on', async () => {
    await startTwo(change())
    const browser = whole.browser()
    expect((await whole.signIn(browser)).status).toBe(200)
    for (let round = 1; round <= 3; round += 1) {
      clock.advance(301)
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          me(copyOf(browser), index % 2 === 0 ? whole.url : second.url),
        ),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    }
    expect(whole.log.text + second.log.text).not.toContain('tokens.refresh_failed')
  })

  describe('a process that is killed in the middle of a refresh', () => {
    /** A new connection to Redis needs a moment: before it is there, the answer is 503. */
    async function untilStuck(browser: TestBrowser, at: string): Promise<void> {
      const answer = await me(copyOf(browser), at).catch(() => undefined)
      if (answer?.status !== 503) return
      await sleep(25)
      await untilStuck(browser, at)
    }

    /** `until`: resolves when it has come as far as it gets. */
    async function killWhileRefreshing(
      browser: TestBrowser,
      identityUrl: string,
      until: Promise<unknown>,
    ): Promise<void> {
      const doomed = await startTestApp(whole.issuer, {
        dataFolder: folder,
        ...change(),
        url: whole.url,
        identityUrl,
      })
      clock.advance(301)
      const unanswered = untilStuck(browser, doomed.url)
      await until
      await doomed.stop()
      await unanswered
    }

    /** What a browser gets of the process that is left, half a minute later. */
    async function statusLater(browser: TestBrowser): Promise<number> {
      const answer = me(browser)
      await sleep(200)
      clock.advance(31)
      return (await answer).status
    }

    it('after the new refresh token was kept: another takes it up', async () => {
      await startTwo(change())
      const browser = await login(whole.browser())
      const reached = Promise.withResolvers<void>()
      const { app } = whole.chain.adapter
      whole.chain.serve((req, res) => {
        if (req.url !== '/oauth2/token') return void app(req, res)
        reached.resolve()
      })
      await killWhileRefreshing(browser, whole.identityUrl, reached.promise)
      whole.chain.serve((req, res) => void app(req, res))
      expect(await statusLater(browser)).toBe(200)
      clock.advance(301)
      expect((await me(browser)).status).toBe(200)
    })

    it('before that: the sign-in is over everywhere, and says so once', async () => {
      await startTwo(change())
      const browser = await login(whole.browser())
      const reached = Promise.withResolvers<void>()
      // Its answers get lost.
      const deaf = createServer((req) => {
        const body: Buffer[] = []
        req.on('data', (part: Buffer) => body.push(part))
        req.on('end', () => {
          void fetch(`${whole.identityUrl}${String(req.url)}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: Buffer.concat(body),
          }).then(() => reached.resolve())
        })
      })
      await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
      const { port } = deaf.address() as AddressInfo
      await killWhileRefreshing(browser, `http://127.0.0.1:${port}`, reached.promise)
      deaf.closeAllConnections()
      deaf.close()
      expect(await statusLater(browser)).toBe(401)
      expect([...browser.cookies.keys()].filter((name) => name.endsWith('_REFRESH'))).toEqual([])
      expect(whole.events('token_login.ended').at(-1)).toMatchObject({
        reason: 'INVALID_REFRESH_TOKEN',
      })
    })
  })
})
