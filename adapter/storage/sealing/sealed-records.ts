// Secrets of our own that live in storage (signing keys, cookie keys), sealed, and made once however many processes
// start at the same time.
import { StorageError } from '../../errors.ts'
import type { Driver } from '../driver.ts'
import type { Sealing } from './sealing.ts'

const TTL_SECONDS = 3650 * 86_400

/**
 * The value kept under `key`; when there is none, what `create` makes (JSON-serialisable). All processes get the same.
 * Rejects with StorageError `unusable` if it was sealed with another key, `unavailable` if the store fails.
 */
export async function loadOrCreateSealed(
  driver: Driver,
  sealing: Sealing,
  key: string,
  create: () => Promise<unknown>,
): Promise<unknown> {
  const recordKey = `Sealed:${key}`
  const existing = await driver.get(recordKey)
  if (existing) return JSON.parse(sealing.unseal(existing.value as string, key))
  const value: unknown = await create()
  const isFirst = await driver.insert(
    recordKey,
    sealing.seal(JSON.stringify(value), key),
    TTL_SECONDS,
  )
  if (isFirst) return value
  const winner = await driver.get(recordKey)
  if (!winner)
    throw new StorageError('unavailable', `Cannot read "${key}" from the store: it is gone again`)
  return JSON.parse(sealing.unseal(winner.value as string, key))
}
