import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSecretName, REDACTED, redactText } from './redact-text.ts'
import { redactFields, redactValue } from './redact.ts'

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const base64url = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...BASE64URL), minLength, maxLength })

const random256 = base64url(43, 86)
const jwt = fc
  .tuple(base64url(10, 60), base64url(1, 200), base64url(20, 90))
  .map(([header, payload, signature]) => `eyJ${header}.${payload}.${signature}`)
const secretName = fc.constantFrom(
  'code',
  'state',
  'nonce',
  'code_verifier',
  'access_token',
  'id_token',
  'refresh_token',
  'id_token_hint',
  'client_secret',
  'client_assertion',
  'request',
  'request_uri',
  'logout_token',
  'password',
  'Authorization',
  'Cookie',
  'Set-Cookie',
  'DPoP',
  'accessToken',
  'clientSecret',
  'codeVerifier',
  'registration_access_token',
  'sealing_key',
  'xsrf',
)
const parameterName = fc.constantFrom(
  'code',
  'state',
  'nonce',
  'code_verifier',
  'access_token',
  'id_token',
  'refresh_token',
  'id_token_hint',
  'client_secret',
  'client_assertion',
  'request',
  'request_uri',
  'logout_token',
  'password',
  'CODE',
  'xsrf',
  'code_challenge',
)
const shortSecret = fc.string({
  unit: fc.constantFrom(...'abcdefghijkmnpqrstuvwxyzABCDEFGH23456789'),
  minLength: 12,
  maxLength: 24,
})
const plainText = fc.string({
  unit: fc.constantFrom(...'abc xyz.,:/?&="\'<>(){}[]\n%|'),
  maxLength: 40,
})

/** Puts a value somewhere into a structure that a log call might be given. */
const somewhere = (value: unknown): fc.Arbitrary<unknown> =>
  fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 5 }).map((path) =>
    path.reduce<unknown>(
      (inner, turn) =>
        [
          { a: inner },
          [1, inner],
          new Map([['m', inner]]),
          new Error('failed', { cause: inner }),
          Object.assign(new Error(String(inner instanceof Error ? inner.message : inner)), {
            code: 'E_X',
          }),
          new AggregateError([inner instanceof Error ? inner : new Error(String(inner))]),
          new Set([inner]),
          { error: inner, at: new Date(0) },
        ][turn],
      value,
    ),
  )

const logged = (value: unknown) => JSON.stringify(redactFields({ field: value }, { stacks: true }))

describe('A43 no secret comes out', () => {
  const hidden = (
    secret: fc.Arbitrary<string>,
    text: (secret: string, before: string, after: string) => string,
  ) =>
    fc.assert(
      fc.property(
        secret.chain((value) =>
          fc.tuple(
            fc.constant(value),
            fc
              .tuple(plainText, plainText)
              .chain(([before, after]) => somewhere(text(value, before, after))),
          ),
        ),
        ([value, structure]) => {
          expect(logged(structure)).not.toContain(value)
        },
      ),
      { numRuns: 500 },
    )

  it('known by its looks: 256 random bits, anywhere in any text, at any depth', () => {
    hidden(random256, (secret, before, after) => `${before} ${secret} ${after}`)
    hidden(random256, (secret, before, after) => `${before}/${secret}/${after}`)
    hidden(random256, (secret, before, after) => `${before}"${secret}"${after}`)
  })

  it('known by its looks: a JWT', () => {
    hidden(jwt, (secret, before, after) => `${before} ${secret} ${after}`)
    hidden(jwt, (secret, before, after) => `${before}(${secret})${after}`)
  })

  it('known by its looks: credentials of an Authorization header or a URL', () => {
    hidden(shortSecret, (secret, before, after) => `${before} Bearer ${secret} ${after}`)
    hidden(shortSecret, (secret, before, after) => `${before} Basic ${secret}== ${after}`)
    hidden(
      shortSecret,
      (secret, before, after) => `${before} redis://user:${secret}@host:6379 ${after}`,
    )
  })

  it('known by its name: parameters of a URL, plain, encoded and twice encoded', () => {
    const text = fc.tuple(parameterName, shortSecret)
    fc.assert(
      fc.property(text, plainText, ([name, secret], around) => {
        const url = `https://op.example/cb?a=1&${name}=${secret}&b=2#${name}=${secret}`
        for (const shown of [
          url,
          encodeURIComponent(url),
          encodeURIComponent(encodeURIComponent(url)),
          new URL(url),
        ])
          expect(logged({ url: shown })).not.toContain(secret)
        expect(logged(`${around} ${url} ${around}`)).not.toContain(secret)
        expect(redactText(url)).toContain('b=2')
      }),
    )
  })

  it('known by its name: JSON and printed objects inside a text', () => {
    fc.assert(
      fc.property(
        parameterName,
        shortSecret,
        fc.string({ maxLength: 10 }),
        (name, secret, tail) => {
          const value = `${tail} ${secret}`
          for (const text of [
            JSON.stringify({ a: 1, [name]: value }),
            JSON.stringify(JSON.stringify({ [name]: secret })),
            `{ ${name}: '${secret}' }`,
          ])
            expect(logged(`answer was ${text}`)).not.toContain(secret)
        },
      ),
    )
  })

  it('known by its name: fields at any depth, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.tuple(secretName, shortSecret).chain(([name, secret]) =>
          fc.tuple(
            fc.constant(secret),
            fc
              .constantFrom<unknown>(secret, [secret], { x: secret })
              .chain((value) => somewhere({ [name]: value })),
          ),
        ),
        ([secret, structure]) => {
          // Inside new Error(String(object)) the object is gone already.
          expect(logged(structure)).not.toContain(secret)
        },
      ),
    )
  })

  it('cut in two by the limit of a text', () => {
    fc.assert(
      fc.property(
        random256,
        fc.integer({ min: 8100, max: 8200 }),
        fc.integer({ min: 16_300, max: 16_400 }),
        (secret, first, second) => {
          const text = `${'word '.repeat(first / 5)}${secret} ${'word '.repeat((second - first) / 5)}${secret} ${'x '.repeat(9000)}`
          const shown = redactText(text)
          for (let at = 0; at + 20 <= secret.length; at += 1)
            expect(shown).not.toContain(secret.slice(at, at + 20))
        },
      ),
      { numRuns: 50 },
    )
  })

  it('as the name of a field', () => {
    fc.assert(
      fc.property(random256, (secret) => {
        expect(logged({ [secret]: 1 })).not.toContain(secret)
      }),
    )
  })

  it('in the code of an error', () => {
    const secret = 'a'.repeat(43)
    expect(logged(Object.assign(new Error('x'), { code: secret }))).not.toContain(secret)
  })
})

