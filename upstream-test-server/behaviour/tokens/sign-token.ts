// JWTs in compact form, signed right or wrong in one way.
import { createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { SigningKey } from './key-ring.ts'

export type Json = Record<string, unknown>

export interface Token {
  header: Json
  claims: Json
}

export const signatureFaults = ['bad_signature', 'unknown_kid', 'alg_none', 'alg_hs256'] as const
export type SignatureFault = (typeof signatureFaults)[number]

export const isSignatureFault = (kind: string | undefined): kind is SignatureFault =>
  (signatureFaults as readonly (string | undefined)[]).includes(kind)

const encode = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json

/** @throws where it is not a JWT */
export function readToken(jwt: string): Token {
  const [header, claims] = jwt.split('.')
  return { header: decode(header), claims: decode(claims) }
}

const headerChanges: Partial<Record<SignatureFault, Json>> = {
  alg_none: { alg: 'none' },
  alg_hs256: { alg: 'HS256' },
  unknown_kid: { kid: 'unknown' },
}

// Reading a key costs as much as signing with it.
const read = new WeakMap<SigningKey, KeyObject>()

function privateKeyOf(jwk: SigningKey): KeyObject {
  const key = read.get(jwk) ?? createPrivateKey({ key: jwk, format: 'jwk' })
  read.set(jwk, key)
  return key
}

function signatureOf(input: string, jwk: SigningKey, fault: SignatureFault | undefined): string {
  const key = privateKeyOf(jwk)
  if (fault === 'alg_none') return ''
  if (fault === 'alg_hs256') {
    // The public key as a secret: https://www.rfc-editor.org/rfc/rfc8725.html#section-2.1
    const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' })
    return createHmac('sha256', secret).update(input).digest('base64url')
  }
  const signed = fault === 'bad_signature' ? `${input}.` : input
  return sign('sha256', Buffer.from(signed), key).toString('base64url')
}

/** The token signed anew with this key, whatever its header said. */
export function signToken({ header, claims }: Token, key: SigningKey, fault?: SignatureFault) {
  const ownHeader = { ...header, alg: 'RS256', kid: key.kid, ...(fault && headerChanges[fault]) }
  const input = `${encode(ownHeader)}.${encode(claims)}`
  return `${input}.${signatureOf(input, key, fault)}`
}

export function isSignedBy(jwt: string, jwk: SigningKey): boolean {
  const [header = '', claims = '', signature = ''] = jwt.split('.')
  const input = Buffer.from(`${header}.${claims}`)
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return verify('sha256', input, key, Buffer.from(signature, 'base64url'))
}
