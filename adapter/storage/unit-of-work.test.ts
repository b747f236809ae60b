import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createRequestContext, runInContext } from '../../service/request-context.ts'
import { StorageError } from '../errors.ts'
import { countRoundTrips } from './count-round-trips.ts'
import type { Driver } from './driver.ts'
import { createMemoryDriver } from './drivers/memory.ts'
import { injectLatency } from './testing/inject-latency.ts'
import { createUnitOfWork } from './unit-of-work.ts'

const TTL = 100

/** The operations that reach the store, in order. */
function recording(driver: Driver): { driver: Driver; calls: string[] } {
  const calls: string[] = []
  const recorded = new Proxy(driver, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...values: unknown[]) => {
        calls.push(String(name))
        return Reflect.apply(member, target, values) as unknown
      }
    },
  })
  return {
    driver: {
      ...recorded,
      ...Object.fromEntries(
        Object.keys(driver).map((name) => [name, recorded[name as keyof Driver]]),
      ),
    } as Driver,
    calls,
  }
}

function setup() {
  const store = createMemoryDriver()
  const { driver, calls } = recording(store)
  return { store, calls, ...createUnitOfWork(driver) }
}

describe('unit of work', () => {
  it('sends the writes of one run out together, before it resolves', async () => {
    const { store, calls, driver, run } = setup()
    const result = await run(async () => {
      await driver.set('a', 1, TTL)
      await driver.set('b', 2, TTL)
      await driver.setAll([{ key: 'c', value: 3, ttlSeconds: TTL }])
      expect(calls).toEqual([])
      return 'done'
    })
    expect(result).toBe('done')
    expect(calls).toEqual(['setAll'])
    expect(
      await Promise.all(['a', 'b', 'c'].map(async (key) => (await store.get(key))?.value)),
    ).toEqual([1, 2, 3])
  })
  it('waits for the store once, however many kinds of writes there are', async () => {
    const store = countRoundTrips(injectLatency(createMemoryDriver(), 2))
    const { driver, run } = createUnitOfWork(store)
    const context = createRequestContext()
    await runInContext(context, () =>
      run(async () => {
        await driver.set('a', 1, TTL)
        await driver.add('index', 'a', TTL)
        await driver.delete('old')
        await driver.defer('cas', async () => void (await store.update('cas', 1, 'x')))
      }),
    )
    expect(context.storage).toEqual({ operations: 4, roundTrips: 1, inFlight: 0 })
  })
  it('F47 drops what waits when the work throws', async () => {
    const { store, calls, driver, run } = setup()
    await store.set('kept', 1, TTL)
    const work = run(async () => {
      await driver.set('a', 1, TTL)
      await driver.delete('kept')
      throw new Error('halfway')
    })
    await expect(work).rejects.toThrow('halfway')
    expect(calls).toEqual([])
    expect(await store.get('kept')).toBeDefined()
  })
  it('F21 rejects when the writes fail', async () => {
    const { store, driver, run } = setup()
    const work = run(async () => {
      await driver.set('a', 1, TTL)
      await store.close()
    })
    await expect(work).rejects.toBeInstanceOf(StorageError)
  })
  it('reads its own writes and deletes', async () => {
    const { store, driver, run } = setup()
    await store.set('gone', 1, TTL)
    await run(async () => {
      await driver.set('a', { list: [1] }, TTL)
      expect(await driver.get('a')).toMatchObject({ value: { list: [1] }, version: 1 })
      expect(await store.get('a')).toBeUndefined()
      await driver.delete('gone')
      expect(await driver.get('gone')).toBeUndefined()
      await driver.add('index', 'm', TTL)
      expect(await driver.members('index')).toEqual(['m'])
    })
  })
  it('of a set and a delete of one key the later one holds', async () => {
    const { store, driver, run } = setup()
    await store.set('b', 'old', TTL)
    await run(async () => {
      await driver.set('a', 1, TTL)
      await driver.delete('a')
      await driver.delete('b')
      await driver.set('b', 'new', TTL)
    })
    expect(await store.get('a')).toBeUndefined()
    expect((await store.get('b'))?.value).toBe('new')
  })
  it.each([
    ['consume', true],
    ['update', true],
    ['insert', false],
    ['take', expect.objectContaining({ value: 1 })],
  ] as const)('%s sees what waits for its key', async (operation, expected) => {
    const { driver, run } = setup()
    await run(async () => {
      await driver.set('k', 1, TTL)
      const calls = {
        consume: () => driver.consume('k'),
        update: () => driver.update('k', 1, 2),
        insert: () => driver.insert('k', 2, TTL),
        take: () => driver.take('k'),
      }
      expect(await calls[operation]()).toEqual(expected)
    })
  })
  it('deleteNow is done although the work throws', async () => {
    const { store, driver, run } = setup()
    await store.set('grant', 1, TTL)
    const work = run(async () => {
      await driver.set('grant', 2, TTL)
      await driver.deleteNow('grant')
      throw new Error('later')
    })
    await expect(work).rejects.toThrow('later')
    expect(await store.get('grant')).toBeUndefined()
  })
  it('a nested run joins the outer one', async () => {
    const { calls, driver, run } = setup()
    await run(async () => {
      await run(() => driver.set('a', 1, TTL))
      expect(calls).toEqual([])
      await driver.set('b', 1, TTL)
    })
    expect(calls).toEqual(['setAll'])
  })
  it('keeps runs at the same time apart', async () => {
    const { store, driver, run } = setup()
    const works = Array.from({ length: 10 }, (_, n) =>
      run(async () => {
        await driver.set('shared', n, TTL)
        await delay(Math.random() * 5)
        expect((await driver.get('shared'))?.value).toBe(n)
        await driver.set(`own ${n}`, n, TTL)
        if (n % 2) throw new Error('odd')
      }),
    )
    await Promise.allSettled(works)
    const stored = await Promise.all(works.map((_, n) => store.get(`own ${n}`)))
    expect(stored.map(Boolean)).toEqual(works.map((_, n) => n % 2 === 0))
  })
  it('passes straight through outside a run, and for what was left running after it', async () => {
    const { store, driver, run } = setup()
    await driver.set('outside', 1, TTL)
    expect(await store.get('outside')).toBeDefined()
    let late: Promise<void> | undefined
    await run(async () => {
      late = delay(5).then(() => driver.set('late', 1, TTL))
    })
    await late
    expect(await store.get('late')).toBeDefined()
  })
})

describe(countRoundTrips, () => {
  it('counts operations sent together as one round trip, and sequential ones apart', async () => {
    const driver = countRoundTrips(injectLatency(createMemoryDriver(), 2))
    const context = createRequestContext()
    await runInContext(context, async () => {
      await Promise.all([driver.get('a'), driver.get('b'), driver.set('c', 1, 1)])
      await driver.get('d')
      await driver.get('e')
    })
    expect(context.storage).toEqual({ operations: 5, roundTrips: 3, inFlight: 0 })
  })
  it('counts an operation that fails, and nothing outside a request', async () => {
    const store = createMemoryDriver()
    const driver = countRoundTrips(store)
    await driver.get('a')
    await store.close()
    const context = createRequestContext()
    await runInContext(context, () => expect(driver.get('a')).rejects.toBeInstanceOf(StorageError))
    expect(context.storage).toEqual({ operations: 1, roundTrips: 1, inFlight: 0 })
  })
})
