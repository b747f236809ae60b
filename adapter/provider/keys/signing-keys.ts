// Owns the signing keys: generates them, reads them from a JWK Set, and checks what it is given. Where they are kept
// (a file in production, a sealed record otherwise) is decided by the composition root.
import {
  calculateJwkThumbprint,
  CompactSign,
  compactVerify,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { ConfigError } from '../../errors.ts'

export type SigningAlg = 'RS256' | 'PS256' | 'ES256' | 'EdDSA'
export const SIGNING_ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const satisfies SigningAlg[]

export interface SigningKeys {
  /** Private JWKs, each with kid, alg and use. The first of each alg signs. */
  keys: JWK[]
}

const KEY_TYPES: Record<SigningAlg, { kty: string; crv?: string }> = {
  RS256: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
}

/** A new private key. RSA keys have 3072 bits (NIST SP 800-57: good beyond 2030). */
export async function generateSigningKeys(alg: SigningAlg): Promise<SigningKeys> {
  const { privateKey } = await generateKeyPair(alg, { modulusLength: 3072, extractable: true })
  return { keys: [await complete(await exportJWK(privateKey), alg)] }
}

/**
 * Checks a JWK Set with private keys and completes `kid`, `alg` and `use`.
 * @throws ConfigError at `keys.file`, naming the key by its place, never its content
 */
export async function parseSigningKeys(json: unknown, alg: SigningAlg): Promise<SigningKeys> {
  const keys = (json as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.length === 0)
    throw fault('expected a JWK Set: { "keys": [ … ] } with at least one private key')
  const completed = await Promise.all(keys.map((key, index) => parseKey(key as JWK, index, alg)))
  if (!completed.some((key) => key.alg === alg))
    throw fault(
      `expected a key for keys.alg ${alg}, found ${completed.map((key) => key.alg).join(', ')}`,
    )
  if (new Set(completed.map((key) => key.kid)).size < completed.length)
    throw fault('expected each key to have its own kid')
  return { keys: completed }
}

async function parseKey(key: JWK, index: number, preferred: SigningAlg): Promise<JWK> {
  const place = `key ${index + 1}`
  const alg = (key?.alg ?? algOf(key, preferred)) as SigningAlg
  const wanted = KEY_TYPES[alg]
  if (!wanted || wanted.kty !== key.kty || (wanted.crv && wanted.crv !== key.crv)) {
    throw fault(`${place}: expected an RSA, P-256 or Ed25519 key for RS256, PS256, ES256 or EdDSA`)
  }
  if (typeof key.d !== 'string') throw fault(`${place}: expected a private key, found a public one`)
  // RFC 8725, section 3.5: https://www.rfc-editor.org/rfc/rfc8725#section-3.5
  if (key.kty === 'RSA' && Buffer.from(key.n ?? '', 'base64url').length < 256)
    throw fault(`${place}: expected at least 2048 bits`)
  await proveKey(key, alg).catch((cause: unknown) => {
    throw fault(`${place}: not a usable ${alg} key`, cause)
  })
  return complete(key, alg)
}

/** Parts of two keys can be imported as one; what it signs then verifies nowhere. */
async function proveKey(key: JWK, alg: SigningAlg): Promise<void> {
  const [publicKey] = publicJwks({ keys: [key] }).keys as [JWK]
  const signed = await new CompactSign(new Uint8Array(1))
    .setProtectedHeader({ alg })
    .sign(await importJWK(key, alg))
  await compactVerify(signed, await importJWK(publicKey, alg))
}

function algOf(key: JWK, preferred: SigningAlg): SigningAlg | undefined {
  if (!key || typeof key !== 'object') return undefined
  if (key.kty === 'RSA') return preferred === 'PS256' ? 'PS256' : 'RS256'
  return key.kty === 'EC' ? 'ES256' : 'EdDSA'
}

// The kid is the RFC 7638 thumbprint, so that it is the same on every instance: https://www.rfc-editor.org/rfc/rfc7638#section-3
async function complete(key: JWK, alg: SigningAlg): Promise<JWK> {
  return { ...key, alg, use: 'sig', kid: key.kid ?? (await calculateJwkThumbprint(key)) }
}

function fault(message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ path: 'keys.file', message }], { cause })
}

/** The same keys without their private members (RFC 7517, section 9.3). */
export function publicJwks({ keys }: SigningKeys): { keys: JWK[] } {
  const PUBLIC = ['kty', 'kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y'] as const
  return {
    keys: keys.map(
      (key) =>
        Object.fromEntries(
          PUBLIC.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])),
        ) as unknown as JWK,
    ),
  }
}
