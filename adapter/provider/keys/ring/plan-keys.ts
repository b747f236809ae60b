// The life of a signing key, as pure functions: next → active → retiring → gone. Knows states and times; makes no key, reads
// no clock and stores nothing (key-ring.ts does).
import type { SigningAlg } from '../signing-keys.ts'

/** `next` is published and does not sign yet, `active` signs, `retiring` is published for the tokens that it signed. */
export type KeyState = 'next' | 'active' | 'retiring'

/** All times are epoch milliseconds. */
export interface PlannedKey {
  kid: string
  alg: SigningAlg
  state: KeyState
  /** When it was made, and published from then on. */
  createdAt: number
  /** When it came into its state. */
  since: number
  /** `next` only: when it is to sign. */
  useAt?: number
  /** `retiring` only: when no token that it signed can be valid any more. */
  goneAt?: number
}

export interface KeySettings {
  alg: SigningAlg
  rotateEveryMs: number
  publishBeforeMs: number
  /** The longest that anything we signed is of use, with a margin. */
  retireMs: number
}

export type KeyChangeKind = 'published' | 'activated' | 'retired' | 'removed'

export interface KeyChange {
  kid: string
  alg: SigningAlg
  change: KeyChangeKind
}

export interface KeyPlan<Key extends PlannedKey> {
  keys: Key[]
  changes: KeyChange[]
  /** A key to be made and added (`addKey`) before anything else. */
  wants?: { alg: SigningAlg; state: 'next' | 'active' }
}

const DAY_MS = 86_400_000

/** What is due at `now`. There is nothing to do when it has no changes and no wants. */
export function planKeys<Key extends PlannedKey>(
  keys: readonly Key[],
  now: number,
  settings: KeySettings,
): KeyPlan<Key> {
  const changes: KeyChange[] = []
  const note = (key: Key, change: KeyChangeKind) => changes.push({ ...named(key), change })
  const kept = keys.filter((key) => {
    const isOver = isGone(key, now) || isOtherNext(key, settings.alg)
    if (isOver) note(key, 'removed')
    return !isOver
  })
  const next = kept.find(({ state }) => state === 'next')
  if (!next || !mayStart(next, kept, now, settings)) return withWants(kept, changes, now, settings)
  const moved = kept.map((key) => {
    if (key === next) {
      note(key, 'activated')
      return changed(key, { state: 'active', since: now })
    }
    if (key.state !== 'active') return key
    note(key, 'retired')
    return changed(key, { state: 'retiring', since: now, goneAt: now + settings.retireMs })
  })
  return withWants(moved, changes, now, settings)
}

/** With a key that `planKeys` wanted. It is active at once only where no key is. */
export function addKey<Key extends PlannedKey>(
  keys: readonly Key[],
  made: Omit<Key, keyof PlannedKey> & Pick<PlannedKey, 'kid' | 'alg'>,
  now: number,
  settings: KeySettings,
): { keys: Key[]; changes: KeyChange[] } {
  const active = activeOf(keys)
  const placed = active
    ? { state: 'next', useAt: firstUse(active, now, settings) }
    : { state: 'active' }
  const key = { ...made, ...placed, createdAt: now, since: now } as unknown as Key
  return {
    keys: [...keys, key],
    changes: [{ ...named(key), change: active ? 'published' : 'activated' }],
  }
}

/**
 * The next key signs as soon as it has been published long enough; with `isUrgent` at once. Undefined while there is no next
 * key: make one first (`addKey`).
 */
export function hurryNext<Key extends PlannedKey>(
  keys: readonly Key[],
  now: number,
  { publishBeforeMs }: KeySettings,
  isUrgent: boolean,
): Key[] | undefined {
  if (!keys.some(({ state }) => state === 'next')) return undefined
  return keys.map((key) => {
    if (key.state !== 'next') return key
    // What has no publication behind it any more is urgent: see mayStart.
    return { ...key, useAt: isUrgent ? 0 : Math.max(now, key.createdAt + publishBeforeMs) }
  })
}

/** Without the key. Where it was the active one the next key signs from now on; without one `planKeys` wants one. */
export function revokeKey<Key extends PlannedKey>(
  keys: readonly Key[],
  kid: string,
): { keys: Key[]; changes: KeyChange[] } {
  const revoked = keys.find((key) => key.kid === kid)
  return {
    keys: keys.filter((key) => key !== revoked),
    changes: revoked ? [{ ...named(revoked), change: 'removed' }] : [],
  }
}

export function activeOf<Key extends PlannedKey>(keys: readonly Key[]): Key | undefined {
  return keys.find(({ state }) => state === 'active')
}

/** When the active key is to be followed by another. */
export const rotationAt = ({ since }: PlannedKey, { rotateEveryMs }: KeySettings): number =>
  since + rotateEveryMs

function withWants<Key extends PlannedKey>(
  keys: Key[],
  changes: KeyChange[],
  now: number,
  settings: KeySettings,
): KeyPlan<Key> {
  const active = activeOf(keys)
  const hasNext = keys.some(({ state }) => state === 'next')
  if (!active) return { keys, changes, wants: { alg: settings.alg, state: 'active' } }
  const isDue =
    active.alg !== settings.alg || now >= rotationAt(active, settings) - headStart(settings)
  return !hasNext && isDue
    ? { keys, changes, wants: { alg: settings.alg, state: 'next' } }
    : { keys, changes }
}

/** A rotation that was long foreseen can be published long before: a day costs nothing. */
function headStart({ publishBeforeMs, rotateEveryMs }: KeySettings): number {
  return Math.max(publishBeforeMs, Math.min(DAY_MS, rotateEveryMs / 2))
}

function firstUse(active: PlannedKey, now: number, settings: KeySettings): number {
  const published = now + settings.publishBeforeMs
  const isOtherAlg = active.alg !== settings.alg
  return isOtherAlg ? published : Math.max(published, rotationAt(active, settings))
}

function mayStart(
  next: PlannedKey,
  keys: readonly PlannedKey[],
  now: number,
  { publishBeforeMs }: KeySettings,
): boolean {
  if (!activeOf(keys) || next.useAt === 0) return true
  return now >= Math.max(next.useAt ?? 0, next.createdAt + publishBeforeMs)
}

const isGone = ({ state, goneAt = Infinity }: PlannedKey, now: number): boolean =>
  state === 'retiring' && now >= goneAt

/** It was never used, and is of no use any more. */
const isOtherNext = ({ state, alg }: PlannedKey, wanted: SigningAlg): boolean =>
  state === 'next' && alg !== wanted

function changed<Key extends PlannedKey>(key: Key, changes: Partial<PlannedKey>): Key {
  const { useAt: _useAt, goneAt: _goneAt, ...rest } = key
  return { ...rest, ...changes } as Key
}

const named = ({ kid, alg }: PlannedKey) => ({ kid, alg })
