// Keys that are made, kept and rotated by several processes over one store, and what the version before left behind.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createLog } from '../../../../service/log.ts'
import type { Driver } from '../../../storage/driver.ts'
import { createMemoryDriver } from '../../../storage/drivers/memory.ts'
import { createSealing } from '../../../storage/sealing/sealing.ts'
import { loadOrCreateSealed } from '../../../storage/sealing/sealed-records.ts'
import { generateSigningKeys, type SigningKeys } from '../signing-keys.ts'
import { keep } from './key-keeper.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'
import { KEY_RECORD } from './key-record.ts'
import type { KeySettings } from './plan-keys.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const SETTINGS: KeySettings = {
  alg: 'ES256',
  rotateEveryMs: 90 * DAY,
  publishBeforeMs: 10 * MINUTE,
  retireMs: 2 * DAY,
}
const START = Date.UTC(2026, 0, 1)
const sealing = createSealing([randomBytes(32)])

function world(settings: Partial<KeySettings> = {}) {
  const clock = { now: START }
  const now = () => clock.now
  const driver = createMemoryDriver({ now })
  const open = (changes: Partial<KeySettings> = {}) =>
    openKeyRing({ driver, sealing, settings: { ...SETTINGS, ...settings, ...changes }, now })
  return { clock, driver, open }
}

const lines: string[] = []
const log = createLog({
  level: 'info',
  pretty: false,
  destination: { write: (line) => lines.push(line) },
})
const look = (ring: KeyRing, driver: Driver, owner: string) => keep({ ring, driver, log }, owner)
const states = (ring: KeyRing) => ring.list().map(({ state }) => state)
const signer = (ring: KeyRing) => ring.snapshot().keys[0]?.kid

describe('several processes over one store', () => {
  it('start with one key that one of them made', async () => {
    const { open } = world()
    const rings = await Promise.all(Array.from({ length: 8 }, () => open()))
    expect(new Set(rings.map(signer)).size).toBe(1)
    for (const ring of rings) expect(ring.snapshot().keys).toHaveLength(1)
  })

  it('F70 rotate by the calendar: one makes the key, all publish it, then all sign with it, then the old one goes', async () => {
    const { clock, driver, open } = world()
    const rings = await Promise.all([open(), open(), open()])
    const looks = () => Promise.all(rings.map((ring, at) => look(ring, driver, `p${at}`)))
    const first = signer(rings[0])
    const until = async (day: number) => {
      clock.now = START + day * DAY
      await looks()
      await looks()
      return rings.map((ring) => [signer(ring) === first, states(ring).join()])
    }
    expect(await until(88)).toEqual(rings.map(() => [true, 'active']))
    expect(await until(89)).toEqual(rings.map(() => [true, 'active,next']))
    expect(await until(90)).toEqual(rings.map(() => [false, 'retiring,active']))
    expect(await until(92)).toEqual(rings.map(() => [false, 'active']))
    expect(new Set(rings.map(signer)).size).toBe(1)
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(told.flatMap(({ event, change }) => (event === 'key.rotated' ? [change] : []))).toEqual([
      'published',
      'retired',
      'activated',
      'removed',
    ])
  })

  it('a rotation that 20 processes ask for at once makes one key', async () => {
    const { open } = world()
    const rings = await Promise.all(Array.from({ length: 20 }, () => open()))
    await Promise.all(rings.map((ring) => ring.rotate(false)))
    await Promise.all(rings.map((ring) => ring.refresh()))
    for (const ring of rings) expect(states(ring)).toEqual(['active', 'next'])
    expect(new Set(rings.map((ring) => ring.list()[1]?.kid)).size).toBe(1)
  })

  it('while another process holds the lease nothing is made twice, and a dead holder delays it by its lease only', async () => {
    const { clock, driver, open } = world()
    const ring = await open()
    clock.now = START + 89 * DAY
    await driver.lease('Lease:signing-keys', 'died', 30)
    await look(ring, driver, 'living')
    expect(states(ring)).toEqual(['active'])
    clock.now += 31_000
    await look(ring, driver, 'living')
    expect(states(ring)).toEqual(['active', 'next'])
  })

  it('a revoked key is gone for all at their next look, and another signs', async () => {
    const { driver, open } = world()
    const [one, two] = await Promise.all([open(), open()])
    const kid = signer(one) as string
    expect(await one.revoke('no-such-key')).toBeUndefined()
    expect(await one.revoke(kid)).toMatchObject([
      { kid, change: 'removed' },
      { change: 'activated' },
    ])
    await look(two, driver, 'two')
    expect(signer(two)).toBe(signer(one))
    expect(two.snapshot().keys.map((key) => key.kid)).not.toContain(kid)
  })

  it('an urgent rotation signs with the new key at once', async () => {
    const { open } = world()
    const ring = await open()
    const first = signer(ring)
    await ring.rotate(true)
    expect(signer(ring)).not.toBe(first)
    expect(states(ring)).toEqual(['retiring', 'active'])
  })
})

it('F27 a store that lost everything gets the keys back from a process that runs', async () => {
  const { driver, open } = world()
  const [one, two] = await Promise.all([open(), open()])
  const kid = signer(one)
  await driver.delete(KEY_RECORD)
  await look(one, driver, 'one')
  await look(two, driver, 'two')
  expect([signer(await open()), signer(one), signer(two)]).toEqual([kid, kid, kid])
})

describe('what the version before left', () => {
  const leave = (driver: Driver, alg: 'ES256' | 'EdDSA') =>
    loadOrCreateSealed(driver, sealing, `signing-keys-${alg}`, () =>
      generateSigningKeys(alg),
    ) as Promise<SigningKeys>

  it('F52 its key signs on, those of other algorithms are published until no token of theirs can be valid', async () => {
    const { clock, driver, open } = world()
    const [old, other] = await Promise.all([leave(driver, 'ES256'), leave(driver, 'EdDSA')])
    const ring = await open()
    expect(ring.snapshot().keys).toEqual([old.keys[0], other.keys[0]])
    expect(states(ring)).toEqual(['active', 'retiring'])
    clock.now += 2 * DAY
    await ring.settle()
    expect(ring.snapshot().keys).toEqual(old.keys)
    // The version before still finds the key that signs.
    expect(await driver.get('Sealed:signing-keys-ES256')).toBeDefined()
    expect(await driver.get('Sealed:signing-keys-EdDSA')).toBeUndefined()
  })

  it('a key that is revoked is not left in the old record', async () => {
    const { driver, open } = world()
    const old = await leave(driver, 'ES256')
    const ring = await open()
    await ring.revoke(old.keys[0]?.kid as string)
    expect(await driver.get('Sealed:signing-keys-ES256')).toBeUndefined()
    const again = await open()
    expect(signer(again)).toBe(signer(ring))
  })
})

it('a record that was sealed with another key is an error, and is left as it is', async () => {
  const { driver, open } = world()
  await open()
  const before = await driver.get(KEY_RECORD)
  const other = createSealing([randomBytes(32)])
  const opening = openKeyRing({ driver, sealing: other, settings: SETTINGS, now: () => START })
  await expect(opening).rejects.toMatchObject({ code: 'unusable' })
  expect(await driver.get(KEY_RECORD)).toEqual(before)
})
