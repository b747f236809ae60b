// Where the signing keys that we make are kept: one record for all of them, private parts sealed; and where the version before
// this one kept them, one record for each algorithm. What is in it is decided by key-ring.ts.
import type { JWK } from 'jose'
import type { Driver } from '../../../storage/driver.ts'
import type { Sealing } from '../../../storage/sealing/sealing.ts'
import { SIGNING_ALGS, type SigningAlg } from '../signing-keys.ts'
import type { KeyChange, KeySettings, PlannedKey } from './plan-keys.ts'

export interface StoredKey extends PlannedKey {
  /** Private. */
  jwk: JWK
}

export interface VersionedKeys {
  keys: StoredKey[]
  version: number
  /** As it is stored: other text, other keys. */
  sealed: string
}

export interface KeyRecord {
  read(): Promise<VersionedKeys | undefined>
  /** Undefined when another process was first. */
  create(keys: StoredKey[]): Promise<VersionedKeys | undefined>
  /** Undefined when another process wrote in between. */
  write(keys: StoredKey[], expectedVersion: number): Promise<VersionedKeys | undefined>
  /** What the version before left: its key signs on where the algorithm is still the configured one. */
  readOld(): Promise<StoredKey[]>
  /** A key that is over is to be nowhere any more. */
  forgetOld(changes: readonly KeyChange[]): Promise<void>
}

export const KEY_RECORD = 'Sealed:signing-key-ring'
const CONTEXT = 'signing-key-ring'
const TTL_SECONDS = 3650 * 86_400
const oldContext = (alg: SigningAlg) => `signing-keys-${alg}`

export interface KeyRecordOptions {
  driver: Driver
  sealing: Sealing
  settings: KeySettings
  now: () => number
}

export function createKeyRecord({ driver, sealing, settings, now }: KeyRecordOptions): KeyRecord {
  const seal = (keys: StoredKey[]) => sealing.seal(JSON.stringify(keys), CONTEXT)
  let last: VersionedKeys | undefined
  return {
    async read() {
      const record = await driver.get(KEY_RECORD)
      if (!record) return undefined
      const { value, version } = record
      const sealed = value as string
      // Asked often and changed rarely: what is known need not be opened again.
      if (last?.sealed === sealed && last.version === version) return last
      const keys = JSON.parse(sealing.unseal(sealed, CONTEXT)) as StoredKey[]
      return (last = { keys, version, sealed })
    },
    async create(keys) {
      const sealed = seal(keys)
      const isFirst = await driver.insert(KEY_RECORD, sealed, TTL_SECONDS)
      return isFirst ? { keys, version: 1, sealed } : undefined
    },
    async write(keys, expectedVersion) {
      const sealed = seal(keys)
      const isWritten = await driver.update(KEY_RECORD, expectedVersion, sealed, TTL_SECONDS)
      return isWritten ? { keys, version: expectedVersion + 1, sealed } : undefined
    },
    async readOld() {
      const found = await Promise.all(SIGNING_ALGS.map((alg) => readOldKeys(driver, sealing, alg)))
      return found.flat().map(({ jwk, alg }) => {
        const isActive = alg === settings.alg
        const at = now()
        const key = { kid: jwk.kid as string, alg, jwk, createdAt: at, since: at }
        return isActive
          ? { ...key, state: 'active' as const }
          : { ...key, state: 'retiring' as const, goneAt: at + settings.retireMs }
      })
    },
    async forgetOld(changes) {
      const over = changes.filter(({ change }) => change === 'removed').map(({ alg }) => alg)
      await Promise.all([...new Set(over)].map((alg) => driver.delete(`Sealed:${oldContext(alg)}`)))
    },
  }
}

async function readOldKeys(driver: Driver, sealing: Sealing, alg: SigningAlg) {
  const record = await driver.get(`Sealed:${oldContext(alg)}`)
  if (!record) return []
  const { keys } = JSON.parse(sealing.unseal(record.value as string, oldContext(alg))) as {
    keys: JWK[]
  }
  return keys.slice(0, 1).map((jwk) => ({ jwk, alg }))
}
