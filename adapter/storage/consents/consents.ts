// What people agreed to, by app and person: kept over sessions, until it was not used for a year, or is erased.
import { StorageError } from '../../errors.ts'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

const TTL_SECONDS = 365 * 86_400
const ATTEMPTS = 10

export interface ConsentKey {
  clientId: string
  accountId: string
}

export interface Consents {
  /** Empty when nothing was agreed to. */
  find(key: ConsentKey): Promise<readonly string[]>
  /** Adds to what was given before; two tabs at a time lose nothing. */
  give(key: ConsentKey, items: readonly string[]): Promise<void>
}

/** All reject with StorageError `unavailable`. */
export function createConsents(driver: Driver): Consents {
  return {
    find: async (key) => itemsOf(await driver.get(keyOf(key))),
    async give(key, items) {
      const indexes = [consentsOfUserIndex(key.accountId), ofClient(key.clientId)]
      await Promise.all(indexes.map((index) => driver.add(index, keyOf(key), TTL_SECONDS)))
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (await add(driver, key, items)) return
      throw new StorageError('unavailable', 'Cannot keep a consent: it is being changed too often')
    },
  }
}

async function add(driver: Driver, of: ConsentKey, items: readonly string[]): Promise<boolean> {
  const record = await driver.get(keyOf(of))
  const all = [...new Set([...itemsOf(record), ...items])]
  // Says whose it is, so that it is found when the person is to be forgotten.
  const value = { ...of, items: all }
  return record
    ? driver.update(keyOf(of), record.version, value, TTL_SECONDS)
    : driver.insert(keyOf(of), value, TTL_SECONDS)
}

/** Erases all that a person agreed to; how many apps it was for. Whoever asks again asks anew. */
export function forgetConsents(driver: Driver, accountId: string): Promise<number> {
  return forget(driver, consentsOfUserIndex(accountId))
}

/** The same for all people of one app. */
export function forgetConsentsOfClient(driver: Driver, clientId: string): Promise<number> {
  return forget(driver, ofClient(clientId))
}

async function forget(driver: Driver, index: string): Promise<number> {
  const keys = await driver.members(index)
  const taken = await Promise.all(keys.map((key) => driver.take(key)))
  await driver.drop(index)
  const clients = taken.map((record) => (record?.value as ConsentKey | undefined)?.clientId)
  // Its key is made of both names: in the index of the app somebody could recognise it.
  await Promise.all(
    clients.flatMap((id, at) =>
      id === undefined ? [] : [driver.drop(ofClient(id), keys[at] as string)],
    ),
  )
  return taken.filter((record) => record !== undefined).length
}

const keyOf = ({ clientId, accountId }: ConsentKey) =>
  `Consent:${hashed(JSON.stringify([clientId, accountId]))}`
/** The records of a person, by their keys. */
export const consentsOfUserIndex = (accountId: string) => `consents-of-user:${hashed(accountId)}`
const ofClient = (clientId: string) => `consents-of-client:${hashed(clientId)}`

function itemsOf(record: { value: unknown } | undefined): string[] {
  return (record?.value as { items: string[] } | undefined)?.items ?? []
}
