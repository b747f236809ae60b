// Secrets of our own that live in storage (signing keys, cookie keys), sealed, and made once however many processes
// start at the same time.
import { StorageError } from '../../errors.ts'
import type { Driver } from '../driver.ts'
import type { Sealing } from './sealing.ts'

const TTL_SECONDS = 3650 * 86_400
const recordKeyOf = (key: string) => `Sealed:${key}`

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
  const recordKey = recordKeyOf(key)
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

/**
 * So that the older of two sealing keys can go: what it sealed is sealed with the newer one. Nothing happens where there is no
 * such record, another process was first, or no key opens it: whoever needs it will say so. Rejects with StorageError
 * `unavailable`.
 */
export async function sealAgain(driver: Driver, sealing: Sealing, key: string): Promise<void> {
  const record = await driver.get(recordKeyOf(key))
  const sealed = record?.value as string
  if (!record || !sealing.isByOtherKey(sealed)) return
  const text = openedText(sealing, sealed, key)
  if (text !== undefined)
    await driver.update(recordKeyOf(key), record.version, sealing.seal(text, key))
}

function openedText(sealing: Sealing, sealed: string, key: string): string | undefined {
  try {
    return sealing.unseal(sealed, key)
  } catch {
    return undefined
  }
}
