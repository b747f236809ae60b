// What the trail keeps instead of what it must not keep.
import { createHash, createHmac } from 'node:crypto'

/** Twelve hex digits of a code or token, for telling two apart; these are random enough that nobody finds them by trying. */
export function shortHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 12)
}

export type EmailHash = (email: string) => string

/** E-mail addresses are few: without the key nobody can find one by trying. Upper and lower case are one address. */
export function createEmailHash(key: Uint8Array): EmailHash {
  return (email) =>
    createHmac('sha256', key).update(email.trim().toLowerCase()).digest('base64url').slice(0, 22)
}

/** Of a random id; as it is stored. */
export function browserHash(id: string): string {
  return createHash('sha256').update(`browser ${id}`).digest('base64url').slice(0, 22)
}
