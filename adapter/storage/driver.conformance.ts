// The driver contract as tests, for every driver. `open` gives a driver on one shared store; the tests use keys of
// their own. `now` is the drivers' clock.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StorageError } from '../errors.ts'
import type { Driver } from './driver.ts'
import { injectLatency } from './testing/inject-latency.ts'

export interface DriverHarness {
  /** Called twice: two drivers that share a store, as two processes would. The second may be the first. */
  open(now: () => number): Promise<Driver>
}

const TTL = 100
const count = (results: readonly boolean[]) => results.filter(Boolean).length
const times = <T>(howOften: number, call: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: howOften }, (_, index) => call(index)))

export function describeDriver(name: string, harness: DriverHarness): void {
  describe(`driver contract: ${name}`, () => {
    let skewMs = 0
    const now = () => Date.now() + skewMs
    let driver: Driver
    let other: Driver
    let number = 0
    const fresh = () => `${name}-key-${number++}`

    async function later<T>(seconds: number, call: () => Promise<T>): Promise<T> {
      skewMs += seconds * 1000
      try {
        return await call()
      } finally {
        skewMs -= seconds * 1000
      }
    }

    beforeAll(async () => {
      driver = injectLatency(await harness.open(now), 1)
      other = injectLatency(await harness.open(now), 1)
    })
    afterAll(async () => {
      await driver.close()
      await other.close()
    })

    it('names the key of every record that lives, page by page, and of no index or lease', async () => {
      const mine = `${fresh()} [*?]\\`
      const names = Array.from({ length: 1300 }, (_, index) => `${mine} ${index}`)
      await driver.setAll(names.map((key) => ({ key, value: key, ttlSeconds: TTL })))
      await driver.add(`${mine} index`, 'member', TTL)
      await driver.lease(`${mine} lease`, 'owner', TTL)
      const found = async () => {
        const keys: string[] = []
        let cursor: string | undefined
        do {
          const page = await other.keys(cursor)
          keys.push(...page.keys)
          cursor = page.next
        } while (cursor !== undefined)
        return [...new Set(keys.filter((key) => key.startsWith(mine)))].toSorted()
      }
      expect(await found()).toEqual(names.toSorted())
    })

    it('gives back what was set, with version 1 and its expiry', async () => {
      const key = fresh()
      const value = { text: 'Grüße ✓ "quoted" | \n', list: [1, null, true], nested: { deep: {} } }
      await driver.set(key, value, TTL)
      const record = await other.get(key)
      expect(record).toEqual({
        value,
        version: 1,
        expiresAt: expect.closeTo(Date.now() + TTL * 1000, -4),
      })
    })
    it.each([
      ['null', null],
      ['zero', 0],
      ['the empty string', ''],
      ['an empty list', []],
      ['false', false],
    ])('keeps %s as a value', async (_name, value) => {
      const key = fresh()
      await driver.set(key, value, TTL)
      expect((await driver.get(key))?.value).toEqual(value)
    })
    it('hands out values that can be changed without changing the record', async () => {
      const key = fresh()
      const value = { list: [1] }
      await driver.set(key, value, TTL)
      value.list.push(2)
      ;((await driver.get(key)) as { value: typeof value }).value.list.push(3)
      expect((await driver.get(key))?.value).toEqual({ list: [1] })
    })
    it('knows nothing of keys never written', async () => {
      const key = fresh()
      expect(await driver.get(key)).toBeUndefined()
      expect(await driver.take(key)).toBeUndefined()
      expect(await driver.consume(key)).toBe(false)
      expect(await driver.update(key, 1, 'x', TTL)).toBe(false)
      expect(await driver.members(key)).toEqual([])
      await driver.delete(key)
      await driver.drop(key)
      await driver.drop(key, 'm')
      await driver.release(key, 'o')
    })
    it('set starts a record anew: version 1, not consumed', async () => {
      const key = fresh()
      await driver.set(key, 'a', TTL)
      await driver.update(key, 1, 'b')
      await driver.consume(key)
      await driver.set(key, 'c', TTL)
      const record = await driver.get(key)
      expect(record).toMatchObject({ value: 'c', version: 1 })
      expect(record).not.toHaveProperty('consumedAt')
    })
    it('setAll writes each entry, and does nothing with none', async () => {
      const keys = [fresh(), fresh(), fresh()]
      await driver.setAll([])
      await driver.setAll(keys.map((key, value) => ({ key, value, ttlSeconds: TTL })))
      const records = await Promise.all(keys.map((key) => other.get(key)))
      expect(records.map((record) => record?.value)).toEqual([0, 1, 2])
    })
    it('delete removes', async () => {
      const key = fresh()
      await driver.set(key, 1, TTL)
      await other.delete(key)
      expect(await driver.get(key)).toBeUndefined()
    })
    it('never returns a record past its expiry, whether or not the store has removed it', async () => {
      const [key, consumed, updated] = [fresh(), fresh(), fresh()]
      for (const each of [key, consumed, updated]) await driver.set(each, 1, 5)
      await later(5, async () => {
        expect(await driver.get(key)).toBeUndefined()
        expect(await driver.consume(consumed)).toBe(false)
        expect(await driver.update(updated, 1, 2, TTL)).toBe(false)
        expect(await driver.take(key)).toBeUndefined()
      })
    })
    it('takes TTLs of fractions of a second', async () => {
      const key = fresh()
      await driver.set(key, 1, 0.4)
      expect(await driver.get(key)).toBeDefined()
      expect(await later(0.4, () => driver.get(key))).toBeUndefined()
    })
    it('insert writes only where no live record is', async () => {
      const key = fresh()
      expect(await driver.insert(key, 'first', 5)).toBe(true)
      expect(await other.insert(key, 'second', TTL)).toBe(false)
      expect((await other.get(key))?.value).toBe('first')
      expect(await later(5, () => other.insert(key, 'third', TTL))).toBe(true)
      expect(await driver.get(key)).toMatchObject({ value: 'third', version: 1 })
    })
    it('insert over an expired consumed record is not consumed', async () => {
      const key = fresh()
      await driver.insert(key, 1, 5)
      await driver.consume(key)
      await later(6, async () => {
        await driver.insert(key, 2, TTL)
        expect(await driver.consume(key)).toBe(true)
      })
    })
    it('consume marks once, and keeps value, version and expiry', async () => {
      const key = fresh()
      await driver.set(key, { code: 1 }, TTL)
      await driver.update(key, 1, { code: 2 })
      const before = await driver.get(key)
      expect(await driver.consume(key)).toBe(true)
      expect(await other.consume(key)).toBe(false)
      expect(await other.get(key)).toEqual({
        ...before,
        consumedAt: expect.closeTo(Date.now(), -4),
      })
    })
    it('update needs the version, raises it, and keeps the consumed mark and the expiry', async () => {
      const key = fresh()
      await driver.set(key, 'a', TTL)
      await driver.consume(key)
      const before = await driver.get(key)
      expect(await driver.update(key, 2, 'x')).toBe(false)
      expect(await driver.update(key, 1, 'b')).toBe(true)
      expect(await other.update(key, 1, 'x')).toBe(false)
      expect(await other.get(key)).toEqual({ ...before, value: 'b', version: 2 })
    })
    it('update with a TTL gives a new expiry', async () => {
      const [key, shorter] = [fresh(), fresh()]
      await driver.set(key, 'a', 5)
      await driver.set(shorter, 'a', TTL)
      expect(await driver.update(key, 1, 'b', TTL)).toBe(true)
      expect(await driver.update(shorter, 1, 'b', 5)).toBe(true)
      expect((await later(50, () => driver.get(key)))?.value).toBe('b')
      expect(await later(5, () => driver.get(shorter))).toBeUndefined()
    })
    it('take gives a consumed record with its mark', async () => {
      const key = fresh()
      await driver.set(key, 'a', TTL)
      await driver.consume(key)
      expect((await driver.take(key))?.consumedAt).toEqual(expect.any(Number))
      expect(await driver.get(key)).toBeUndefined()
    })

    it('insert: one of 50 callers wins', async () => {
      const key = fresh()
      expect(count(await times(50, (n) => (n % 2 ? driver : other).insert(key, n, TTL)))).toBe(1)
    })
    it('take: one of 50 callers gets the record', async () => {
      const key = fresh()
      await driver.set(key, 'v', TTL)
      const taken = await times(50, (n) => (n % 2 ? driver : other).take(key))
      expect(taken.filter(Boolean)).toHaveLength(1)
    })
    it('consume: one of 50 callers wins', async () => {
      const key = fresh()
      await driver.set(key, 'v', TTL)
      expect(count(await times(50, (n) => (n % 2 ? driver : other).consume(key)))).toBe(1)
    })
    it('update: 20 writers that try until they succeed lose nothing', async () => {
      const key = fresh()
      await driver.set(key, 0, TTL)
      async function increment(through: Driver): Promise<void> {
        for (;;) {
          const record = await through.get(key)
          if (record && (await through.update(key, record.version, (record.value as number) + 1)))
            return
        }
      }
      await times(20, (n) => increment(n % 2 ? driver : other))
      expect(await driver.get(key)).toMatchObject({ value: 20, version: 21 })
    })

    it('an index holds what was added, once each, until it is dropped', async () => {
      const index = fresh()
      await times(20, (n) => (n % 2 ? driver : other).add(index, `m${n % 10}`, TTL))
      expect((await driver.members(index)).sort()).toEqual(
        Array.from({ length: 10 }, (_, n) => `m${n}`),
      )
      await other.drop(index, 'm3')
      expect(await driver.members(index)).toHaveLength(9)
      await driver.drop(index)
      expect(await other.members(index)).toEqual([])
    })
    it('an index member lives as long as its longest add', async () => {
      const index = fresh()
      await driver.add(index, 'short', 5)
      await driver.add(index, 'long', TTL)
      await driver.add(index, 'long', 5)
      expect((await later(4, () => driver.members(index))).sort()).toEqual(['long', 'short'])
      expect(await later(50, () => driver.members(index))).toContain('long')
      expect(await later(TTL + 1, () => driver.members(index))).toEqual([])
    })
    it('records, indexes and leases of one name do not meet', async () => {
      const key = fresh()
      await driver.set(key, 'record', TTL)
      await driver.add(key, 'member', TTL)
      expect(await driver.lease(key, 'owner', TTL)).toBe(true)
      await driver.drop(key)
      expect((await driver.get(key))?.value).toBe('record')
      expect(await other.lease(key, 'another', TTL)).toBe(false)
    })

    it('lease: one of 50 owners holds it', async () => {
      const key = fresh()
      expect(
        count(await times(50, (n) => (n % 2 ? driver : other).lease(key, `owner ${n}`, TTL))),
      ).toBe(1)
    })
    it('a lease is renewed by its owner, and free when released or expired', async () => {
      const key = fresh()
      expect(await driver.lease(key, 'a', 5)).toBe(true)
      expect(await other.lease(key, 'b', 5)).toBe(false)
      expect(await driver.lease(key, 'a', TTL)).toBe(true)
      expect(await later(50, () => other.lease(key, 'b', 5))).toBe(false)
      await other.release(key, 'b')
      expect(await other.lease(key, 'b', 5)).toBe(false)
      await driver.release(key, 'a')
      expect(await other.lease(key, 'b', 5)).toBe(true)
      expect(await later(5, () => driver.lease(key, 'a', 5))).toBe(true)
    })

    it('answers a ping, and refuses everything once closed', async () => {
      await driver.ping()
      const closed = await harness.open(now)
      await closed.close()
      await closed.close()
      for (const call of [
        () => closed.ping(),
        () => closed.get('k'),
        () => closed.set('k', 1, 1),
        () => closed.take('k'),
      ])
        await expect(call()).rejects.toSatisfy(
          (error) => error instanceof StorageError && error.code === 'unavailable',
        )
    })
  })
}
