// The one secret of this app: generated once beside the database, and what the working keys are derived from.
import { hkdfSync, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Reads the secret kept in the folder, making it (mode 0600) at the first start. Two apps that start together on one
 * folder end with the same secret: the file appears complete or not at all.
 */
export function loadSessionSecret(folder: string): string {
  const file = path.join(folder, 'test-app.secret')
  return readSecret(file) ?? createSecret(file)
}

function createSecret(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  const secret = readSecret(file)
  if (secret === undefined) throw new Error(`Cannot read ${file} after writing it`)
  return secret
}

function readSecret(file: string): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').trim()
    if (secret.length >= 32) return secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  throw new Error(`${file} holds no usable secret: delete it, and everyone signs in again`)
}

/** A key of 32 bytes for one purpose. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `test-app ${purpose}`, 32))
}
