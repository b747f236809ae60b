import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startRedis } from '../../../scripts/redis-server.ts'
import type { RedisServer } from '../../../scripts/redis-server.ts'
import type { TestAppOptions } from '../../parts.ts'
import { createTestBrowser } from '../../testing/browser.ts'
import { startOpenidProvider } from '../../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../../testing/openid-provider.ts'
import { startTestApp } from '../../testing/running-app.ts'
import type { RunningApp } from '../../testing/running-app.ts'

let provider: TestOpenidProvider
let redis: RedisServer
let folder: string
let app: RunningApp

beforeAll(async () => {
  redis = await startRedis({ appendonly: true })
  provider = await startOpenidProvider()
})
afterAll(async () => {
  await provider.stop()
  await redis.stop()
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'test-app-store-'))
})
afterEach(async () => {
  await app.stop()
  rmSync(folder, { recursive: true })
})

const stores: Record<string, () => Partial<TestAppOptions>> = {
  sqlite: () => ({ dataFolder: folder }),
  redis: () => ({ dataFolder: folder, redisUrl: redis.url }),
}

// A new connection to Redis needs a moment; what a person would see meanwhile is tested below.
async function signIn(browser = createTestBrowser()) {
  await eventually(async () => (await browser.go(`${app.url}/authenticated`)).status === 200, 2000)
  return browser
}

const isSignedIn = async (browser: ReturnType<typeof createTestBrowser>) =>
  (await browser.open(`${app.url}/api/me`, { headers: { accept: '*/*' } })).status === 200

