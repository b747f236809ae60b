// From the configuration to the keys that sign: those of the operator's file, or those that we make, keep and rotate.
import { readFileSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import type { Driver } from '../../storage/driver.ts'
import type { Sealing } from '../../storage/sealing.ts'
import { parseSigningKeys } from '../signing-keys.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'
import { keySettings, maxAgeSeconds } from './key-settings.ts'
import { createLiveKeys, type LiveKeys } from './live-keys.ts'

export interface OpenedKeys {
  signingKeys: LiveKeys
  /** Absent where the keys are those of a file: their life is the operator's. */
  keyRing: KeyRing | undefined
}

export interface OpenKeysOptions {
  config: Config
  driver: Driver
  sealing: Sealing
  /** Epoch milliseconds. */
  now: () => number
}

/** @throws ConfigError at `keys.file`, StorageError */
export async function openKeys({ config, ...parts }: OpenKeysOptions): Promise<OpenedKeys> {
  const { file, alg } = config.keys
  const maxAge = maxAgeSeconds(config)
  if (file !== undefined) {
    const { keys } = await parseSigningKeys(readKeyFile(file), alg)
    const snapshot = { keys, alg, waiting: [] }
    return { signingKeys: createLiveKeys(() => snapshot, maxAge), keyRing: undefined }
  }
  const keyRing = await openKeyRing({ ...parts, settings: keySettings(config) })
  return { signingKeys: createLiveKeys(keyRing.snapshot, maxAge), keyRing }
}

function readKeyFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError([{ path: 'keys.file', message: `can not read a JWK Set from ${file}` }], {
      cause,
    })
  }
}
