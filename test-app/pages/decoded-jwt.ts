// Reads a JWT for display. Nothing is verified here: the access token is opaque to a client, shown because that is
// what this page is for.
import type { Claims } from '../session/session-data.ts'

export interface DecodedJwt {
  readonly header: Claims
  readonly claims: Claims
  /** The three encoded parts. */
  readonly parts: readonly [string, string, string]
}

/** undefined for a token that is no JWT. */
export function decodeJwt(token: string): DecodedJwt | undefined {
  const [header, claims, signature, ...rest] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0)
    return undefined
  const decoded = [header, claims].map(decodePart)
  const [headerObject, claimsObject] = decoded
  if (!headerObject || !claimsObject) return undefined
  return { header: headerObject, claims: claimsObject, parts: [header, claims, signature] }
}

function decodePart(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Claims)
      : undefined
  } catch {
    return undefined
  }
}
