import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../errors.ts'
import { loadConfig } from '../../load-config.ts'
import type { ConfigFault } from '../../../errors.ts'

const ec = (namedCurve = 'P-256') => generateKeyPairSync('ec', { namedCurve })
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })
const jwk = (key: { export(options: { format: 'jwk' }): JsonWebKey }) =>
  key.export({ format: 'jwk' })

const P256 = jwk(ec().publicKey)
const PRIVATE = jwk(ec().privateKey)
const ED25519 = jwk(generateKeyPairSync('ed25519').publicKey)
const RSA = jwk(rsa(2048).publicKey)
const keys = (...all: object[]) => ({ jwks: { keys: all } })

function load(client: object, env: Record<string, string> = {}) {
  return loadConfig({
    file: 'auth-adapter.yaml',
    text: JSON.stringify(
      {
        issuer: 'http://127.0.0.1:9000',
        upstreams: {
          one: { kind: 'oidc', issuer: 'https://one.example', client_id: 'x', client_secret: 'y' },
        },
        clients: { app: { redirect_uris: ['https://app.example/cb'], ...client } },
      },
      null,
      2,
    ),
    env,
  })
}

function refusal(client: object, env: Record<string, string> = {}): readonly ConfigFault[] {
  try {
    load(client, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

const faults = (client: object, env = {}) =>
  refusal(client, env).map(({ path, message }) => `${path.replace('clients.app.', '')}: ${message}`)

describe('the keys of an app', () => {
  it.each([
    ['P-256', P256],
    ['Ed25519', ED25519],
    ['RSA with a kid, a use and a certificate', { ...RSA, kid: 'k', use: 'sig', x5c: ['MIIB'] }],
    ['RSA for PS256', { ...RSA, alg: 'PS256' }],
  ])('%s is good', (_name, key) => {
    expect(faults(keys(key))).toEqual([])
  })

  const SEVERAL = 'Of several keys each needs a kid of its own'
  const WRONG: [name: string, jwks: object, fault: string][] = [
    [
      'another curve',
      keys(jwk(ec('P-521').publicKey)),
      'jwks.keys.0.crv: Expected P-256 with kty EC, or Ed25519 with OKP',
    ],
    [
      'a short RSA key',
      keys(jwk(rsa(1024).publicKey)),
      'jwks.keys.0: Expected an RSA key of 2048 bits or more',
    ],
    [
      'half a key',
      keys({ ...P256, y: undefined }),
      'jwks.keys.0: Not a usable public key: a part of it is missing or wrong',
    ],
    [
      'a point that is not on the curve',
      keys({ ...P256, y: P256.x }),
      'jwks.keys.0: Not a usable public key: a part of it is missing or wrong',
    ],
    [
      'an algorithm of other keys',
      keys({ ...P256, alg: 'RS256' }),
      'jwks.keys.0.alg: Expected ES256 for this key',
    ],
    [
      'a shared secret',
      keys({ kty: 'oct', k: 'c2VjcmV0' }),
      'jwks.keys.0.kty: Expected one of RSA, EC, OKP',
    ],
    ['a key for encryption', keys({ ...P256, use: 'enc' }), 'jwks.keys.0.use: Expected sig'],
    ['two keys without names', keys(P256, ED25519), `jwks.keys: ${SEVERAL}`],
    [
      'two keys of one name',
      keys({ ...P256, kid: 'k' }, { ...ED25519, kid: 'k' }),
      `jwks.keys: ${SEVERAL}`,
    ],
    ['no key', keys(), 'jwks.keys: Expected a list that is not empty'],
    ['a key alone', { jwks: P256 }, 'jwks.keys: This setting is required'],
    ['a text that is not JSON', { jwks: 'keys' }, 'jwks: Expected a JWK Set as JSON'],
  ]
  it.each(WRONG)('%s is refused', (_name, client, fault) => {
    expect(faults(client)).toEqual([fault])
  })

  it('a private key is refused, as a map and as a text, and no part of it is shown', () => {
    const set = { keys: [PRIVATE] }
    for (const found of [
      refusal({ jwks: set }),
      refusal({ jwks: '${KEYS}' }, { KEYS: JSON.stringify(set) }),
      refusal({ jwks: JSON.stringify(set) }),
    ]) {
      expect(found).toHaveLength(1)
      expect(found[0]?.message).toContain('A private key stays with its app')
      expect(JSON.stringify(found)).not.toContain(PRIVATE.d)
    }
  })

  it('they may come as JSON from outside', () => {
    const { config } = load({ jwks: '${KEYS}' }, { KEYS: JSON.stringify({ keys: [P256] }) })
    expect(config.clients['app']?.jwks?.keys[0]).toMatchObject({ kty: 'EC', x: P256.x })
    expect(faults({ jwks: '${KEYS}' }, { KEYS: '{"keys":[{}]}' })[0]).toContain('jwks.keys.0.kty')
  })
})

describe('the secrets of an app', () => {
  const HEX = 'a0'.repeat(32)
  const BASE64URL = `${'Ab_-'.repeat(10)}abc`
  const CASES: [name: string, client: object, fault: string | undefined][] = [
    [
      'two hashes, hexadecimal and base64url',
      {
        client_secrets: [
          { sha256: HEX, created: '2026-01-31' },
          { sha256: BASE64URL, expires: '2026-12-31T18:00:00Z' },
        ],
      },
      undefined,
    ],
    [
      'a hash beside a secret',
      { client_secret: 's', client_secrets: [{ sha256: HEX }] },
      undefined,
    ],
    [
      'two hashes beside a secret',
      { client_secret: 's', client_secrets: [{ sha256: HEX }, { sha256: BASE64URL }] },
      'client_secrets: Two secrets at most, client_secret included',
    ],
    [
      'three hashes',
      { client_secrets: [{ sha256: HEX }, { sha256: HEX }, { sha256: HEX }] },
      'client_secrets: Expected 2 at most',
    ],
    ['no hash', { client_secrets: [] }, 'client_secrets: Expected a list that is not empty'],
    [
      'a secret where its hash belongs',
      { client_secrets: [{ sha256: 'secret' }] },
      'client_secrets.0.sha256: Expected a SHA-256: 64 hexadecimal digits, or 43 characters of base64url',
    ],
    [
      'a date that is none',
      { client_secrets: [{ sha256: HEX, expires: '2026-13-01' }] },
      'client_secrets.0.expires: Expected a date such as 2026-12-31 or 2026-12-31T18:00:00Z',
    ],
    [
      'a time without its zone, another one on each machine',
      { client_secrets: [{ sha256: HEX, expires: '2026-12-31T18:00:00' }] },
      'client_secrets.0.expires: Expected a date such as 2026-12-31 or 2026-12-31T18:00:00Z',
    ],
    [
      'hashes that are never asked for',
      { client_secrets: [{ sha256: HEX }], token_endpoint_auth_method: 'none' },
      'client_secrets: Never asked for with token_endpoint_auth_method none: leave one of them out',
    ],
    [
      'hashes and keys',
      { client_secrets: [{ sha256: HEX }], ...keys(P256) },
      'token_endpoint_auth_method: With both a secret and jwks, say here which of them the app proves itself with',
    ],
    [
      'a secret of characters that no client can send',
      { client_secret: 'schlüssel' },
      'client_secret: Expected a secret of printable ASCII characters',
    ],
  ]
  it.each(CASES)('%s', (_name, client, fault) => {
    expect(faults(client)).toEqual(fault === undefined ? [] : [fault])
  })

  it('production refuses a short one, wherever it comes from, and takes a generated one and hashes', () => {
    const inProduction = (secret: string) =>
      faults(
        { client_secret: '${APP_SECRET}' },
        { NODE_ENV: 'production', APP_SECRET: secret },
      ).filter((fault) => fault.startsWith('client_secret'))
    expect(inProduction('x'.repeat(31))).toEqual([
      expect.stringContaining('Expected 32 characters or more in production'),
    ])
    expect(inProduction('x'.repeat(32))).toEqual([])
    expect(
      faults({ client_secret: 'short' }, { NODE_ENV: 'production' }).filter((fault) =>
        fault.startsWith('client_secret'),
      ),
    ).toEqual([expect.stringContaining('A secret in the file itself')])
    expect(
      faults({ client_secrets: [{ sha256: HEX }] }, { NODE_ENV: 'production' }).filter((fault) =>
        fault.includes('client_secret'),
      ),
    ).toEqual([expect.stringContaining('upstreams.one.client_secret')])
  })
})

describe('one way to prove itself', () => {
  const secret = { client_secret: 's' }
  const method = (token_endpoint_auth_method: string) => ({ token_endpoint_auth_method })
  const CASES: [name: string, client: object, fault: string | undefined][] = [
    ['nothing', {}, undefined],
    ['a secret', secret, undefined],
    ['keys', keys(P256), undefined],
    [
      'keys for something else, and a secret',
      { ...keys(P256), ...secret, ...method('client_secret_post') },
      undefined,
    ],
    ['keys for something else, and public', { ...keys(P256), ...method('none') }, undefined],
    [
      'a secret and keys',
      { ...keys(P256), ...secret },
      'token_endpoint_auth_method: With both a secret and jwks, say here which of them the app proves itself with',
    ],
    [
      'a method without its secret',
      method('client_secret_basic'),
      'client_secret: Required with token_endpoint_auth_method client_secret_basic',
    ],
    [
      'a method without its keys',
      method('private_key_jwt'),
      'jwks: Required with token_endpoint_auth_method private_key_jwt',
    ],
    [
      'a secret that is never asked for',
      { ...secret, ...method('none') },
      'client_secret: Never asked for with token_endpoint_auth_method none: leave one of them out',
    ],
    [
      'a secret beside the keys that are asked for',
      { ...keys(P256), ...secret, ...method('private_key_jwt') },
      'client_secret: Never asked for with token_endpoint_auth_method private_key_jwt: leave one of them out',
    ],
    [
      'an algorithm that one key is for',
      { ...keys(RSA), token_endpoint_auth_signing_alg: 'PS256' },
      undefined,
    ],
    [
      'an algorithm that no key is for',
      { ...keys(P256), token_endpoint_auth_signing_alg: 'PS256' },
      'token_endpoint_auth_signing_alg: None of its jwks is a key for this algorithm',
    ],
    [
      'an algorithm without keys',
      { ...secret, token_endpoint_auth_signing_alg: 'PS256' },
      'token_endpoint_auth_signing_alg: Only used with private_key_jwt',
    ],
  ]
  it.each(CASES)('%s', (_name, client, fault) => {
    expect(faults(client)).toEqual(fault === undefined ? [] : [fault])
  })
})
