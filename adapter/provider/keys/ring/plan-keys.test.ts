// The life of a key under whatever may happen to it: time, commands and settings in any order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  activeOf,
  addKey,
  hurryNext,
  planKeys,
  revokeKey,
  type KeySettings,
  type PlannedKey,
} from './plan-keys.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const SETTINGS: KeySettings = {
  alg: 'RS256',
  rotateEveryMs: 90 * DAY,
  publishBeforeMs: 10 * MINUTE,
  retireMs: 2 * DAY,
}

let made = 0

/** As key-ring.ts does it. */
function settle(keys: readonly PlannedKey[], now: number, settings: KeySettings): PlannedKey[] {
  const plan = planKeys(keys, now, settings)
  if (!plan.wants) return plan.keys
  const { alg } = plan.wants
  return addKey(plan.keys, { kid: `k${(made += 1)}`, alg }, now, settings).keys
}

const kids = (keys: readonly PlannedKey[], state: string) =>
  keys.filter((key) => key.state === state).map(({ kid }) => kid)

describe('planKeys', () => {
  it('the very first key signs at once', () => {
    const keys = settle([], 1000, SETTINGS)
    expect(keys).toMatchObject([{ state: 'active', since: 1000, alg: 'RS256' }])
    expect(planKeys(keys, 1000, SETTINGS)).toEqual({ keys, changes: [] })
  })

  it('F70 by the calendar: a day before its use the next key is published, then it signs, then the old one goes', () => {
    const first = settle([], 0, SETTINGS)
    const [{ kid: old }] = first as [PlannedKey]
    expect(settle(first, 89 * DAY - 1, SETTINGS)).toEqual(first)
    const published = settle(first, 89 * DAY, SETTINGS)
    const next = kids(published, 'next')
    expect([kids(published, 'active'), next.length]).toEqual([[old], 1])
    expect(settle(published, 90 * DAY - 1, SETTINGS)).toEqual(published)
    const rotated = settle(published, 90 * DAY, SETTINGS)
    expect([kids(rotated, 'active'), kids(rotated, 'retiring')]).toEqual([next, [old]])
    expect(settle(rotated, 92 * DAY - 1, SETTINGS)).toEqual(rotated)
    expect(settle(rotated, 92 * DAY, SETTINGS).map(({ kid }) => kid)).toEqual(next)
  })

  it('another algorithm goes the same way, without waiting for the calendar', () => {
    const first = settle([], 0, SETTINGS)
    const es256 = { ...SETTINGS, alg: 'ES256' as const }
    const published = settle(first, DAY, es256)
    expect(published.map(({ alg, state }) => [alg, state])).toEqual([
      ['RS256', 'active'],
      ['ES256', 'next'],
    ])
    expect(settle(published, DAY + 10 * MINUTE - 1, es256)).toEqual(published)
    expect(activeOf(settle(published, DAY + 10 * MINUTE, es256))?.alg).toBe('ES256')
    // Put back before its time: the key that never signed goes.
    expect(settle(published, DAY + MINUTE, SETTINGS)).toEqual(first)
  })

  it('a rotation that is asked for waits until the key has been published long enough; an urgent one does not', () => {
    const first = settle([], 0, SETTINGS)
    expect(hurryNext(first, DAY, SETTINGS, false)).toBeUndefined()
    const made = addKey(first, { kid: 'asked', alg: 'RS256' }, DAY, SETTINGS).keys
    const hurried = hurryNext(made, DAY + MINUTE, SETTINGS, false) as PlannedKey[]
    expect(activeOf(settle(hurried, DAY + 10 * MINUTE - 1, SETTINGS))?.kid).not.toBe('asked')
    expect(activeOf(settle(hurried, DAY + 10 * MINUTE, SETTINGS))?.kid).toBe('asked')
    const urgent = hurryNext(made, DAY + MINUTE, SETTINGS, true) as PlannedKey[]
    expect(activeOf(settle(urgent, DAY + MINUTE, SETTINGS))?.kid).toBe('asked')
  })

  it('where the active key is revoked the next one signs at once, and without one a new one', () => {
    const first = settle([], 0, SETTINGS)
    const kid = (first[0] as PlannedKey).kid
    const replaced = settle(revokeKey(first, kid).keys, 5, SETTINGS)
    expect(replaced).toMatchObject([{ state: 'active', since: 5 }])
    expect(kids(replaced, 'active')).not.toContain(kid)
    const waiting = addKey(first, { kid: 'waiting', alg: 'RS256' }, 5, SETTINGS).keys
    expect(settle(revokeKey(waiting, kid).keys, 6, SETTINGS)).toMatchObject([
      { kid: 'waiting', state: 'active', since: 6 },
    ])
    expect(revokeKey(first, 'unknown')).toEqual({ keys: first, changes: [] })
  })
})

