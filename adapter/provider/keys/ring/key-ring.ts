// The signing keys that we make ourselves: one sealed record that all processes share, changed by compare-and-set. Carries out
// what plan-keys.ts plans. When it is asked to is decided elsewhere (key-keeper.ts, commands).
import { generateSigningKeys, type SigningAlg } from '../signing-keys.ts'
import type { Driver } from '../../../storage/driver.ts'
import type { Sealing } from '../../../storage/sealing/sealing.ts'
import {
  createKeyRecord,
  type KeyRecord,
  type StoredKey,
  type VersionedKeys,
} from './key-record.ts'
import type { KeySnapshot } from '../live-keys.ts'
import {
  activeOf,
  addKey,
  hurryNext,
  planKeys,
  revokeKey,
  type KeyChange,
  type KeySettings,
  type PlannedKey,
} from './plan-keys.ts'

export interface KeyRing {
  /** The same object until something changes. */
  snapshot(): KeySnapshot
  readonly settings: KeySettings
  /** Without their private parts, in the order of their lives. */
  list(): PlannedKey[]
  /** Takes over what other processes stored. True when that was something new. */
  refresh(): Promise<boolean>
  /** Whether `settle` has something to do. */
  isDue(): boolean
  /** Does what is due. Safe in any number of processes at once. */
  settle(): Promise<KeyChange[]>
  /** The next key is to sign as soon as it may; with `isUrgent` at once. Makes one where there is none. */
  rotate(isUrgent: boolean): Promise<KeyChange[]>
  /** Takes a key away at once. Undefined when there is none with this kid. */
  revoke(kid: string): Promise<KeyChange[] | undefined>
}

export interface KeyRingOptions {
  driver: Driver
  sealing: Sealing
  settings: KeySettings
  now: () => number
}

type Changed = { keys: StoredKey[]; changes: KeyChange[] }
type Change = (keys: StoredKey[]) => Promise<Changed | undefined>

/** Rejects with StorageError: `unusable` when the record was sealed with another key, `unavailable`. */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const shared = await openShared(options)
  const change = (work: Change) => changeShared(shared, work)
  return {
    settings: options.settings,
    snapshot: shared.snapshot,
    list: () => shared.known().keys.map(({ jwk: _jwk, ...key }) => key),
    refresh: shared.refresh,
    isDue: () => !isSettled(planKeys(shared.known().keys, options.now(), options.settings)),
    settle: async () => (await change((keys) => settled(keys, options))) ?? [],
    rotate: async (isUrgent) => (await change((keys) => rotated(keys, options, isUrgent))) ?? [],
    revoke: (kid) =>
      change(async (keys) => {
        const revoked = revokeKey(keys, kid)
        return revoked.changes.length > 0 ? followed(revoked, options) : undefined
      }),
  }
}

/** The record, and what this process knows of it. */
interface Shared {
  known(): VersionedKeys
  snapshot(): KeySnapshot
  refresh(): Promise<boolean>
  /** False, and nothing written, when anybody wrote since `base` was read, here or elsewhere. */
  write(changed: Changed, base: VersionedKeys): Promise<boolean>
}

async function openShared(options: KeyRingOptions): Promise<Shared> {
  const record = createKeyRecord(options)
  let known = (await record.read()) ?? (await create(record, options))
  let snapshot = snapshotOf(known)

  function take(read: VersionedKeys): boolean {
    const isNew = read.sealed !== known.sealed
    if (isNew) snapshot = snapshotOf(read)
    known = read
    return isNew
  }

  return {
    known: () => known,
    snapshot: () => snapshot,
    async refresh() {
      // A store that lost everything gets back what all processes sign with (F27).
      const read = (await record.read()) ?? (await record.create(known.keys))
      return read !== undefined && take(read)
    },
    async write({ keys, changes }, base) {
      const written = await record.write(keys, base.version)
      if (!written) return false
      take(written)
      await record.forgetOld(changes)
      return true
    },
  }
}

/** Undefined when there is nothing to change. */
async function changeShared(shared: Shared, work: Change): Promise<KeyChange[] | undefined> {
  for (;;) {
    await shared.refresh()
    const base = shared.known()
    const changed = await work(base.keys)
    if (!changed) return undefined
    if (changed.keys === base.keys) return []
    if (await shared.write(changed, base)) return changed.changes
  }
}

function snapshotOf({ keys }: VersionedKeys): KeySnapshot {
  const waiting = keys.filter(({ state }) => state === 'next').map(({ jwk }) => jwk)
  const active = activeOf(keys)
  const others = keys.filter((key) => key !== active)
  return {
    keys: [...(active ? [active] : []), ...others].map(({ jwk }) => jwk),
    alg: (active ?? keys[0])?.alg as SigningAlg,
    waiting,
  }
}

/** Of several processes that start at the same time one makes the keys of all. */
async function create(record: KeyRecord, options: KeyRingOptions): Promise<VersionedKeys> {
  for (;;) {
    const { keys } = await settled(await record.readOld(), options)
    const created = (await record.create(keys)) ?? (await record.read())
    if (created) return created
  }
}

const isSettled = ({ changes, wants }: ReturnType<typeof planKeys>) =>
  changes.length === 0 && wants === undefined

/** The same array where nothing is due. */
async function settled(keys: StoredKey[], options: KeyRingOptions): Promise<Changed> {
  const plan = planKeys(keys, options.now(), options.settings)
  if (isSettled(plan)) return { keys, changes: [] }
  if (!plan.wants) return plan
  const added = await withNewKey(plan.keys, plan.wants.alg, options)
  return { keys: added.keys, changes: [...plan.changes, ...added.changes] }
}

async function followed(done: Changed, options: KeyRingOptions): Promise<Changed> {
  const after = await settled(done.keys, options)
  return { keys: after.keys, changes: [...done.changes, ...after.changes] }
}

async function rotated(
  keys: StoredKey[],
  options: KeyRingOptions,
  isUrgent: boolean,
): Promise<Changed> {
  const { settings, now } = options
  const first = await settled(keys, options)
  if (first.changes.some(({ change }) => change === 'activated')) return first
  const made = first.keys.some(({ state }) => state === 'next')
    ? { keys: first.keys, changes: [] }
    : await withNewKey(first.keys, settings.alg, options)
  const hurried = hurryNext(made.keys, now(), settings, isUrgent) ?? made.keys
  return followed({ keys: hurried, changes: [...first.changes, ...made.changes] }, options)
}

async function withNewKey(
  keys: StoredKey[],
  alg: SigningAlg,
  { now, settings }: KeyRingOptions,
): Promise<Changed> {
  const [jwk] = (await generateSigningKeys(alg)).keys
  if (!jwk) throw new Error('Expected a key')
  return addKey(keys, { kid: jwk.kid as string, alg, jwk }, now(), settings)
}
