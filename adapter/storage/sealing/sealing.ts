// Seals small secrets for storage with AES-256-GCM. Knows keys, not records.
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { StorageError } from '../../errors.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

export interface Sealing {
  /** `context` says what the text is (a key, a record's name): it opens only where the same is said. */
  seal(plaintext: string, context: string): string
  /** Throws StorageError `unusable` if the text was sealed with a key we do not have, for another context, or changed. */
  unseal(sealed: string, context: string): string
  /** Whether another key than that of `seal` sealed it. */
  isByOtherKey(sealed: string): boolean
}

/** Names the key in the envelope; tells nothing of it. */
function keyId(key: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from('sealing key id\0'), key]), 'base64url').slice(
    0,
    8,
  )
}

function failure(why: string, cause?: unknown): StorageError {
  const remedy =
    'Put the sealing key that wrote it back into the configuration, or delete the record to have it made anew'
  return new StorageError('unusable', `Cannot unseal a stored secret: ${why}. ${remedy}`, { cause })
}

/** Envelope: v1.<key id>.<iv>.<ciphertext and tag>. The first key seals; all unseal. Keys are 32 bytes. */
export function createSealing(keys: readonly Uint8Array[]): Sealing {
  const [sealingKey] = keys
  if (!sealingKey || keys.some((key) => key.length !== KEY_BYTES))
    throw new StorageError('unusable', `Cannot seal: expected sealing keys of ${KEY_BYTES} bytes`)
  const keysById = new Map(keys.map((key) => [keyId(key), key]))
  const sealingKeyId = keyId(sealingKey)

  return {
    seal(plaintext, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, sealingKey, iv).setAAD(Buffer.from(context))
      const sealed = Buffer.concat([
        cipher.update(plaintext, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return ['v1', sealingKeyId, iv.toString('base64url'), sealed.toString('base64url')].join('.')
    },
    isByOtherKey: (text) => text.split('.')[1] !== sealingKeyId,
    unseal(text, context) {
      const [version, id = '', iv = '', body = ''] = text.split('.')
      if (version !== 'v1') throw failure('its envelope is not known')
      const key = keysById.get(id)
      if (!key) throw failure(`it was sealed with key "${id}", which is not configured`)
      const sealed = Buffer.from(body, 'base64url')
      try {
        const decipher = createDecipheriv(CIPHER, key, Buffer.from(iv, 'base64url'), {
          authTagLength: TAG_BYTES,
        })
        decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_BYTES))
        return (
          decipher.update(sealed.subarray(0, -TAG_BYTES), undefined, 'utf8') +
          decipher.final('utf8')
        )
      } catch (error) {
        throw failure('it was changed, or belongs elsewhere', error)
      }
    },
  }
}
