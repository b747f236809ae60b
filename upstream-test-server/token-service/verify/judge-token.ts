// Whether a JWT is one of this issuer, for this audience, good now and of somebody who is still here; or what is wrong with it.
// No I/O: keys, time and people are given.
import type { JsonWebKey } from 'node:crypto'
import { isSignedBy, readToken } from '../../behaviour/tokens/sign-token.ts'
import type { Json } from '../../behaviour/tokens/sign-token.ts'
import type { SigningKey } from '../../behaviour/tokens/key-ring.ts'

export type TokenFault =
  | { error: 'malformed' }
  | { error: 'signature' }
  | { error: 'issuer' | 'type'; expected: string }
  | { error: 'expired'; since: string }
  | { error: 'not_yet_valid'; until: string }
  | { error: 'audience'; expected: string; found: string[] }
  | { error: 'subject' | 'session_ended' }

export type Verdict =
  | { valid: true; claims: Json }
  | ({ valid: false; message: string } & TokenFault)

export interface Judge {
  issuer: string
  /** Only what is published: a withdrawn key has signed nothing. */
  publishedKeys: () => readonly JsonWebKey[]
  /** Epoch milliseconds, of the issuer. */
  now: () => number
  /** Whether the person or the service that the claims are about may still come in. */
  isHere: (claims: Json) => boolean
  /** Whether they are of a session, and it is over. */
  isSessionOver: (claims: Json) => boolean
}

const compactJws = /^[\w-]+\.[\w-]+\.[\w-]+$/
const aheadSeconds = 60

/** Those of this issuer that say who somebody is; a logout token or a refresh token is none of them. */
const types = ['JWT', 'at+jwt', undefined]

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function read(token: string) {
  if (!compactJws.test(token)) return undefined
  try {
    const { header, claims } = readToken(token)
    return isObject(header) && isObject(claims) ? { header, claims } : undefined
  } catch {
    return undefined
  }
}

function isSigned(token: string, header: Json, { publishedKeys }: Judge): boolean {
  // No other algorithm, whatever the header says: https://www.rfc-editor.org/rfc/rfc8725.html#section-3.1
  if (header['alg'] !== 'RS256' || header['crit'] !== undefined) return false
  const key = publishedKeys().find((jwk) => jwk['kid'] === header['kid'])
  return key !== undefined && isSignedBy(token, key as SigningKey)
}

const isTime = (value: unknown): value is number => typeof value === 'number'
const shown = (seconds: number) => new Date(seconds * 1000).toISOString()

function timeFault({ iat, nbf, exp }: Json, nowSeconds: number): TokenFault | undefined {
  if (!isTime(exp)) return { error: 'malformed' }
  if (exp <= nowSeconds) return { error: 'expired', since: shown(exp) }
  const begin = Math.max(...[iat, nbf].filter(isTime), 0)
  return begin > nowSeconds + aheadSeconds
    ? { error: 'not_yet_valid', until: shown(begin) }
    : undefined
}

type Judged = { fault: TokenFault } | { claims: Json }

function judged(token: string, audience: string, judge: Judge): Judged {
  const failed = (fault: TokenFault) => ({ fault })
  const parts = read(token)
  if (!parts) return failed({ error: 'malformed' })
  const { header, claims } = parts
  if (!isSigned(token, header, judge)) return failed({ error: 'signature' })
  if (claims['iss'] !== judge.issuer) return failed({ error: 'issuer', expected: judge.issuer })
  if (!types.includes(header['typ'] as string) || claims['events'] !== undefined)
    return failed({ error: 'type', expected: 'an ID token or an access token' })
  const time = timeFault(claims, judge.now() / 1000)
  if (time) return failed(time)
  const found = [claims['aud'] ?? []].flat().map(String)
  if (!found.includes(audience)) return failed({ error: 'audience', expected: audience, found })
  if (!judge.isHere(claims)) return failed({ error: 'subject' })
  return judge.isSessionOver(claims) ? failed({ error: 'session_ended' }) : { claims }
}

const messages: Record<TokenFault['error'], string> = {
  malformed: 'This is no JWT of this issuer. Send the token alone, without "Bearer".',
  signature: 'No published key of this issuer has signed it, or it was changed since. Refuse it.',
  issuer: 'It says that another issuer made it. Refuse it.',
  type: 'It is no token that says who somebody is. Send the ID token or the access token.',
  expired: 'Its time is over. Get a new token.',
  not_yet_valid: 'Its time has not begun. Compare the clocks.',
  audience: 'It is meant for another service. Ask for a token with your audience.',
  subject: 'The person or service that it is about is no longer here, or is disabled. Refuse it.',
  session_ended: 'The person has signed out. Ask for a new sign-in.',
}

export function judgeToken(token: string, audience: string, judge: Judge): Verdict {
  const result = judged(token, audience, judge)
  if ('claims' in result) return { valid: true, claims: result.claims }
  return { valid: false, ...result.fault, message: messages[result.fault.error] }
}
