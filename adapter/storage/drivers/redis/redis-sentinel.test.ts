import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedisSentinel } from '../../../../scripts/redis-groups.ts'
import { until } from '../../../../scripts/redis-process.ts'
import type { RedisSentinelGroup } from '../../../../scripts/redis-groups.ts'
import { StorageError } from '../../../errors.ts'
import { describeDriver } from '../../driver.conformance.ts'
import { describeRaces } from '../../race.conformance.ts'
import { describeRecords } from '../../record.conformance.ts'
import { timeLessLateness } from '../../testing/time-less-lateness.ts'
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
    const refusedAfter: number[] = []
    const works = async () => {
      let worked = false
      const took = await timeLessLateness(() =>
        driver.set('probe', 1, 10).then(
          () => (worked = true),
          (error: unknown) => expect(error).toBeInstanceOf(StorageError),
        ),
      )
      if (!worked) refusedAfter.push(took)
      return worked
    }
    await until('the new primary answers', works, 10_000)
    expect(refusedAfter.length).toBeGreaterThan(0)
    expect(Math.max(...refusedAfter)).toBeLessThan(600)
    for (const code of codes) expect(await driver.consume(code), code).toBe(false)
    await driver.close()
  }, 20_000)
})
