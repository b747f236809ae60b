import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startRedisCluster } from '../../../../scripts/redis-groups.ts'
import { until } from '../../../../scripts/redis-process.ts'
import type { RedisCluster } from '../../../../scripts/redis-groups.ts'
import { StorageError } from '../../../errors.ts'
import { describeDriver } from '../../driver.conformance.ts'
import { describeRaces } from '../../race.conformance.ts'
import { describeRecords } from '../../record.conformance.ts'
import { createRedisDriver } from './redis.ts'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await startRedisCluster(3)
}, 30_000)
afterAll(() => cluster.stop())

async function open(now = Date.now) {
  const driver = createRedisDriver({ cluster: cluster.urls, prefix: 'test:', now })
  await driver.connected()
  return driver
}

describeDriver('redis cluster', { open })
describeRecords('redis cluster', { open })
describeRaces('redis cluster', () => ({ driver: 'redis', cluster: cluster.urls, prefix: 'races:' }))

it('F23 a node dies: its keys reject within 600 ms, the others work, and all work soon after its return', async () => {
  const driver = await open()
  const keys = Array.from({ length: 30 }, (_, n) => `k${n}`)
  const setAll = () => Promise.allSettled(keys.map((key) => driver.set(key, key, 100)))
  expect((await setAll()).every(({ status }) => status === 'fulfilled')).toBe(true)
  const [node] = cluster.nodes
  await node?.kill()
  await delay(1200)
  const started = performance.now()
  const results = await setAll()
  expect(performance.now() - started).toBeLessThan(600)
  const failures = results.filter((result) => result.status === 'rejected')
  expect(failures.length).toBeGreaterThan(0)
  expect(failures.length).toBeLessThan(keys.length)
  expect(
    failures.every(({ reason }) => reason instanceof StorageError && reason.code === 'unavailable'),
  ).toBe(true)
  await node?.restart()
  await until(
    'the Cluster works again',
    async () => (await setAll()).every(({ status }) => status === 'fulfilled'),
    10_000,
  )
  await driver.close()
}, 20_000)
