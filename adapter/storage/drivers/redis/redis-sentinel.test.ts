import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedisSentinel } from '../../../../scripts/redis-groups.ts'
import { until } from '../../../../scripts/redis-process.ts'
import type { RedisSentinelGroup } from '../../../../scripts/redis-groups.ts'
import { StorageError } from '../../../errors.ts'
import { describeDriver } from '../../driver.conformance.ts'
import { describeRaces } from '../../race.conformance.ts'
import { describeRecords } from '../../record.conformance.ts'
import { createRedisDriver } from './redis.ts'

let group: RedisSentinelGroup
beforeAll(async () => {
  group = await startRedisSentinel()
}, 40_000)
afterAll(() => group.stop())

async function open(now = Date.now) {
  const driver = createRedisDriver({
    sentinel: { name: group.name, nodes: group.nodes },
    prefix: 'test:',
    now,
  })
  await driver.connected()
  return driver
}

describeDriver('redis behind sentinels', { open })
describeRecords('redis behind sentinels', { open })
describeRaces('redis behind sentinels', () => ({
  driver: 'redis',
  sentinel: { name: group.name, nodes: group.nodes },
  prefix: 'races:',
}))

describe('F23 failover', () => {
  it('calls during it reject within 600 ms; afterwards everything works, and what was consumed stays consumed', async () => {
    const driver = await open()
    const codes = Array.from({ length: 20 }, (_, n) => `code ${n}`)
    for (const code of codes) await driver.set(code, code, 100)
    for (const code of codes) expect(await driver.consume(code)).toBe(true)
    await delay(200)
    await group.primary.kill()
    const slowest: number[] = []
    let refusals = 0
    const works = async () => {
      const started = performance.now()
      try {
        await driver.set('probe', 1, 10)
        return true
      } catch (error) {
        expect(error).toBeInstanceOf(StorageError)
        refusals += 1
        slowest.push(performance.now() - started)
        return false
      }
    }
    await until('the new primary answers', works, 10_000)
    expect(refusals).toBeGreaterThan(0)
    expect(Math.max(...slowest)).toBeLessThan(600)
    for (const code of codes) expect(await driver.consume(code), code).toBe(false)
    await driver.close()
  }, 20_000)
})
