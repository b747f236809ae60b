// Names of sign-ins for what lives longer than a request. One-way: who reads a key learns neither a session nor a token.
import { createHash } from 'node:crypto'

export type LoginKind = 'session' | 'login' | 'token'

/** Of the session's id, the login's id, or the token. */
export function loginKeyOf(kind: LoginKind, secret: string): string {
  return createHash('sha256').update(`${kind} ${secret}`).digest('base64url').slice(0, 22)
}
