import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import type { Driver } from '../storage/driver.ts'
import { createSingleFlight } from './single-flight.ts'

/** One instance's view of a shared record. */
function instance(driver: Driver, work: () => Promise<string>) {
  const once = createSingleFlight<string>()
  return () =>
    once('key', {
      known: async () => (await driver.get('result'))?.value as string | undefined,
      work: async () => {
        const result = await work()
        await driver.set('result', result, 60)
        return result
      },
      lease: (owner, ttlSeconds) => driver.lease('lease', owner, ttlSeconds),
      release: (owner) => driver.release('lease', owner),
    })
}

describe(createSingleFlight, () => {
  it('A21 50 at two instances: one works, all get what came of it', async () => {
    const driver = createMemoryDriver()
    let works = 0
    const work = async () => {
      works += 1
      await sleep(60)
      return `result ${works}`
    }
    const [one, two] = [instance(driver, work), instance(driver, work)]
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? one() : two())),
    )
    expect(works).toBe(1)
    expect(new Set(all)).toEqual(new Set(['result 1']))
  })

  it('a failure reaches those who wait beside it, and the next try is free', async () => {
    const driver = createMemoryDriver()
    let works = 0
    const go = instance(driver, async () => {
      works += 1
      if (works === 1) throw new Error('down')
      return 'up'
    })
    const first = await Promise.allSettled([go(), go()])
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await go()).toBe('up')
    expect(works).toBe(2)
  })

  it('waits for another instance, and goes on by itself when that one lets go', async () => {
    const driver = createMemoryDriver()
    await driver.lease('lease', 'somebody', 60)
    const waiting = instance(driver, async () => 'mine')()
    await sleep(150)
    await driver.release('lease', 'somebody')
    expect(await waiting).toBe('mine')
  })
})
