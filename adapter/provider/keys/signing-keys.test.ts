import { exportJWK, generateKeyPair, importJWK, SignJWT, jwtVerify, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import {
  generateSigningKeys,
  parseSigningKeys,
  publicJwks,
  type SigningAlg,
} from './signing-keys.ts'

const pair = async (alg: string, options: object = {}): Promise<JWK> =>
  exportJWK((await generateKeyPair(alg, { extractable: true, ...options })).privateKey)

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => 'accepted',
    (refused: unknown) => refused,
  )
  expect(error).toBeInstanceOf(ConfigError)
  const [fault] = (error as ConfigError).faults
  expect(fault?.path).toBe('keys.file')
  return fault?.message ?? ''
}

describe('generateSigningKeys', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as SigningAlg[])(
    '%s: one private key that signs, complete with kid, alg and use',
    async (alg) => {
      const { keys } = await generateSigningKeys(alg)
      expect(keys).toHaveLength(1)
      expect(keys[0]).toMatchObject({
        alg,
        use: 'sig',
        kid: expect.stringMatching(/^[\w-]{43}$/) as unknown,
        d: expect.any(String) as unknown,
      })
      const token = await new SignJWT({})
        .setProtectedHeader({ alg })
        .sign(await importJWK(keys[0] as JWK, alg))
      await expect(
        jwtVerify(token, await importJWK(publicJwks({ keys }).keys[0] as JWK, alg)),
      ).resolves.toBeTruthy()
    },
  )

  it('RSA keys have 3072 bits', async () => {
    const [key] = (await generateSigningKeys('RS256')).keys
    expect(Buffer.from(key?.n ?? '', 'base64url')).toHaveLength(384)
  })
})

describe('parseSigningKeys', () => {
  it('completes kid, alg and use, and keeps those that are given', async () => {
    const [one, two] = [await pair('ES256'), await pair('ES256')]
    const { keys } = await parseSigningKeys({ keys: [one, { ...two, kid: 'my-kid' }] }, 'ES256')
    expect(keys.map(({ alg, use }) => [alg, use])).toEqual([
      ['ES256', 'sig'],
      ['ES256', 'sig'],
    ])
    expect(keys.map(({ kid }) => kid)).toEqual([expect.stringMatching(/^[\w-]{43}$/), 'my-kid'])
  })

  it('the kid of a key is the same each time', async () => {
    const key = await pair('EdDSA')
    const kids = await Promise.all(
      [1, 2].map(async () => (await parseSigningKeys({ keys: [key] }, 'EdDSA')).keys[0]?.kid),
    )
    expect(kids[0]).toBe(kids[1])
  })

  it('an RSA key without alg takes the algorithm of the settings', async () => {
    const key = await pair('RS256')
    expect((await parseSigningKeys({ keys: [key] }, 'PS256')).keys[0]?.alg).toBe('PS256')
    expect((await parseSigningKeys({ keys: [key] }, 'RS256')).keys[0]?.alg).toBe('RS256')
  })

  it('keys of several algorithms stand beside each other', async () => {
    const { keys } = await parseSigningKeys(
      { keys: [await pair('ES256'), await pair('EdDSA')] },
      'EdDSA',
    )
    expect(keys.map(({ alg }) => alg)).toEqual(['ES256', 'EdDSA'])
  })

  const REFUSED: [name: string, json: () => unknown, words: RegExp][] = [
    ['null', () => null, /JWK Set/],
    ['no keys', () => ({ keys: [] }), /at least one/],
    ['keys no list', () => ({ keys: {} }), /JWK Set/],
    [
      'a public key',
      async () => ({ keys: [await exportJWK((await generateKeyPair('ES256')).publicKey)] }),
      /key 1: expected a private key/,
    ],
    ['a shared secret', () => ({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), /key 1/],
    ['another curve', async () => ({ keys: [await pair('ES384')] }), /key 1/],
    [
      'another algorithm than the settings',
      async () => ({ keys: [await pair('EdDSA')] }),
      /expected a key for keys.alg ES256, found EdDSA/,
    ],
    [
      'the same kid twice',
      async () => ({
        keys: [
          { ...(await pair('ES256')), kid: 'a' },
          { ...(await pair('ES256')), kid: 'a' },
        ],
      }),
      /own kid/,
    ],
    [
      'a second key that is made of two',
      async () => ({
        keys: [
          await pair('ES256'),
          { ...(await pair('ES256')), d: (await pair('ES256')).d as string },
        ],
      }),
      /key 2/,
    ],
    [
      'an RSA key that is made of two',
      async () => ({ keys: [{ ...(await pair('RS256')), n: (await pair('RS256')).n as string }] }),
      /key 1: not a usable RS256 key/,
    ],
    ['a key that is null', () => ({ keys: [null] }), /key 1/],
    ['a key that is text', () => ({ keys: ['secret-text'] }), /key 1/],
    [
      'an alg that is none of ours',
      async () => ({ keys: [{ ...(await pair('ES256')), alg: 'ES256K' }] }),
      /key 1/,
    ],
  ]
  it.each(REFUSED)('refuses %s', async (_name, json, words) => {
    const message = await faultOf(parseSigningKeys(await json(), 'ES256'))
    expect(message).toMatch(words)
    expect(message).not.toMatch(/secret-text|[\w-]{43}/)
  })

  it('A27 refuses RSA keys below 2048 bits', async () => {
    const { generateKeyPairSync } = await import('node:crypto')
    const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
      format: 'jwk',
    }) as JWK
    expect(await faultOf(parseSigningKeys({ keys: [key] }, 'RS256'))).toMatch(
      /key 1: expected at least 2048 bits/,
    )
  })
})

describe('publicJwks', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as SigningAlg[])('%s: no private member', async (alg) => {
    const [key] = publicJwks(await generateSigningKeys(alg)).keys
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth'])
      expect(key).not.toHaveProperty(name)
    expect(key).toMatchObject({ alg, use: 'sig', kid: expect.any(String) as unknown })
  })
})
