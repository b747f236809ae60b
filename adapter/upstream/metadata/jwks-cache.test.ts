import type { ServerResponse } from 'node:http'
import { generateKeyPairSync, KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createJwksCache } from './jwks-cache.ts'
import { makeKey } from '../test-support/evil-idp.ts'
import type { Behaviour, SigningKey } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

const fixture = useEvilIdp()
const { open, login: loginAnew } = fixture
const jwksRequests = () => fixture.idp.count('GET /jwks')
const unknownKid: Behaviour = { header: ({ alg }) => ({ alg, kid: `unknown-${Math.random()}` }) }

const privateJwk = ({ kid, privateKey }: SigningKey) => ({
  ...KeyObject.from(privateKey).export({ format: 'jwk' }),
  kid,
})

describe(createJwksCache, () => {
  it('C55 F07 logs in after a key rotation with one more request, the old key removed at once', async () => {
    const { login } = open()
    await login()
    fixture.idp.keys = [await makeKey('key-2')]
    expect(await login()).toMatchObject({ sub: 'testuser' })
    await login()
    expect(jwksRequests()).toBe(2)
  })

  it('C55 logs in when the key changes just before signing', async () => {
    const { login } = open()
    await login()
    const next = await makeKey('key-3')
    fixture.idp.behaviour = { beforeSigning: () => void (fixture.idp.keys = [next]) }
    expect(await login()).toMatchObject({ sub: 'testuser' })
  })

  it('C55 logs in when the new key has the kid of the old one', async () => {
    const { login } = open()
    await login()
    fixture.idp.keys = [await makeKey('key-1')]
    expect(await login()).toMatchObject({ sub: 'testuser' })
  })

  it('F07 asks once for 1,000 tokens with unknown kids, and again after five seconds', async () => {
    let now = Date.now()
    const { login } = open({ now: () => now, http: { maxInFlight: 2000 } })
    await login()
    fixture.idp.behaviour = unknownKid
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => refusal(login(), 'identity_invalid')))
    }
    expect(jwksRequests()).toBe(2)
    now += 4999
    await refusal(login(), 'identity_invalid')
    expect(jwksRequests()).toBe(2)
    now += 1
    await refusal(login(), 'identity_invalid')
    expect(jwksRequests()).toBe(3)
  })

  it('F07 does not ask twice when the set was fetched for the very token it does not fit', async () => {
    await refusal(loginAnew(unknownKid), 'identity_invalid')
    expect(jwksRequests()).toBe(1)
  })

  it('F07 asks again when the clock was put back an hour after the last request', async () => {
    let now = Date.now()
    const { login } = open({ now: () => now, config: { clock_tolerance: '5m' } })
    await login()
    fixture.idp.behaviour = unknownKid
    await refusal(login(), 'identity_invalid')
    now -= 3 * 60_000
    await refusal(login(), 'identity_invalid')
    expect(jwksRequests()).toBeGreaterThanOrEqual(3)
  })

  const answering = (status: number, body: string): Behaviour => ({
    answer: {
      '/jwks': (_request: unknown, response: ServerResponse) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    },
  })

  it.each<[string, Parameters<typeof refusal>[1], () => Behaviour | Promise<Behaviour>]>([
    ['empty', 'identity_invalid', () => answering(200, '{"keys":[]}')],
    ['404', 'unavailable', () => answering(404, '{}')],
    ['500', 'unavailable', () => answering(500, '{}')],
    ['not a key set', 'metadata_invalid', () => answering(200, '{"keys":{}}')],
    ['null', 'metadata_invalid', () => answering(200, 'null')],
    [
      'made of nonsense',
      'identity_invalid',
      () => answering(200, '{"keys":[1,null,"x",{},{"kty":"RSA","kid":"key-1","use":"sig"}]}'),
    ],
    [
      "another upstream's",
      'identity_invalid',
      async () => ({ jwks: ((key) => () => ({ keys: [key.jwk] }))(await makeKey('key-1')) }),
    ],
  ])(
    'F06 rejects when the JWKS is %s, and logs in within a second of its repair',
    async (_name, code, behaviour) => {
      const { login } = open()
      fixture.idp.behaviour = await behaviour()
      await refusal(login(), code)
      fixture.idp.behaviour = {}
      await expect
        .poll(
          () =>
            login().then(
              ({ sub }) => sub,
              () => '',
            ),
          { timeout: 1000, interval: 50 },
        )
        .toBe('testuser')
    },
  )

  it('renews a set behind the scenes after five minutes, and uses none that is an hour old', async () => {
    let now = Date.now()
    const { login } = open({ now: () => now })
    const at = (minutes: number) => {
      now += minutes * 60_000
      fixture.idp.clockOffsetMs = now - Date.now()
    }
    await login()
    fixture.idp.behaviour = answering(503, '')
    at(6)
    expect(await login()).toMatchObject({ sub: 'testuser' })
    await expect.poll(jwksRequests).toBe(2)
    at(53)
    expect(await login()).toMatchObject({ sub: 'testuser' })
    at(2)
    await refusal(login(), 'unavailable')
  })

  const [rsa512, rsa1024] = [512, 1024].map((modulusLength) =>
    generateKeyPairSync('rsa', { modulusLength }),
  )

  it.each<[string, (keys: Record<string, unknown>[]) => unknown[]]>([
    ['twice under one kid', (keys) => [...keys, ...keys]],
    ['for encryption', (keys) => keys.map((key) => ({ ...key, use: 'enc' }))],
    ['for wrapping', (keys) => keys.map((key) => ({ ...key, key_ops: ['wrapKey'] }))],
    ['with its private part', () => fixture.originalKeys.map(privateJwk)],
    ['as another type', (keys) => keys.map((key) => ({ ...key, kty: 'EC', crv: 'P-256' }))],
    ['without kid', (keys) => keys.map((key) => ({ ...key, kid: undefined }))],
  ])('A27 does not use a key that is published %s', async (_name, bend) => {
    const jwks: Behaviour['jwks'] = ({ keys }) => ({
      keys: bend(keys as Record<string, unknown>[]),
    })
    const error = await refusal(loginAnew({ jwks }), 'identity_invalid')
    expect(error.message).toContain('has not exactly one RS256 key')
  })

  it.each([
    [512, rsa512],
    [1024, rsa1024],
  ])('A27 does not use an RSA key of %i bits', async (_bits, pair) => {
    const { privateKey, publicKey } = pair as NonNullable<typeof pair>
    const { sign } = await import('node:crypto')
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1' }
    const behaviour: Behaviour = {
      jwks: () => ({ keys: [jwk] }),
      sign: (input) => sign('sha256', Buffer.from(input), privateKey),
    }
    const error = await refusal(loginAnew(behaviour), 'identity_invalid')
    expect(error.message).toContain('has not exactly one RS256 key')
  })

  it('A27 refuses 10,000 keys in under 200 ms', async () => {
    const { upstream, begin } = open()
    const { url, expected } = await begin()
    const parameters = await fixture.idp.visit(url)
    const keys = Array.from({ length: 10_000 }, (_, index) => ({
      kty: 'RSA',
      kid: `k${index}`,
      n: 'x',
      e: 'AQAB',
    }))
    fixture.idp.behaviour = { jwks: (document) => ({ keys: [...keys, ...document.keys] }) }
    const startedAt = performance.now()
    const error = await refusal(upstream.redeem(parameters, expected), 'metadata_invalid')
    expect(performance.now() - startedAt).toBeLessThan(200)
    expect(error.message).toBe('JWKS: expected at most 100 keys, got 10001')
  })

  it('A27 finds the signing key beside keys of other kinds with the same kid', async () => {
    const ec = await makeKey('key-1', 'ES256')
    const jwks: Behaviour['jwks'] = ({ keys }) => ({
      keys: [{ ...keys[0], use: 'enc' }, ec.jwk, ...keys],
    })
    expect(await loginAnew({ jwks })).toMatchObject({ sub: 'testuser' })
  })
})
