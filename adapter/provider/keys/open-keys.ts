// From the configuration to the keys that sign: those of the operator's file or program, or those that we make, keep and
// rotate.
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import type { Log } from '../../../service/log.ts'
import type { Config } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import type { Driver } from '../../storage/driver.ts'
import type { Sealing } from '../../storage/sealing/sealing.ts'
import { parseSigningKeys } from './signing-keys.ts'
import { openKeyRing, type KeyRing } from './ring/key-ring.ts'
import { keySettings, maxAgeSeconds } from './ring/key-settings.ts'
import { createLiveKeys, type LiveKeys } from './live-keys.ts'
import { openExternalKeys } from './signer/external-keys.ts'
import { createSignerProgram } from './signer/signer-program.ts'

export interface OpenedKeys {
  signingKeys: LiveKeys
  /** Absent where the keys are those of a file or a signer: their life is the operator's. */
  keyRing: KeyRing | undefined
  /** Ends the signer. */
  closeKeys(): void
}

export interface OpenKeysOptions {
  config: Config
  driver: Driver
  sealing: Sealing
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

/** @throws ConfigError at `keys.file` or `keys.signer`, StorageError */
export async function openKeys({ config, log, ...parts }: OpenKeysOptions): Promise<OpenedKeys> {
  const { file, signer } = config.keys
  if (signer !== undefined) return openSigner(config, signer, log)
  if (file !== undefined) {
    const { keys } = await parseSigningKeys(readKeyFile(file), config.keys.alg)
    return { ...constantKeys(config, keys), closeKeys: () => undefined }
  }
  const keyRing = await openKeyRing({ ...parts, settings: keySettings(config) })
  const signingKeys = createLiveKeys(keyRing.snapshot, {
    maxAgeSeconds: maxAgeSeconds(config),
    isRotated: true,
    external: undefined,
  })
  return { signingKeys, keyRing, closeKeys: () => undefined }
}

async function openSigner(
  config: Config,
  { command, timeout }: NonNullable<Config['keys']['signer']>,
  log: Log,
): Promise<OpenedKeys> {
  const program = createSignerProgram({ command, timeoutMs: timeout * 1000, log })
  try {
    const { keys, byKid } = await openExternalKeys(program, config.keys.alg)
    return { ...constantKeys(config, keys, byKid), closeKeys: program.close }
  } catch (error) {
    program.close()
    throw error
  }
}

function constantKeys(config: Config, keys: JWK[], external?: LiveKeys['external']) {
  const snapshot = { keys, alg: config.keys.alg, waiting: [] }
  const signingKeys = createLiveKeys(() => snapshot, {
    maxAgeSeconds: maxAgeSeconds(config),
    isRotated: false,
    external,
  })
  return { signingKeys, keyRing: undefined }
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
