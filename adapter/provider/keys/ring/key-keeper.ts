// Keeps the keys of this process those of all: takes over what others changed, and does what is due while it holds the lease,
// so that one process makes the next key for everybody.
import { randomUUID } from 'node:crypto'
import type { Log } from '../../../../service/log.ts'
import type { Driver } from '../../../storage/driver.ts'
import type { KeyRing } from './key-ring.ts'
import type { KeyChange } from './plan-keys.ts'

export interface KeyKeeperOptions {
  ring: KeyRing
  driver: Driver
  log: Log
  /** Told when another algorithm signs than at the start, and again until it does not reject. */
  onAlg?: () => Promise<void>
  /** Between two looks at the store; a tenth more or less. */
  pollMs?: number
}

export interface KeyKeeper {
  close(): void
}

/** A key that was revoked in one process signs, and is accepted, in none after a second (A52). */
const POLL_MS = 800
const LEASE = 'Lease:signing-keys'
/** Longer than it takes to make a key; a process that dies with it delays nothing that is not foreseen long before. */
const LEASE_SECONDS = 30

export function startKeyKeeper(options: KeyKeeperOptions): KeyKeeper {
  const { pollMs = POLL_MS, onAlg, ...parts } = options
  const owner = randomUUID()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isFailing = false
  let { alg } = parts.ring.snapshot()

  async function tellAlg(): Promise<void> {
    const found = parts.ring.snapshot().alg
    if (found === alg) return
    await onAlg?.()
    alg = found
  }

  async function turn(): Promise<void> {
    try {
      await keep(parts, owner)
      await tellAlg()
      isFailing = false
    } catch (error) {
      // Once for an outage: the store has its own lines.
      if (!isFailing && !isClosed) parts.log.warn('keys.unknown', { error })
      isFailing = true
    }
    plan()
  }

  function plan(): void {
    if (isClosed) return
    timer = setTimeout(() => void turn(), pollMs * (0.9 + Math.random() * 0.2)).unref()
  }

  plan()
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** One look at the store, and what is due. */
export async function keep(
  { ring, driver, log }: Pick<KeyKeeperOptions, 'ring' | 'driver' | 'log'>,
  owner: string,
): Promise<void> {
  if (await ring.refresh())
    log.info('keys.taken_over', { signs: shortened(ring.snapshot().keys[0]?.kid) })
  if (!ring.isDue()) return
  if (!(await driver.lease(LEASE, owner, LEASE_SECONDS))) return
  try {
    logKeyChanges(log, await ring.settle(), 'due')
  } finally {
    await driver.release(LEASE, owner)
  }
}

export function logKeyChanges(log: Log, changes: readonly KeyChange[], reason: string): void {
  for (const { kid, alg, change } of changes)
    log.info('key.rotated', { kid: shortened(kid), alg, change, reason })
}

/** In full it looks like a secret, and no log would show it. */
const shortened = (kid = '') => kid.slice(0, 8)
