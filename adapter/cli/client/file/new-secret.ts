// A new secret for a client, and what the file keeps of it.
import { createHash, randomBytes } from 'node:crypto'

export interface NewSecret {
  /** 256 random bits, base64url. Shown once, kept nowhere. */
  secret: string
  /** An entry of `client_secrets`. */
  entry: { sha256: string; created: string }
}

/** `now`: epoch milliseconds. */
export function newSecret(now: number): NewSecret {
  const secret = randomBytes(32).toString('base64url')
  const sha256 = createHash('sha256').update(secret).digest('hex')
  return { secret, entry: { sha256, created: new Date(now).toISOString().slice(0, 10) } }
}
