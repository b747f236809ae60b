// The key that seals secrets at rest, where the configuration gives none: a file of its own, made on first start.
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StorageError } from '../errors.ts'

const KEY_BYTES = 32
const ENCODED = /^[A-Za-z0-9_-]{43}$/

/** 32 bytes. @throws StorageError `unusable`, naming the file, if it can not be read or holds something else */
export function loadOrCreateSealingKey(file: string): Uint8Array {
  const text = (readIfThere(file) ?? create(file)).trim()
  if (!ENCODED.test(text)) throw unusable(file, 'it holds no key (expected 32 bytes in base64url)')
  return Buffer.from(text, 'base64url')
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(file, 'it can not be read', cause)
  }
}

/** Of two processes that start at the same time one makes it; the other reads it. It appears whole or not at all. */
function create(file: string): string {
  const key = randomBytes(KEY_BYTES).toString('base64url')
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(draft, `${key}\n`, { flag: 'wx', mode: 0o600 })
    linkSync(draft, file)
    return key
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return readFileSync(file, 'utf8')
    throw unusable(file, 'it can not be written', cause)
  } finally {
    rmSync(draft, { force: true })
  }
}

function unusable(file: string, why: string, cause?: unknown): StorageError {
  return new StorageError(
    'unusable',
    `Cannot use the sealing key in ${file}: ${why}. Restore it, or give keys.sealing_key`,
    { cause },
  )
}
