import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startRedis } from '../../scripts/redis-server.ts'
import type { RedisServer } from '../../scripts/redis-server.ts'
import { createTestBrowser } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'

let provider: TestOpenidProvider
let redis: RedisServer
let folder: string
let app: RunningApp | undefined

beforeAll(async () => {
  redis = await startRedis()
  provider = await startOpenidProvider()
})
afterAll(async () => {
  await provider.stop()
  await redis.stop()
})
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'trail-redis-'))
})
afterEach(async () => {
  await app?.stop()
  app = undefined
  rmSync(folder, { recursive: true })
})

async function start(redisUrl: string | undefined) {
  app = await startTestApp(provider.issuer, { dataFolder: folder, redisUrl })
  const { url } = app
  // A new connection to Redis needs a moment.
  await expect
    .poll(async () => (await createTestBrowser().open(`${url}/api/me`)).status < 500)
    .toBe(true)
  return app
}

async function storyOf(browser: ReturnType<typeof createTestBrowser>, url: string) {
  const { status, text } = await browser.open(`${url}/audit.json`, { headers: {} })
  const { stories = [] } = JSON.parse(text) as { stories?: { events: { event: string }[] }[] }
  return { status, events: stories[0]?.events.map(({ event }) => event) }
}

describe.each(['sqlite', 'redis'])('the trail with sessions in %s', (store) => {
  const redisUrl = () => (store === 'redis' ? redis.url : undefined)

  it('is the same, and outlives a restart', async () => {
    const running = await start(redisUrl())
    const browser = createTestBrowser()
    await browser.go(`${running.url}/authenticated`)
    const before = await storyOf(browser, running.url)
    expect(before.events).toContain('login.finished')
    await running.restart()
    await expect.poll(() => storyOf(browser, running.url)).toEqual(before)
  })

  it('that breaks keeps nobody from signing in, and is said in the log once in a while', async () => {
    const running = await start(redisUrl())
    const broken = new DatabaseSync(path.join(folder, 'test-app.sqlite'))
    broken.exec('drop table if exists audit_events; create table audit_events (other text)')
    broken.close()
    const browser = createTestBrowser()
    expect((await browser.go(`${running.url}/authenticated`)).status).toBe(200)
    expect(running.log.text.match(/"audit\.store_failed"/g)).toHaveLength(1)
    expect(running.log.text.match(/"audit\.login\.finished"/g)).toHaveLength(1)
    expect((await browser.open(`${running.url}/audit`)).status).toBe(503)
  })
})
