import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { startEvilIdp } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

const fixture = useEvilIdp()

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-key-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

function settings(key: KeyObject | string, more: Record<string, unknown> = {}) {
  const client_key = join(folder, 'key')
  const pem = typeof key === 'string' ? key : key.export({ format: 'pem', type: 'pkcs8' })
  writeFileSync(client_key, pem)
  return {
    config: {
      client_auth_method: 'private_key_jwt',
      client_secret: undefined,
      client_key,
      ...more,
    },
  }
}

/** The parameters of the token requests that the fixture's identity provider got. */
const tokenRequests = (requests = fixture.idp.requests) =>
  requests
    .filter(({ line }) => line === 'POST /token')
    .map(({ body, headers }) => ({ parameters: new URLSearchParams(body), headers }))

describe('private_key_jwt', () => {
  it.each([
    {
      name: 'P-256 PEM',
      key: ec,
      more: { client_key_id: 'ours' },
      header: { alg: 'ES256', kid: 'ours' },
    },
    { name: 'RSA PEM', key: rsa, more: {}, header: { alg: 'RS256' } },
    {
      name: 'RSA JWK of another alg',
      key: JSON.stringify({ ...rsa.export({ format: 'jwk' }), alg: 'PS384', kid: 'from-jwk' }),
      more: {},
      header: { alg: 'PS384', kid: 'from-jwk' },
    },
  ])('proves who we are with a $name: aud the issuer, a minute of life, a jti', async (row) => {
    // This identity provider knows secrets only: what matters is what it was sent.
    await fixture.login({}, settings(row.key, row.more)).catch(() => {})
    await fixture.login({}, settings(row.key, row.more)).catch(() => {})
    const publicKey = createPublicKey(row.header.alg === 'ES256' ? ec : rsa)
    const jtis = new Set<unknown>()
    for (const { parameters, headers } of tokenRequests()) {
      const assertion = parameters.get('client_assertion') as string
      const { payload } = await jwtVerify(assertion, publicKey)
      expect(decodeProtectedHeader(assertion)).toEqual(row.header)
      expect(payload).toMatchObject({ iss: 'test-client', sub: 'test-client' })
      expect(payload.aud).toBe(fixture.idp.issuer)
      expect((payload.exp as number) - (payload.iat as number)).toBeLessThanOrEqual(60)
      expect(parameters.get('client_assertion_type')).toBe(
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
      expect(parameters.has('client_secret')).toBe(false)
      expect(headers.authorization).toBeUndefined()
      jtis.add(payload.jti)
    }
    expect(jtis.size).toBe(2)
    expect(jtis).not.toContain(undefined)
  })

  it("A23 audience injection: an upstream that names a victim's token endpoint gets no assertion for the victim", async () => {
    const victim = await startEvilIdp()
    try {
      const token_endpoint = `${victim.issuer}/token`
      const behaviour = { discovery: (document: object) => ({ ...document, token_endpoint }) }
      await refusal(fixture.login(behaviour, settings(ec)), 'client_rejected')
      const [sent, ...others] = tokenRequests([...victim.requests])
      const assertion = sent?.parameters.get('client_assertion') as string
      const { payload } = await jwtVerify(assertion, createPublicKey(ec))
      expect(payload.aud).toBe(fixture.idp.issuer)
      expect(others).toEqual([])
    } finally {
      await victim.close()
    }
  })

  it.each([
    ['what is no key', 'nothing'],
    ['a public JWK', JSON.stringify(createPublicKey(ec).export({ format: 'jwk' }))],
    ['a short RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey],
    ['a curve of another use', generateKeyPairSync('x25519').privateKey],
  ])('refuses %s at start, and shows nothing of it', (_name, key) => {
    const opening = () => fixture.open(settings(key))
    expect(opening).toThrow(ConfigError)
    expect(opening).toThrow(
      /^upstreams\.test-auth-server\.client_key: (can not read|Expected an RSA)/,
    )
  })
})

describe('apple_jwt', () => {
  const apple = { client_auth_method: 'apple_jwt', team_id: 'DEF123GHIJ' }

  it('makes the client secret from the key: the team about the client, for the issuer, ES256', async () => {
    const options = settings(ec, { ...apple, client_key_id: 'ABC123DEFG' })
    await fixture.login({}, options).catch(() => {})
    const [sent] = tokenRequests()
    const secret = sent?.parameters.get('client_secret') as string
    const { payload, protectedHeader } = await jwtVerify(secret, createPublicKey(ec))
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'ABC123DEFG' })
    expect(payload).toMatchObject({
      iss: 'DEF123GHIJ',
      sub: 'test-client',
      aud: fixture.idp.issuer,
    })
    expect((payload.exp as number) - (payload.iat as number)).toBe(300)
    expect(sent?.parameters.get('client_id')).toBe('test-client')
    expect(sent?.parameters.has('client_assertion')).toBe(false)
    expect(sent?.headers.authorization).toBeUndefined()
  })

  it('refuses a key of another kind, and one without an id, at start', () => {
    const opening = (key: KeyObject, more: object) => () =>
      fixture.open(settings(key, { ...apple, ...more }))
    expect(opening(rsa, { client_key_id: 'ABC123DEFG' })).toThrow(
      /client_key: Expected a P-256 key/,
    )
    expect(opening(ec, {})).toThrow(/client_key_id: is needed/)
  })
})