describe('what is useful stays', () => {
  it.each([
    'http://127.0.0.1:9000/oauth2/authorization/test-auth-server',
    'redirect_uri did not match, expected iss "https://a.example", got "https://b.example"',
    '/srv/auth-adapter/adapter/upstream/oidc-upstream.ts:41:7',
    '2026-11-21T07:25:51.523Z',
    '4ff1f3a0-8a6d-4c3e-9b0a-6f5b1f9b2a11',
    'connect ECONNREFUSED 127.0.0.1:9001',
    'grant_type=authorization_code&redirect_uri=http://127.0.0.1:8080/cb',
    'state machine is ready, code path taken',
  ])('%s', (text) => expect(redactText(text)).toBe(text))

  it.each(['already_consumed', 'unavailable', 'not_started_here', 'ECONNREFUSED', 'ERR_SOCKET'])(
    'the code of an error: %s',
    (code) => expect(redactFields({ code })).toEqual({ code }),
  )

  it('names that only look like secrets', () => {
    const fields = {
      client_id: 'client',
      token_type: 'Bearer',
      grant_type: 'x',
      status: 200,
      flow_id: 'k3J',
      expires_in: 3,
      keys: 2,
    }
    expect(redactFields(fields)).toEqual(fields)
  })

  it('the chain of causes, with codes; stacks only of errors without a code', () => {
    const error = new Error('outer', {
      cause: Object.assign(new Error('inner'), { code: 'ECONNREFUSED', syscall: 'connect' }),
    })
    expect(redactValue(error)).toMatchObject({
      name: 'Error',
      message: 'outer',
      stack: /outer/,
      cause: { code: 'ECONNREFUSED', syscall: 'connect' },
    } as never)
    expect(redactValue(error)).not.toHaveProperty('cause.stack')
    expect(redactValue(error, { stacks: true })).toHaveProperty('cause.stack')
  })
})

describe('whatever it is given', () => {
  it('stays within bounds: depth, entries, length, cycles', () => {
    const cyclic: Record<string, unknown> = {
      text: 'x y '.repeat(100_000),
      list: Array.from({ length: 5000 }, () => 1),
    }
    cyclic['self'] = cyclic
    const error = new Error('round')
    error.cause = error
    expect(logged({ cyclic, error }).length).toBeLessThan(120_000)
    expect(logged({ list: cyclic['list'] }).length).toBeLessThan(400)
  })

  it('never throws and gives JSON', () => {
    const throwing = {
      get a(): string {
        throw new Error('no')
      },
    }
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => void JSON.parse(logged([value, throwing])),
      ),
    )
  })

  it('A41 copies __proto__ as a name like any other', () => {
    const shown = redactFields(
      JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'),
    )
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
    expect(Object.keys(shown)).toContain('__proto__')
  })

  it('takes linear time for texts made to be slow', () => {
    const started = performance.now()
    for (const piece of [
      'a',
      'token',
      '%3D',
      'eyJ.',
      '-',
      '@a.',
      'code=',
      '"code":"\\',
      'Bearer ',
      '-----BEGIN KEY-----',
      'cookie: ',
      '://',
    ])
      redactText(piece.repeat(20_000))
    expect(performance.now() - started).toBeLessThan(2000)
  })
})

describe(isSecretName, () => {
  it('knows a name in each way of writing', () => {
    for (const name of [
      'client_secret',
      'clientSecret',
      'Client-Secret',
      'CLIENT_SECRET',
      'Set-Cookie',
      'id_token_hint',
    ])
      expect([name, isSecretName(name)]).toEqual([name, true])
    expect(redactFields({ 'X-Api-Token': 'x' })).toEqual({ 'X-Api-Token': REDACTED })
  })
})
