// The key that seals secrets at rest, where the configuration gives none: a file of its own, made on first start.
import { randomBytes } from 'node:crypto'
import { StorageError } from '../../errors.ts'
import { createSecretFile, readSecretFile } from '../../../service/secret-file.ts'

const KEY_BYTES = 32
const ENCODED = /^[A-Za-z0-9_-]{43}$/

/** 32 bytes. @throws StorageError `unusable`, naming the file, if it can not be read or holds something else */
export function loadOrCreateSealingKey(file: string): Uint8Array {
  const text = readIfThere(file) ?? create(file)
  if (!ENCODED.test(text)) throw unusable(file, 'it holds no key (expected 32 bytes in base64url)')
  return Buffer.from(text, 'base64url')
}

function readIfThere(file: string): string | undefined {
  try {
    return readSecretFile(file)
  } catch (cause) {
    throw unusable(file, 'it can not be read', cause)
  }
}

function create(file: string): string {
  try {
    return createSecretFile(file, randomBytes(KEY_BYTES).toString('base64url'))
  } catch (cause) {
    throw unusable(file, 'it can not be written', cause)
  }
}

function unusable(file: string, why: string, cause?: unknown): StorageError {
  return new StorageError(
    'unusable',
    `Cannot use the sealing key in ${file}: ${why}. Restore it, or give keys.sealing_key`,
    { cause },
  )
}
