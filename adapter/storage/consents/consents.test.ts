import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startRedis } from '../../../scripts/redis-server.ts'
import type { Driver } from '../driver.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createRedisDriver } from '../drivers/redis/redis.ts'
import { createSqliteDriver } from '../drivers/sqlite.ts'
import { createConsents, forgetConsents, forgetConsentsOfClient } from './consents.ts'

const endings: (() => unknown)[] = []
afterAll(async () => {
  for (const end of endings.toReversed()) await end()
})

/** Two connections to one store; of memory there is but one. */
const STORES: Record<string, () => Promise<[Driver, Driver]>> = {
  memory: async () => {
    const driver = createMemoryDriver()
    return [driver, driver]
  },
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consents-'))
    endings.push(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'adapter.sqlite')
    return [createSqliteDriver({ file }), createSqliteDriver({ file })]
  },
  redis: async () => {
    const server = await startRedis()
    endings.push(() => server.stop())
    const both = [1, 2].map(() => createRedisDriver({ url: server.url, prefix: 'test:' }))
    await Promise.all(both.map((driver) => driver.connected()))
    return both as unknown as [Driver, Driver]
  },
}

describe.each(Object.keys(STORES))('consents in %s', (store) => {
  const drivers = STORES[store]?.() ?? Promise.reject(new Error('no such store'))
  afterAll(async () => {
    for (const driver of await drivers) await driver.close()
  })
  const [anna, ben] = [
    { clientId: 'app', accountId: 'anna' },
    { clientId: 'app', accountId: 'ben' },
  ]

  it('are of one app and one person, and add up', async () => {
    const [driver] = await drivers
    const consents = createConsents(driver)
    expect(await consents.find(anna)).toEqual([])
    await consents.give(anna, ['scope:openid'])
    await consents.give(anna, ['scope:openid', 'scope:email'])
    expect(await consents.find(anna)).toEqual(['scope:openid', 'scope:email'])
    expect(await consents.find(ben)).toEqual([])
    expect(await consents.find({ clientId: 'other', accountId: 'anna' })).toEqual([])
  })

  it('two tabs at two adapters at a time lose nothing', async () => {
    const both = (await drivers).map(createConsents)
    await Promise.all(both.map((consents, at) => consents.give(ben, [`scope:${at}`])))
    expect((await both[0]?.find(ben))?.toSorted()).toEqual(['scope:0', 'scope:1'])
  })

  it('are erased with a person, and with an app, and nothing of others is', async () => {
    const [driver, other] = await drivers
    const consents = createConsents(driver)
    await consents.give(anna, ['scope:openid'])
    await consents.give({ clientId: 'second', accountId: 'anna' }, ['scope:openid'])
    await consents.give(ben, ['scope:openid'])
    expect(await forgetConsents(other, 'anna')).toBe(2)
    expect(await consents.find(anna)).toEqual([])
    expect(await consents.find(ben)).toContain('scope:openid')
    expect(await forgetConsentsOfClient(other, 'app')).toBe(1)
    expect(await consents.find(ben)).toEqual([])
    expect(await forgetConsents(driver, 'anna')).toBe(0)
  })
})
