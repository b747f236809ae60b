import { createHash, createHmac, createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { encode, makeKey, signWith } from '../test-support/evil-idp.ts'
import type { Behaviour, SigningKey } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import { verifyIdToken } from './verify-id-token.ts'

type Json = Record<string, unknown>

const fixture = useEvilIdp()
const { login } = fixture

const withClaims = (change: Json): Behaviour => ({ claims: (claims) => ({ ...claims, ...change }) })
const without = (name: string): Behaviour => ({
  claims: (claims) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)),
})
const seconds = () => Math.floor(Date.now() / 1000)

describe(verifyIdToken, () => {
  it('C44 accepts a good ID token and returns its claims with a null prototype', async () => {
    const identity = await login({
      claims: (claims) => ({ ...claims, acr: 'high', amr: ['pwd', 'otp'] }),
    })
    expect(identity).toMatchObject({
      upstream: 'test-auth-server',
      iss: fixture.idp.issuer,
      sub: 'testuser',
      acr: 'high',
      amr: ['pwd', 'otp'],
    })
    expect(Object.getPrototypeOf(identity.idTokenClaims)).toBeNull()
    expect(identity.tokens.expires_at).toBeGreaterThan(seconds() + 290)
  })

  it('C45 rejects another iss and names both', async () => {
    const error = await refusal(
      login(withClaims({ iss: 'https://evil.example' })),
      'identity_invalid',
    )
    expect(error.message).toBe(
      `ID token iss: expected "${fixture.idp.issuer}", got "https://evil.example"`,
    )
  })

  it('C45 rejects an iss that differs by a trailing slash', async () => {
    await refusal(login(withClaims({ iss: `${fixture.idp.issuer}/` })), 'identity_invalid')
  })

  it.each(['iss', 'sub', 'aud', 'iat', 'exp'])(
    'C46 rejects an ID token without %s',
    async (name) => {
      const error = await refusal(login(without(name)), 'identity_invalid')
      expect(error.message).toContain(`ID token ${name}: expected`)
    },
  )

  it.each([
    ['another client', { aud: 'another-client' }],
    ['an empty list', { aud: [] }],
    ['a number', { aud: 7 }],
    ['a second audience without azp', { aud: ['test-client', 'other'] }],
    ['a second audience and a foreign azp', { aud: ['test-client', 'other'], azp: 'other' }],
    ['other audiences though azp is ours', { aud: ['other'], azp: 'test-client' }],
    ['a foreign azp', { azp: 'other' }],
    ['an empty azp', { azp: '' }],
  ])('C47 rejects as audience %s', async (_name, claims) => {
    const error = await refusal(login(withClaims(claims)), 'identity_invalid')
    expect(error.message).toMatch(/ID token (aud|azp): expected .*"test-client"/)
  })

  it.each([
    ['a list of our client id', { aud: ['test-client'] }],
    ['our azp', { azp: 'test-client' }],
    ['a second audience where azp is ours', { aud: ['test-client', 'other'], azp: 'test-client' }],
  ])('C47 accepts as audience %s', async (_name, claims) => {
    expect(await login(withClaims(claims))).toMatchObject({ sub: 'testuser' })
  })

  const withoutKid: Behaviour = { header: ({ alg }) => ({ alg }) }

  it('C48 accepts a token without kid when exactly one key fits', async () => {
    fixture.idp.keys = [...fixture.originalKeys, await makeKey('key-ec', 'ES256')]
    expect(await login(withoutKid)).toMatchObject({ sub: 'testuser' })
  })

  it('C48 rejects a token without kid when several keys fit', async () => {
    fixture.idp.keys = [...fixture.originalKeys, await makeKey('key-2')]
    const error = await refusal(login(withoutKid), 'identity_invalid')
    expect(error.message).toContain('not exactly one RS256 key')
  })

  const unsigned = (alg: string) => (token: string) => `${encode({ alg })}.${token.split('.')[1]}.`

  it.each(['none', 'None', 'nOnE', 'NONE', ''])(
    'C49 A25 rejects an unsigned token with alg "%s"',
    async (alg) => {
      const error = await refusal(login({ idToken: unsigned(alg) }), 'identity_invalid')
      expect(error.message).toBe(`ID token alg: expected RS256, got "${alg}"`)
    },
  )

  const parts = (token: string) => token.split('.') as [string, string, string]

  it.each<[string, (token: string) => string]>([
    ['an empty signature', (token) => `${parts(token)[0]}.${parts(token)[1]}.`],
    ['no signature part', (token) => `${parts(token)[0]}.${parts(token)[1]}`],
    [
      'alg none with the signature kept',
      (token) => `${encode({ alg: 'none' })}.${parts(token)[1]}.${parts(token)[2]}`,
    ],
    ['no alg', (token) => `${encode({ kid: 'key-1' })}.${parts(token)[1]}.${parts(token)[2]}`],
    [
      'a list as alg',
      (token) =>
        `${encode({ alg: ['RS256'], kid: 'key-1' })}.${parts(token)[1]}.${parts(token)[2]}`,
    ],
    ['five parts (a JWE)', (token) => `${token}.a.b`],
    ['an empty string', () => ''],
    ['no JWT at all', () => 'not-a-token'],
  ])('A25 rejects a token with %s', async (_name, idToken) => {
    await refusal(login({ idToken }), 'identity_invalid')
  })

  it.each([
    ['an unknown extension', { crit: ['exp'], exp: 1 }],
    ['b64', { crit: ['b64'], b64: false }],
    ['an empty list', { crit: [] }],
  ])('A25 rejects a well signed token with crit: %s', async (_name, header) => {
    const error = await refusal(
      login({ header: (plain) => ({ ...plain, ...header }) }),
      'identity_invalid',
    )
    expect(error.message).toContain('crit')
  })

  it.each(['RS256', 'ES256', 'PS384', 'EdDSA'])(
    'C50 accepts %s where it is pinned, rejects another key and a bent payload',
    async (alg) => {
      const [right, wrong] = await Promise.all([makeKey('key-1', alg), makeKey('key-1', alg)])
      fixture.idp.keys = [right]
      const options = { config: { id_token_algs: [alg] } }
      expect(await login({}, options)).toMatchObject({ sub: 'testuser' })
      const byAnother = await refusal(
        login({ sign: (input) => signWith(input, wrong) }, options),
        'identity_invalid',
      )
      expect(byAnother.message).toBe(`ID token signature does not verify (alg ${alg}, kid "key-1")`)
      const bend = (token: string) => {
        const [header, payload, signature] = parts(token)
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Json
        return `${header}.${encode({ ...claims, sub: 'admin' })}.${signature}`
      }
      await refusal(login({ idToken: bend }, options), 'identity_invalid')
    },
  )

  it('C51 rejects an algorithm that is not pinned, though a key for it is published', async () => {
    fixture.idp.keys = [await makeKey('key-es', 'ES256')]
    const error = await refusal(login({}), 'identity_invalid')
    expect(error.message).toBe('ID token alg: expected RS256, got "ES256"')
  })

  it('C51 rejects RS256 where the key is published for PS256', async () => {
    const [key] = fixture.originalKeys as [SigningKey]
    const document = { keys: [{ ...key.jwk, alg: 'PS256' }] }
    await refusal(login({ jwks: () => document }), 'identity_invalid')
  })

  const secrets: [string, (key: SigningKey) => string | Buffer][] = [
    ['the JWK', ({ jwk }) => JSON.stringify(jwk)],
    [
      'the PEM',
      ({ jwk }) =>
        createPublicKey({ key: jwk as never, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        }),
    ],
    [
      'the DER',
      ({ jwk }) =>
        createPublicKey({ key: jwk as never, format: 'jwk' }).export({
          type: 'spki',
          format: 'der',
        }),
    ],
    ['the client secret', () => 'test-secret'],
  ]
  it.each(secrets)('A24 C50 rejects HS256 keyed with %s', async (_name, secretOf) => {
    const behaviour: Behaviour = {
      header: ({ kid }) => ({ alg: 'HS256', kid }),
      sign: (input, key) => createHmac('sha256', secretOf(key)).update(input).digest(),
    }
    await refusal(login(behaviour), 'identity_invalid')
  })

  it('A24 rejects HS256 even when the JWKS publishes a symmetric key', async () => {
    const k = Buffer.from('x'.repeat(32)).toString('base64url')
    const behaviour: Behaviour = {
      jwks: ({ keys }) => ({ keys: [...keys, { kty: 'oct', k, kid: 'oct' }] }),
      header: () => ({ alg: 'HS256', kid: 'oct' }),
      sign: (input) => createHmac('sha256', 'x'.repeat(32)).update(input).digest(),
    }
    await refusal(login(behaviour), 'identity_invalid')
  })

  it('A26 rejects keys offered by the header and never calls the address it names', async () => {
    const attacker = await makeKey('attacker')
    let calls = 0
    const server = createServer((_request, response) => {
      calls += 1
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: [attacker.jwk] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    const x5c = [Buffer.from('certificate').toString('base64')]
    const headers: Json[] = [
      { alg: 'RS256', jwk: attacker.jwk },
      { alg: 'RS256', kid: 'attacker', jwk: attacker.jwk },
      { alg: 'RS256', kid: 'attacker', jku: url },
      { alg: 'RS256', kid: 'attacker', x5u: url },
      { alg: 'RS256', kid: 'attacker', x5c },
      { alg: 'RS256', kid: url },
      { alg: 'RS256', kid: '../../../dev/null' },
      { alg: 'RS256', kid: "' OR '1'='1" },
      { alg: 'RS256', kid: '__proto__' },
      { alg: 'RS256', kid: ['key-1'] },
      { alg: 'RS256', kid: 'key-1', jwk: attacker.jwk, jku: url },
    ]
    for (const header of headers) {
      await refusal(
        login({ header: () => header, sign: (input) => signWith(input, attacker) }),
        'identity_invalid',
      )
    }
    expect(calls).toBe(0)
    await new Promise((resolve) => server.close(resolve))
  })

  it('C52 rejects a wrong nonce and a missing one, and shows neither', async () => {
    const wrong = await refusal(
      login(withClaims({ nonce: 'nonce-of-another-login' })),
      'identity_invalid',
    )
    expect(wrong.message).toBe('ID token nonce: not the one of this login')
    const missing = await refusal(login(without('nonce')), 'identity_invalid')
    expect(missing.message).toBe('ID token nonce: missing')
  })

  it('C57 F09 rejects a token that expired six minutes ago', async () => {
    const error = await refusal(login(withClaims({ exp: seconds() - 360 })), 'identity_invalid')
    expect(error.message).toMatch(/^ID token exp: clock: 36\d s past \(clock_tolerance 30 s\)$/)
  })

  it.each([
    ['an hour ahead', 3600],
    ['seven days old', -7 * 86_400],
  ])('F09 rejects an iat %s', async (_name, shift) => {
    const iat = seconds() + shift
    const error = await refusal(login(withClaims({ iat })), 'identity_invalid')
    expect(error.message).toMatch(/^ID token iat: clock: \d+ s (ahead of|behind) ours/)
  })

  it.each([25, -25])('F08 accepts an upstream whose clock is off by %i s', async (offset) => {
    fixture.idp.clockOffsetMs = offset * 1000
    expect(await login({})).toMatchObject({ sub: 'testuser' })
  })

  it.each([120, -120, 3600, -3600])(
    'F08 rejects a clock that is off by %i s, and says by how much',
    async (offset) => {
      fixture.idp.clockOffsetMs = offset * 1000
      const error = await refusal(login({}), 'identity_invalid')
      expect(error.message).toContain('clock')
      const named = Number(/(\d+) s/.exec(error.message)?.[1])
      // An exp in the past is named first, and lies 300 s after iat.
      const expected = offset === -3600 ? 3300 : Math.abs(offset)
      expect(Math.abs(named - expected)).toBeLessThanOrEqual(3)
    },
  )

  it('F08 takes the tolerance from the configuration', async () => {
    fixture.idp.clockOffsetMs = 120_000
    expect(await login({}, { config: { clock_tolerance: '3m' } })).toMatchObject({
      sub: 'testuser',
    })
  })

  it.each([
    ['nbf an hour ahead', { nbf: 33_000_000_000 }],
    ['nbf as text', { nbf: 'soon' }],
    ['exp as text', { exp: '33000000000' }],
    ['exp beyond every calendar', { exp: 1e300 }],
    ['iat null', { iat: null }],
    ['auth_time as text', { auth_time: 'today' }],
    ['a negative auth_time', { auth_time: -1 }],
  ])('rejects %s', async (_name, claims) => {
    await refusal(login(withClaims(claims)), 'identity_invalid')
  })

  it('demands a recent auth_time when max_age was sent', async () => {
    expect(await login({}, {}, { max_age: 60 })).toMatchObject({ sub: 'testuser' })
    const old = await refusal(
      login(withClaims({ auth_time: seconds() - 600 }), {}, { max_age: 60 }),
      'context_unmet',
    )
    expect(old.message).toMatch(/auth_time: expected at most 60 s ago, got 60\d s/)
    const missing = await refusal(login(without('auth_time'), {}, { max_age: 60 }), 'context_unmet')
    expect(missing.message).toBe('ID token auth_time: missing, though max_age was sent')
    expect(await login(withClaims({ auth_time: seconds() - 600 }))).toMatchObject({
      sub: 'testuser',
    })
  })

  it('A49 refuses a sign-in of tomorrow, whatever was asked', async () => {
    const ahead = await refusal(
      login(withClaims({ auth_time: seconds() + 3600 })),
      'identity_invalid',
    )
    expect(ahead.message).toMatch(/auth_time: clock: 3\d{3} s ahead of ours/)
  })

  it.each([
    ['an empty one', ''],
    ['256 characters', 'a'.repeat(256)],
    ['100 kB', 'a'.repeat(100_000)],
    ['a line break', 'a\r\nb'],
    ['a trailing line break', 'testuser\n'],
    ['a NUL', 'a\u0000b'],
    ['letters beyond ASCII', 'jürgen'],
    ['a number', 42],
    ['an object', { toString: 'x' }],
  ])('rejects as sub %s', async (_name, sub) => {
    const error = await refusal(login(withClaims({ sub })), 'identity_invalid')
    expect(error.message).toBe('ID token sub: expected 1 to 255 printable ASCII characters')
  })

  it('accepts a sub of 255 characters', async () => {
    expect(await login(withClaims({ sub: 'a'.repeat(255) }))).toMatchObject({
      sub: 'a'.repeat(255),
    })
  })

  it('checks at_hash and c_hash where they are sent', async () => {
    const half = (value: string) =>
      createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url')
    const accessToken = 'access-token-of-this-test'
    const token = (body: Json) => ({ ...body, access_token: accessToken })
    const good = await login({ ...withClaims({ at_hash: half(accessToken) }), token })
    expect(good.tokens.access_token).toBe(accessToken)
    const wrong = await refusal(
      login({ ...withClaims({ at_hash: half('another') }), token }),
      'identity_invalid',
    )
    expect(wrong.message).toBe('ID token at_hash: does not fit what came with it')
    await refusal(login(withClaims({ c_hash: half('another') })), 'identity_invalid')
  })

  it('leaves __proto__, constructor and prototype out of the claims at every depth', async () => {
    const evil = JSON.parse(
      '{"__proto__":{"admin":true},"a":[{"constructor":1,"b":{"prototype":2,"__proto__":{"x":1},"kept":3}}]}',
    ) as Json
    const { idTokenClaims } = await login({
      claims: (claims) =>
        Object.defineProperties({ ...claims }, Object.getOwnPropertyDescriptors(evil)),
    })
    expect(JSON.stringify(idTokenClaims.a)).toBe('[{"b":{"kept":3}}]')
    expect(Object.keys(idTokenClaims)).not.toContain('__proto__')
    const copy: Json = {}
    for (const key of Object.keys(idTokenClaims)) copy[key] = idTokenClaims[key]
    expect(copy.admin).toBeUndefined()
  })

  it('F10 reads 5,000 groups, and refuses a token over 256 KiB or nested without end', async () => {
    const groups = Array.from({ length: 5000 }, (_, index) => `group-${index}-of-the-company`)
    const identity = await login(withClaims({ groups }))
    expect(identity.idTokenClaims.groups).toHaveLength(5000)
    await refusal(login(withClaims({ blob: 'x'.repeat(256 * 1024) })), 'identity_invalid')
    const nested = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown
    const error = await refusal(login(withClaims({ nested })), 'identity_invalid')
    expect(error.message).toContain('nested too deeply')
  })

  it.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['no JSON', '{"iss":'],
  ])('rejects a signed payload that is %s', async (_name, payload) => {
    const [key] = fixture.originalKeys as [SigningKey]
    const input = `${encode({ alg: 'RS256', kid: 'key-1' })}.${Buffer.from(payload).toString('base64url')}`
    const idToken = () => `${input}.${signWith(input, key).toString('base64url')}`
    await refusal(login({ idToken }), 'identity_invalid')
  })

  it('rejects a token response without an ID token', async () => {
    const token = ({ access_token, token_type }: Json) => ({ access_token, token_type })
    const error = await refusal(login({ token }), 'identity_invalid')
    expect(error.message).toBe('Token response holds no id_token')
  })
})