type Step =
  | { do: 'wait'; ms: number }
  | { do: 'rotate'; isUrgent: boolean }
  | { do: 'revoke'; which: number }
  | { do: 'settings'; settings: KeySettings }

const settings = fc.record({
  alg: fc.constantFrom('RS256' as const, 'ES256' as const),
  rotateEveryMs: fc.integer({ min: 60 * MINUTE, max: 90 * DAY }),
  publishBeforeMs: fc.integer({ min: MINUTE, max: DAY }),
  // The margin stands for settings that change while tokens are out: none lives longer than this.
  retireMs: fc.integer({ min: DAY, max: 3 * DAY }),
})

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2 * DAY) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(MINUTE) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('rotate' as const), isUrgent: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('settings' as const), settings }) },
  ),
  { minLength: 1, maxLength: 60 },
)

const LONGEST_TOKEN_MS = DAY

interface World {
  keys: PlannedKey[]
  now: number
  settings: KeySettings
  /** kid → the end of the last token that it signed. */
  tokensUntil: Map<string, number>
  revoked: Set<string>
  /** Keys that may sign early: told so by a command. */
  excused: Set<string>
}

function apply(world: World, step: Step): void {
  switch (step.do) {
    case 'wait':
      world.now += step.ms
      return
    case 'settings':
      world.settings = step.settings
      return
    case 'revoke': {
      const key = world.keys[step.which % world.keys.length] as PlannedKey
      world.revoked.add(key.kid)
      world.keys = revokeKey(world.keys, key.kid).keys
      if (key.state === 'active') for (const kid of kids(world.keys, 'next')) world.excused.add(kid)
      return
    }
    case 'rotate': {
      const hurried = hurryNext(world.keys, world.now, world.settings, step.isUrgent)
      world.keys = hurried ?? world.keys
      if (step.isUrgent) for (const kid of kids(world.keys, 'next')) world.excused.add(kid)
    }
  }
}

function expectSound(world: World, before: readonly PlannedKey[]): void {
  const active = world.keys.filter(({ state }) => state === 'active')
  expect(active).toHaveLength(1)
  expect(kids(world.keys, 'next').length).toBeLessThanOrEqual(1)
  const [signer] = active as [PlannedKey]
  const wasActive = before.some(({ kid, state }) => kid === signer.kid && state === 'active')
  if (
    !wasActive &&
    before.some(({ state }) => state === 'active') &&
    !world.excused.has(signer.kid)
  )
    expect(world.now - signer.createdAt).toBeGreaterThanOrEqual(world.settings.publishBeforeMs)
  for (const [kid, until] of world.tokensUntil)
    if (until > world.now && !world.revoked.has(kid))
      expect(world.keys.map((key) => key.kid)).toContain(kid)
  expect(new Set(world.keys.map(({ kid }) => kid)).size).toBe(world.keys.length)
}

describe('whatever happens, in any order', () => {
  it('F70 one key signs, none before it was published long enough, and none goes while its tokens may be valid', () => {
    fc.assert(
      fc.property(settings, steps, (start, all) => {
        const world: World = {
          keys: [],
          now: 1,
          settings: start,
          tokensUntil: new Map(),
          revoked: new Set(),
          excused: new Set(),
        }
        world.keys = settle(world.keys, world.now, world.settings)
        for (const step of all) {
          apply(world, step)
          const before = world.keys
          world.keys = settle(before, world.now, world.settings)
          expectSound(world, before)
          const signer = activeOf(world.keys) as PlannedKey
          world.tokensUntil.set(signer.kid, world.now + LONGEST_TOKEN_MS)
        }
      }),
      { numRuns: 500 },
    )
  })
})
