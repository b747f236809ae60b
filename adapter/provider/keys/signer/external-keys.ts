// Signing keys that never come here: a program of the operator's signs (an HSM, a KMS). It says which public keys it has, and
// each signature of it is checked before anybody gets it.
import {
  constants,
  createPublicKey,
  verify,
  type JsonWebKey,
  type KeyObject,
  type VerifyKeyObjectInput,
} from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { ExternalSigningKey } from 'oidc-provider'
import { ConfigError } from '../../../errors.ts'
import { publicJwks, SIGNING_ALGS, type SigningAlg } from '../signing-keys.ts'
import type { SignerProgram } from './signer-program.ts'

export interface ExternalKeys {
  /** Public, each with kid, alg and use, in the program's order. */
  keys: JWK[]
  byKid: ReadonlyMap<string, ExternalSigningKey>
}

type Sign = (data: Uint8Array) => Promise<Uint8Array>

/** A key as oidc-provider asks for it. */
class ProgramKey extends ExternalSigningKey {
  readonly #jwk: JWK
  readonly #publicKey: KeyObject
  readonly #sign: Sign
  constructor(jwk: JWK, publicKey: KeyObject, sign: Sign) {
    super()
    this.#jwk = jwk
    this.#publicKey = publicKey
    this.#sign = sign
  }
  override get kid(): string | undefined {
    return this.#jwk.kid
  }
  override get alg(): string | undefined {
    return this.#jwk.alg
  }
  override keyObject(): KeyObject {
    return this.#publicKey
  }
  override sign(data: Uint8Array): Promise<Uint8Array> {
    return this.#sign(data)
  }
}

/** @throws ConfigError at `keys.signer`: the program can not be used, or has no key for `alg` */
export async function openExternalKeys(
  program: Pick<SignerProgram, 'ask'>,
  alg: SigningAlg,
): Promise<ExternalKeys> {
  try {
    const { keys: told } = await program.ask({ op: 'keys' })
    if (!Array.isArray(told)) throw new TypeError('expected { "keys": [ … ] } for { "op": "keys" }')
    const keys = await Promise.all(told.map((jwk, at) => complete(jwk as JWK, at, alg)))
    if (!keys.some((key) => key.alg === alg)) throw new TypeError(`expected a key for ${alg}`)
    const entries = keys.map((jwk) => [jwk.kid as string, externalKey(program, jwk)] as const)
    const byKid = new Map(entries)
    if (byKid.size < keys.length) throw new TypeError('expected each key to have its own kid')
    await Promise.all([...byKid.values()].map(async (key) => key.sign(Buffer.from('proof'))))
    return { keys, byKid }
  } catch (cause) {
    throw new ConfigError([{ path: 'keys.signer', message: (cause as Error).message }], { cause })
  }
}

async function complete(jwk: JWK, at: number, preferred: SigningAlg): Promise<JWK> {
  const [key] = publicJwks({ keys: [jwk] }).keys as [JWK]
  const alg = SIGNING_ALGS.find((known) => known === (key.alg ?? preferred))
  if (!alg)
    throw new TypeError(`key ${at + 1}: expected alg to be one of ${SIGNING_ALGS.join(', ')}`)
  return { ...key, alg, use: 'sig', kid: key.kid ?? (await calculateJwkThumbprint(key)) }
}

function externalKey(program: Pick<SignerProgram, 'ask'>, jwk: JWK): ExternalSigningKey {
  const alg = jwk.alg as SigningAlg
  const publicKey = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  // RFC 8725, section 3.5: https://www.rfc-editor.org/rfc/rfc8725#section-3.5
  if ((publicKey.asymmetricKeyDetails?.modulusLength ?? Infinity) < 2048)
    throw new TypeError('expected RSA keys of at least 2048 bits')
  return new ProgramKey(jwk, publicKey, async (data) => {
    const input = Buffer.from(data).toString('base64url')
    const answer = await program.ask({ op: 'sign', kid: jwk.kid as string, alg, input })
    const signature = Buffer.from(String(answer['signature']), 'base64url')
    if (!isSignature(alg, publicKey, data, signature))
      throw new Error('The signer gave something that is no signature by the key it was asked for')
    return signature
  })
}

// https://www.rfc-editor.org/rfc/rfc7518#section-3.1
const WAYS: Record<SigningAlg, { digest: string | null; options: Partial<VerifyKeyObjectInput> }> =
  {
    RS256: { digest: 'sha256', options: {} },
    PS256: {
      digest: 'sha256',
      options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    },
    ES256: { digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
    EdDSA: { digest: null, options: {} },
  }

function isSignature(
  alg: SigningAlg,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { digest, options } = WAYS[alg]
  return verify(digest, data, { key, ...options }, signature)
}
