// Reads the private key with which we prove who we are at one upstream. The assertion itself (RFC 7523: aud is the issuer,
// a minute of life, a jti of its own) is openid-client's.
import { createPrivateKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PrivateKey } from 'openid-client'
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'

type Algorithm = Parameters<KeyObject['toCryptoKey']>[0]

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}
const MIN_RSA_BITS = 2048

export interface ClientKey {
  key: KeyObject
  algorithm: Algorithm
  kid: string | undefined
}

/** For openid-client. @throws ConfigError */
export function assertionKeyFrom(upstream: string, config: AnyUpstreamConfig): PrivateKey {
  const { key, algorithm, kid } = clientKeyFrom(upstream, config)
  return { key: key.toCryptoKey(algorithm, false, ['sign']), ...(kid ? { kid } : {}) }
}

/** @throws ConfigError, which never holds what is in the file */
export function clientKeyFrom(
  upstream: string,
  { client_key: file, client_key_id: keyId }: AnyUpstreamConfig,
): ClientKey {
  const fault = (message: string) =>
    new ConfigError([{ path: `upstreams.${upstream}.client_key`, message }])
  if (file === undefined) throw fault('is needed for private_key_jwt and apple_jwt')
  const read = keyFrom(file)
  if (!read) throw fault(`can not read a private key (PEM or JWK) from ${file}`)
  const algorithm = algorithmOf(read.key, read.alg)
  if (!algorithm) throw fault('Expected an RSA key from 2048 bits, or P-256, P-384 or P-521')
  return { key: read.key, algorithm, kid: keyId ?? read.kid }
}

interface ReadKey {
  key: KeyObject
  kid?: string | undefined
  alg?: string | undefined
}

function keyFrom(file: string): ReadKey | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (!text.startsWith('{')) return { key: createPrivateKey(text) }
    const jwk = JSON.parse(text) as { kid?: unknown; alg?: unknown } & Record<string, unknown>
    return {
      key: createPrivateKey({ key: jwk, format: 'jwk' }),
      kid: typeof jwk.kid === 'string' ? jwk.kid : undefined,
      alg: typeof jwk.alg === 'string' ? jwk.alg : undefined,
    }
  } catch {
    return undefined
  }
}

/** What the JWK says, else SHA-256 with RSA, else what the curve asks for. */
function algorithmOf(key: KeyObject, alg: string | undefined): Algorithm | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') {
    const curve = CURVES[namedCurve]
    return curve === undefined ? undefined : { name: 'ECDSA', namedCurve: curve }
  }
  // RFC 7518 §3.3, "A key of size 2048 bits or larger": https://www.rfc-editor.org/rfc/rfc7518.html#section-3.3
  if (key.asymmetricKeyType !== 'rsa' || modulusLength < MIN_RSA_BITS) return undefined
  const [, family = 'RS', bits = '256'] = /^(RS|PS)(256|384|512)$/.exec(alg ?? '') ?? []
  return { name: family === 'PS' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: `SHA-${bits}` }
}
