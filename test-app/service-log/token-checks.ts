// The two tokens that services come with: one of the adapter, signed with its key, and one that a worker has signed itself
// with a secret it shares with us. Each is judged by the keys and the algorithms of its own issuer, and no other.
import { jwtVerify } from 'jose'
import type { JWTPayload, JWTVerifyOptions } from 'jose'
import { faultOf } from '../authentication/token/verify-token.ts'
import type { VerifyToken } from '../authentication/token/verify-token.ts'
import { RefusedToken } from './refusal.ts'

/** Who is speaking. */
export interface Service {
  readonly name: string
  readonly issuer: string
}

/** @throws {RefusedToken} and {SignInError} where the adapter's keys can not be had */
export type TokenCheck = (token: string) => Promise<Service>

/** How far a worker's clock may be off. */
const TOLERANCE_SECONDS = 15
const LONGEST_SECONDS = 300
const LONGEST_TEXT = 128

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_TEXT

export interface AdapterTokenOptions {
  readonly issuer: string
  readonly audience: string
  readonly verifyToken: VerifyToken
}

/** An access token of client_credentials. It counts until it expires, as often as it is sent. */
export function checkAdapterToken(options: AdapterTokenOptions): TokenCheck {
  const { issuer, audience, verifyToken } = options
  return async (token) => {
    const verdict = await verifyToken(token, { via: 'service', audience })
    if (!verdict.valid) throw new RefusedToken(verdict.reason)
    const { sub, client_id: client } = verdict.claims
    // Where nobody is signed in, the client is the subject: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
    if (sub !== client || !isText(sub)) throw new RefusedToken('subject')
    return { name: sub, issuer }
  }
}

export interface WorkerTokenOptions {
  readonly issuer: string
  readonly audience: string
  /** 32 bytes at least. */
  readonly secret: string
  readonly now: () => number
  /** False when this token of the issuer was used before; kept until `untilMs`. */
  readonly useOnce: (issuer: string, jti: string, untilMs: number) => boolean
}

/** Signed with HS256 by whoever has the secret, five minutes at most, and good once. */
export function checkWorkerToken(options: WorkerTokenOptions): TokenCheck {
  const { issuer, audience, now, useOnce } = options
  const secret = new TextEncoder().encode(options.secret)
  return async (token) => {
    const payload = await verifySecret(token, secret, {
      issuer,
      audience,
      algorithms: ['HS256'],
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    })
    const { exp, jti, name } = judgeClaims(payload, now())
    // Times are looked at in whole seconds: a token with a fraction in its `exp` is good for the rest of that second.
    const until = (Math.ceil(exp) + TOLERANCE_SECONDS) * 1000
    if (!useOnce(issuer, jti, until)) throw new RefusedToken('replayed')
    return { name, issuer }
  }
}

async function verifySecret(
  token: string,
  secret: Uint8Array,
  expected: JWTVerifyOptions,
): Promise<JWTPayload> {
  const { payload, protectedHeader } = await jwtVerify(token, secret, expected).catch(
    (error: unknown) => {
      throw new RefusedToken(faultOf(error).reason)
    },
  )
  if (!/^jwt$/i.test(protectedHeader.typ ?? 'JWT')) throw new RefusedToken('type')
  return payload
}

function judgeClaims({ iss, sub, exp, iat, jti }: JWTPayload, nowMs: number) {
  const name = sub ?? iss
  if (exp === undefined || iat === undefined || !isText(jti) || !isText(name))
    throw new RefusedToken('claims')
  if (exp - iat > LONGEST_SECONDS) throw new RefusedToken('lifetime')
  if (iat > nowMs / 1000 + TOLERANCE_SECONDS) throw new RefusedToken('not_yet_valid')
  return { exp, jti, name }
}