async function eventually(what: () => Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error(`Not so within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

describe.each(Object.keys(stores))('sessions on %s', (name) => {
  const options = () => stores[name]?.() ?? {}

  it('survive a restart of the app, as do sign-ins on their way', async () => {
    app = await startTestApp(provider.issuer, options())
    const browser = await signIn()
    const late = createTestBrowser()
    const start = await late.open(`${app.url}/authenticated?late=1`)
    await app.restart()
    await eventually(() => isSignedIn(browser), 1000)
    const page = await late.go(start.location ?? '')
    expect([page.status, page.url]).toEqual([200, `${app.url}/authenticated?late=1`])
  })

  it('are not shared by two apps on one store', async () => {
    app = await startTestApp(provider.issuer, options())
    const browser = await signIn()
    const value = browser.cookies.get('TEST_APP_SESSION') ?? ''
    await app.restart({ cookieName: 'SECOND_APP_SESSION' })
    browser.cookies.set('SECOND_APP_SESSION', value)
    await eventually(async () => (await browser.open(`${app.url}/`)).status === 200, 1000)
    expect(await isSignedIn(browser)).toBe(false)
    await app.restart()
    await eventually(() => isSignedIn(browser), 1000)
  })

  it('of a secret that was lost count as none', async () => {
    app = await startTestApp(provider.issuer, options())
    const browser = await signIn()
    await app.restart({ sessionSecret: 'another-secret-of-forty-characters-here' })
    await eventually(async () => (await browser.open(`${app.url}/`)).status === 200, 1000)
    expect(await isSignedIn(browser)).toBe(false)
    await signIn(browser)
  })

  it('hold no token and no session id in clear', async () => {
    app = await startTestApp(provider.issuer, options())
    const browser = await signIn()
    const id =
      decodeURIComponent(browser.cookies.get('TEST_APP_SESSION') ?? '')
        .slice(2)
        .split('.')[0] ?? ''
    const files = readdirSync(folder)
      .map((file) => readFileSync(path.join(folder, file), 'latin1'))
      .join('')
    expect(id.length).toBeGreaterThan(20)
    if (name === 'sqlite') expect(files).not.toContain(id)
    for (const secret of provider.secrets) expect(files).not.toContain(secret)
    expect(/table sessions/i.test(files)).toBe(name === 'sqlite')
  })
})

describe('Redis away', () => {
  afterEach(() => redis.restart())

  it.each(['kill', 'pause'] as const)(
    'F20 %s: a 503 page within a second, and signed in again after its return',
    async (how) => {
      app = await startTestApp(provider.issuer, { dataFolder: folder, redisUrl: redis.url })
      const browser = await signIn()
      await redis[how]()
      const startedAt = Date.now()
      const pages = await Promise.all(
        ['/', '/authenticated', '/logout'].map((page) => browser.open(app.url + page)),
      )
      expect(pages.map((page) => page.status)).toEqual([503, 503, 503])
      expect(Date.now() - startedAt).toBeLessThan(1000)
      expect(pages[0]?.text).toContain('session store does not answer')
      expect(pages[0]?.headers['retry-after']).toBe('2')
      const json = await browser.open(`${app.url}/api/me`, {
        headers: { accept: 'application/json' },
      })
      expect([json.status, JSON.parse(json.text)]).toEqual([
        503,
        { error: 'The session store does not answer' },
      ])
      expect((await browser.open(`${app.url}/ping`)).status).toBe(200)
      if (how === 'pause') redis.resume()
      else await redis.restart()
      await eventually(() => isSignedIn(browser), 2000)
    },
  )

  it('F21 in the middle of a sign-in: a page, and the same callback finishes it after the return', async () => {
    app = await startTestApp(provider.issuer, { dataFolder: folder, redisUrl: redis.url })
    await signIn()
    const browser = createTestBrowser()
    const start = await browser.open(`${app.url}/authenticated?x=1`)
    const callback = (await browser.open(start.location ?? '')).location ?? ''
    await redis.kill()
    const page = await browser.open(callback)
    expect([page.status, browser.cookies.has('TEST_APP_SESSION')]).toEqual([503, false])
    await redis.restart()
    await eventually(
      async () => (await browser.go(callback)).url === `${app.url}/authenticated?x=1`,
      2000,
    )
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('the app starts, and says so, without Redis', async () => {
    await redis.kill()
    app = await startTestApp(provider.issuer, { dataFolder: folder, redisUrl: redis.url })
    expect((await createTestBrowser().open(`${app.url}/`)).status).toBe(200)
    expect((await createTestBrowser().go(`${app.url}/authenticated`)).status).toBe(503)
    expect(app.log.text.match(/session_store\.unavailable/g)).toHaveLength(1)
    await redis.restart()
    await signIn()
    expect(app.log.text).toContain('session_store.recovered')
  })
})

describe('the SQLite file', () => {
  it('F35 locked by another writer: a 503 page within a second, then it goes on', async () => {
    app = await startTestApp(provider.issuer, { dataFolder: folder })
    const browser = createTestBrowser()
    const start = await browser.open(`${app.url}/authenticated`)
    const callback = (await browser.open(start.location ?? '')).location ?? ''
    const other = new DatabaseSync(path.join(folder, 'test-app.sqlite'))
    other.exec('begin immediate')
    const startedAt = Date.now()
    const page = await browser.open(callback)
    expect(page.status).toBe(503)
    expect(Date.now() - startedAt).toBeLessThan(1300)
    other.exec('rollback')
    other.close()
    expect((await browser.go(callback)).status).toBe(200)
  })

  it('is readable by its owner only, as is the secret', async () => {
    app = await startTestApp(provider.issuer, { dataFolder: folder })
    await signIn()
    const modes = readdirSync(folder).map((file) => [
      file,
      statSync(path.join(folder, file)).mode & 0o777,
    ])
    expect(modes.length).toBeGreaterThanOrEqual(2)
    for (const [file, mode] of modes) expect([file, mode]).toEqual([file, 0o600])
  })

  it('F37 that is no database stops the start, with file and remedy in the message', async () => {
    app = await startTestApp(provider.issuer)
    writeFileSync(path.join(folder, 'test-app.sqlite'), 'this is no database '.repeat(100))
    await expect(startTestApp(provider.issuer, { dataFolder: folder })).rejects.toThrow(
      /test-app\.sqlite.*AUTH_ADAPTER_DATA/,
    )
  })

  it('drops a session that is over', async () => {
    app = await startTestApp(provider.issuer, { dataFolder: folder })
    const browser = await signIn()
    app.clock.offsetMs = 8 * 60 * 60 * 1000 + 1000
    expect(await isSignedIn(browser)).toBe(false)
  })
})

describe('the adapter away', () => {
  it('F45 the app is up, names the address it tried, and works once the adapter is there', async () => {
    const own = await startOpenidProvider()
    app = await startTestApp(own.issuer, { dataFolder: folder })
    await own.stop()
    const browser = createTestBrowser()
    const page = await browser.open(`${app.url}/authenticated`)
    expect(page.status).toBe(503)
    expect(page.text).toContain(`${own.issuer}/.well-known/openid-configuration`)
    expect((await browser.open(`${app.url}/`)).status).toBe(200)
    expect([...browser.cookies.keys()]).toEqual(['TEST_APP_BROWSER'])
    await own.restart()
    expect((await browser.go(`${app.url}/authenticated`)).status).toBe(200)
    await own.stop()
  })

  it.each([[undefined], [503]])(
    'F45 gone at the code exchange (%s): the same callback finishes after its return',
    async (tokenStatus) => {
      const own = await startOpenidProvider()
      app = await startTestApp(own.issuer, { dataFolder: folder })
      const browser = createTestBrowser()
      const start = await browser.open(`${app.url}/authenticated?y=1`)
      const callback = (await browser.open(start.location ?? '')).location ?? ''
      if (tokenStatus) own.faults.tokenStatus = tokenStatus
      else await own.stop()
      expect((await browser.open(callback)).status).toBe(503)
      own.faults.tokenStatus = undefined
      if (!tokenStatus) await own.restart()
      expect((await browser.go(callback)).url).toBe(`${app.url}/authenticated?y=1`)
      await own.stop()
    },
  )
})
