import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startRedis } from '../../scripts/redis-server.ts'
import type { RedisServer } from '../../scripts/redis-server.ts'
import { createLog } from '../../service/log.ts'
import { createSeal } from '../session/seal.ts'
import { openSessionStore } from '../session/stores/session-store.ts'
import type { SessionStore } from '../session/stores/session-store.ts'

const KEY = Buffer.alloc(32, 7)
const log = createLog({ level: 'error', pretty: false })

let redis: RedisServer
let folder: string
let clock: number
let opened: SessionStore[]

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'test-app-records-'))
  clock = Date.now()
  opened = []
})
afterEach(async () => {
  for (const store of opened) await store.close()
  rmSync(folder, { recursive: true })
})

const soon = () => clock + 60_000

describe.each(['sqlite', 'redis'])('sealed records on %s', (name) => {
  async function open(cookieName = `APP_${path.basename(folder)}`, key = KEY) {
    const store = openSessionStore({
      redisUrl: name === 'redis' ? redis.url : undefined,
      dataFolder: folder,
      cookieName,
      seal: createSeal(key),
      log,
      now: () => clock,
    })
    opened.push(store)
    // A new connection to Redis needs a moment.
    for (let tries = 0; ; tries += 1) {
      const isThere = await store.records.find('nothing').then(
        () => true,
        () => false,
      )
      if (isThere || tries > 100) return store.records
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  it('are found as they were saved, until they are over or removed', async () => {
    const records = await open()
    expect(await records.find('a')).toBeUndefined()
    await records.save('a', { n: 1 }, soon())
    expect((await records.find('a'))?.value).toEqual({ n: 1 })
    await records.save('a', { n: 2 }, soon())
    expect((await records.find('a'))?.value).toEqual({ n: 2 })
    await records.remove('a')
    expect(await records.find('a')).toBeUndefined()
    await records.save('b', { n: 3 }, clock + 1000)
    clock += 1000
    expect(await records.find('b')).toBeUndefined()
  })

  it('are replaced by who saw them as they are', async () => {
    const records = await open()
    await records.save('a', { n: 1 }, soon())
    const seen = await records.find('a')
    const version = await records.replace('a', seen?.version ?? '', { n: 2 }, soon())
    expect(version).toBeTypeOf('string')
    expect(await records.replace('a', seen?.version ?? '', { n: 3 }, soon())).toBeUndefined()
    expect(await records.replace('a', version ?? '', { n: 4 }, soon())).toBeTypeOf('string')
    expect((await records.find('a'))?.value).toEqual({ n: 4 })
    await records.remove('a')
    expect(await records.replace('a', version ?? '', { n: 5 }, soon())).toBeUndefined()
  })

  it('A21 of 50 that replace the same one in two processes, one is first', async () => {
    const [mine, other] = [await open(), await open()]
    for (let round = 0; round < 10; round += 1) {
      await mine.save('a', { round }, soon())
      const seen = await mine.find('a')
      const asked = Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? mine : other).replace('a', seen?.version ?? '', { index }, soon()),
      )
      const first = (await Promise.all(asked)).filter((version) => version !== undefined)
      expect(first).toHaveLength(1)
    }
  })

  it('are one app’s own, and of one secret; one can not stand in for another', async () => {
    const records = await open()
    await records.save('a', { n: 1 }, soon())
    const others = [await open('ANOTHER_APP'), await open(undefined, Buffer.alloc(32, 8))]
    for (const other of others) expect(await other.find('a')).toBeUndefined()
  })

  it('say nothing to who reads the store', async () => {
    const records = await open()
    await records.save('key-in-clear', { secret: 'value-in-clear' }, soon())
    const stored =
      name === 'sqlite'
        ? ['test-app.sqlite', 'test-app.sqlite-wal']
            .map((file) => readFileSync(path.join(folder, file), 'latin1'))
            .join('')
        : JSON.stringify(await redisContent())
    expect(stored).toContain(name === 'sqlite' ? 'records' : ':record:')
    expect(stored).not.toMatch(/key-in-clear|value-in-clear/)
  })

  async function redisContent(): Promise<unknown> {
    const { createClient } = await import('redis')
    const client = await createClient({ url: redis.url }).connect()
    const keys = await client.keys('*')
    const values = await Promise.all(keys.map((key) => client.get(key).catch(() => '')))
    client.destroy()
    return [keys, values]
  }
})
