// The trail in the store: what is kept and for how long, through outages, and how a person is taken out of it.
import { expect, it } from 'vitest'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createBreaker } from '../test-support/breakable-driver.ts'
import { AUDIT_EVENTS } from './audit-events.ts'
import type { AuditEntry } from './audit.ts'
import { createTrail, forgetInTrail, readTrail } from './trail.ts'

const DAY_MS = 86_400_000

function open() {
  let at = Date.parse('2026-01-01T23:59:59Z')
  const breaker = createBreaker()
  const driver = breaker.wrap(createMemoryDriver({ now: () => at }))
  const lost: number[] = []
  const onLost = (count: number) => void lost.push(count)
  const trail = createTrail({ driver, keepSeconds: 3 * 86_400, onLost, flushMs: 60_000 })
  const write = (count: number, more: Partial<AuditEntry> = {}) => {
    for (let number = 0; number < count; number += 1) {
      const time = new Date((at += 1)).toISOString()
      const row = AUDIT_EVENTS['login.succeeded']
      trail.write({ id: `e-${at}`, time, event: 'login.succeeded', version: 1, ...more }, row)
    }
  }
  const all = () => readTrail(driver, { since: at - 10 * DAY_MS, until: at })
  const advance = (ms: number) => (at += ms)
  return { trail, driver, breaker, lost, write, all, advance, now: () => at }
}

it('keeps every event in order, also over midnight, until its time is over', async () => {
  const { trail, write, all, advance } = open()
  write(1200)
  await trail.flush()
  advance(DAY_MS)
  write(3)
  await trail.close()
  const kept = await all()
  expect(kept.length).toBe(1203)
  expect(kept.map(({ time }) => time)).toEqual(kept.map(({ time }) => time).toSorted())
  advance(2.5 * DAY_MS)
  expect((await all()).length).toBe(3)
})

it('is asked for a few hours of it, and reads no others', async () => {
  const { trail, driver, write, advance, now } = open()
  for (let hour = 0; hour < 12; hour += 1) {
    write(1)
    await trail.flush()
    advance(3_600_000)
  }
  const read: string[] = []
  const members = (index: string) => (read.push(index), driver.members(index))
  const range = { since: now() - 3.5 * 3_600_000, until: now() }
  const found = await readTrail({ ...driver, members }, range)
  expect(found.length).toBe(3)
  expect(read.length).toBeLessThan(8)
})

it('A30 of what anybody can cause ten are kept at once, and none of the others is pushed out', async () => {
  const { trail, write, all } = open()
  const entry = { id: 'e', time: '2026-01-01T23:59:59.000Z', version: 1 }
  const fail = () =>
    trail.write({ ...entry, event: 'client.auth_failed' }, AUDIT_EVENTS['client.auth_failed'])
  for (let count = 0; count < 10; count += 1) fail()
  expect(fail).toThrow('More than 10 client.auth_failed at once')
  write(100)
  await trail.flush()
  const events = (await all()).map(({ event }) => event)
  expect(events.filter((event) => event === 'client.auth_failed').length).toBe(10)
  expect(events.filter((event) => event === 'login.succeeded').length).toBe(100)
})

it('events that are not kept are not there', async () => {
  const { trail, all } = open()
  const entry = { id: 'e', time: '2026-01-01T23:59:59.000Z', version: 1 }
  trail.write({ ...entry, event: 'token.issued' }, AUDIT_EVENTS['token.issued'])
  await trail.flush()
  expect(await all()).toEqual([])
})

it('F74 what waits through an outage of the store is kept afterwards; more than fits is refused', async () => {
  const { trail, breaker, lost, write, all } = open()
  breaker.break()
  write(10_000)
  await trail.flush()
  expect(() => write(1)).toThrow('10000 events wait for the store')
  breaker.mend()
  await trail.flush()
  expect([(await all()).length, lost]).toEqual([10_000, []])
})

it('F74 what the store has not taken at the end is said to be lost', async () => {
  const { trail, breaker, lost, write } = open()
  breaker.break()
  write(3)
  await trail.close()
  expect(lost).toEqual([3])
})

it('a person is taken out: the events stay, and name nobody', async () => {
  const { trail, driver, write, all } = open()
  write(2, { person: 'hash-a', sessions: ['hash-s'] })
  write(1, { person: 'hash-b' })
  await trail.flush()
  const { keys } = await driver.keys()
  const key = keys.find((name) => name.startsWith('AuditBatch:')) ?? ''
  expect(await forgetInTrail(driver, key, 'hash-a')).toBe(2)
  expect(await forgetInTrail(driver, key, 'hash-a')).toBe(0)
  const kept = await all()
  expect(kept.map(({ person, sessions }) => [person, sessions])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    ['hash-b', undefined],
  ])
})
