import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRequestContext, runInContext } from '../../../service/request-context.ts'
import { countRoundTrips } from '../count-round-trips.ts'
import type { Driver } from '../driver.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createSqliteDriver } from '../drivers/sqlite.ts'
import { createSubjectAliases } from './subject-aliases.ts'
import { injectLatency } from '../testing/inject-latency.ts'
import { createUnitOfWork } from '../unit-of-work.ts'

const folder = mkdtempSync(join(tmpdir(), 'subject-aliases-'))
afterAll(() => rmSync(folder, { recursive: true }))
const TTL = 100
const ada = { group: 'staff', value: 'string:42' }
const bob = { group: 'staff', value: 'string:43' }
const over = (driver: Driver) => createSubjectAliases(createUnitOfWork(driver).driver)

describe.each([
  ['memory', () => createMemoryDriver({})],
  ['sqlite', () => createSqliteDriver({ file: join(folder, `${Math.random()}.sqlite`) })],
] as const)('subject aliases in %s', (_name, open) => {
  it('a person keeps the sub of the first sign-in', async () => {
    const aliases = over(open())
    expect(await aliases.find(ada)).toBeUndefined()
    expect(await aliases.claim(ada, 'old:1', TTL)).toBe('old:1')
    expect(await aliases.claim(ada, 'new:9', TTL)).toBe('old:1')
    expect(await aliases.find(ada)).toBe('old:1')
  })

  it('A16 another value, or the same one in another group, is another person', async () => {
    const aliases = over(open())
    await aliases.claim(ada, 'old:1', TTL)
    expect(await aliases.claim(bob, 'old:2', TTL)).toBe('old:2')
    expect(await aliases.claim({ ...ada, group: 'guests' }, 'old:3', TTL)).toBe('old:3')
    const shifted = { group: 'staffs', value: 'tring:42' }
    expect(await aliases.find(shifted)).toBeUndefined()
  })

  it('A16 nobody gets a sub that is kept for another, in whatever group', async () => {
    const aliases = over(open())
    await aliases.claim(ada, 'corp:1', TTL)
    expect(await aliases.claim(bob, 'corp:1', TTL)).toBeUndefined()
    expect(await aliases.claim({ group: 'guests', value: 'x' }, 'corp:1', TTL)).toBeUndefined()
    expect(await aliases.find(bob)).toBeUndefined()
    expect(await aliases.claim(bob, 'corp:2', TTL)).toBe('corp:2')
  })

  it('of many sign-ins at the same time all get one and the same', async () => {
    const driver = open()
    const claims = Array.from({ length: 20 }, (_, index) =>
      over(driver).claim(ada, `up-${index}:1`, TTL),
    )
    const subs = new Set(await Promise.all(claims))
    expect(subs.size).toBe(1)
    expect(await over(driver).claim(ada, 'later', TTL)).toBe([...subs][0])
  })

  it('of many people who want one sub at the same time one gets it', async () => {
    const driver = open()
    const claims = Array.from({ length: 20 }, (_, index) =>
      over(driver).claim({ group: 'staff', value: `number:${index}` }, 'corp:1', TTL),
    )
    expect((await Promise.all(claims)).filter((sub) => sub !== undefined)).toEqual(['corp:1'])
  })
})

it('the store holds no value of the claim in clear', async () => {
  const driver = createMemoryDriver({})
  const keys: string[] = []
  const watched = {
    ...driver,
    insert: (key: string, ...rest: [unknown, number]) => {
      keys.push(key)
      return driver.insert(key, ...rest)
    },
  }
  await over(watched).claim({ group: 'staff', value: 'string:canary' }, 'corp:1', TTL)
  expect(keys).toHaveLength(2)
  expect(keys.join(' ')).not.toMatch(/canary|corp:1/)
})

it('each sign-in prolongs it; without one it ends', async () => {
  let now = 0
  const driver = createMemoryDriver({ now: () => now })
  const aliases = over(driver)
  await aliases.claim(ada, 'old:1', TTL)
  now += 90_000
  await aliases.claim(ada, 'new:1', TTL)
  now += 90_000
  expect(await aliases.find(ada)).toBe('old:1')
  now += 11_000
  expect(await aliases.claim(ada, 'new:1', TTL)).toBe('new:1')
})

it('costs one round trip, and a second one at the first sign-in', async () => {
  const driver = countRoundTrips(injectLatency(createMemoryDriver({}), 1))
  const unit = createUnitOfWork(driver)
  const aliases = createSubjectAliases(unit.driver)
  const trips = async () => {
    const context = createRequestContext()
    await runInContext(context, () =>
      unit.run(async () => {
        await aliases.claim(ada, 'old:1', TTL)
        expect(context.storage.roundTrips).toBeLessThanOrEqual(2)
        await unit.driver.set('Interaction:x', {}, TTL)
      }),
    )
    return context.storage.roundTrips
  }
  // What is put off goes out with the other writes: that trip is there in any case.
  expect([await trips(), await trips(), await trips()]).toEqual([3, 2, 2])
})
