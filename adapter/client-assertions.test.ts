// private_key_jwt (RFC 7523) at each endpoint where a client says who it is, and one use of each assertion on all instances.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactEncrypt, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../scripts/redis-server.ts'
import { post, type Form } from './provider/endpoints/test-support/token-calls.ts'
import { createAdapter, type Adapter } from './server.ts'
import { openDriver } from './storage/open-driver.ts'
import type { Driver } from './storage/driver.ts'
import { useChain } from './test-support/use-chain.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const
const seconds = () => Math.floor(Date.now() / 1000)
const uuid = () => crypto.randomUUID()

interface Signer {
  privateKey: CryptoKey
  publicJwk: JWK
}

async function signer(alg: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, publicJwk: await exportJWK(publicKey) }
}

const signers = Object.fromEntries(
  await Promise.all(ALGS.map(async (alg) => [alg, await signer(alg)] as const)),
) as Record<(typeof ALGS)[number], Signer>
const successor = await signer('ES256')
const stranger = await signer('ES256')

const machine = (publicJwk: JWK, more = {}) => ({
  grant_types: ['client_credentials'],
  scope: 'openid jobs',
  jwks: { keys: [publicJwk] },
  ...more,
})
const clients = {
  ...Object.fromEntries(ALGS.map((alg) => [alg.toLowerCase(), machine(signers[alg].publicJwk)])),
  es25: machine(signers.ES256.publicJwk),
  two: machine(signers.ES256.publicJwk, {
    jwks: {
      keys: [
        { ...signers.ES256.publicJwk, kid: 'old' },
        { ...successor.publicJwk, kid: 'new' },
      ],
    },
  }),
  pinned: machine(signers.RS256.publicJwk, { token_endpoint_auth_signing_alg: 'PS256' }),
  web: {
    jwks: { keys: [signers.ES256.publicJwk] },
    redirect_uris: ['http://127.0.0.1:8082/cb'],
    scope: 'openid profile read',
  },
  terminal: {
    jwks: { keys: [signers.ES256.publicJwk] },
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    scope: 'openid profile',
  },
}

interface Changes {
  claims?: object
  header?: object
  key?: CryptoKey
}

function assertion(issuer: string, client: string, changes: Changes = {}): Promise<string> {
  const claims = { iss: client, sub: client, aud: issuer, jti: uuid(), iat: seconds() }
  return new SignJWT({ ...claims, exp: seconds() + 60, ...changes.claims })
    .setProtectedHeader({ alg: 'ES256', ...changes.header })
    .sign(changes.key ?? signers.ES256.privateKey)
}

const proof = (client_assertion: string) => ({ client_assertion, client_assertion_type: TYPE })

describe('private_key_jwt', () => {
  const on = useChain({ config: { clients } })
  const ask = (form: Form) =>
    post(on.chain, '/oauth2/token', { grant_type: 'client_credentials', ...form }, null)
  const askWith = async (client: string, changes?: Changes) =>
    ask(proof(await assertion(on.chain.issuer, client, changes)))
  const reasons = () => on.chain.events('token.refused').map(({ reason }) => reason)

  it.each(ALGS)('%s: a key of the client gives a token', async (alg) => {
    const client = alg.toLowerCase()
    const answer = await askWith(client, { header: { alg }, key: signers[alg].privateKey })
    expect([answer.status, answer.body['token_type']]).toEqual([200, 'Bearer'])
  })

  it('while one key replaces the other both are good, each by its name', async () => {
    const old = await askWith('two', { header: { kid: 'old' } })
    const fresh = await askWith('two', { header: { kid: 'new' }, key: successor.privateKey })
    const wrong = await askWith('two', { header: { kid: 'old' }, key: successor.privateKey })
    expect([old.status, fresh.status, wrong.status]).toEqual([200, 200, 401])
  })

  const AUDIENCES: [name: string, aud: (issuer: string) => unknown, status: number][] = [
    ['the issuer', (issuer) => issuer, 200],
    ['the token endpoint', (issuer) => `${issuer}/oauth2/token`, 200],
    ['a list of both', (issuer) => [issuer, `${issuer}/oauth2/token`], 200],
    [
      'CVE-2025-27370 a list that also names another server',
      (issuer) => [issuer, 'https://evil.test'],
      401,
    ],
    ['the issuer with a slash', (issuer) => `${issuer}/`, 401],
    ['another endpoint of ours', (issuer) => `${issuer}/oauth2/introspect`, 401],
    ['another server', () => 'https://evil.test', 401],
    ['an empty list', () => [], 401],
  ]
  it.each(AUDIENCES)('for %s', async (_name, aud, status) => {
    expect((await askWith('es256', { claims: { aud: aud(on.chain.issuer) } })).status).toBe(status)
  })

  const WRONG: [name: string, changes: () => Changes, reason: RegExp][] = [
    ['a key of somebody else', () => ({ key: stranger.privateKey }), /failed/],
    [
      'an algorithm that is not for its key',
      () => ({ header: { alg: 'PS256' }, key: signers.PS256.privateKey }),
      /no applicable key/,
    ],
    ['iss of another client', () => ({ claims: { iss: 'web' } }), /iss .* must be the client_id/],
    ['no jti', () => ({ claims: { jti: undefined } }), /jti/],
    ['a jti of 513 characters', () => ({ claims: { jti: 'j'.repeat(513) } }), /512/],
    ['no exp', () => ({ claims: { exp: undefined } }), /expiration must be specified/],
    ['an exp that is over', () => ({ claims: { exp: seconds() - 60 } }), /expired/],
    ['an exp two hours away', () => ({ claims: { exp: seconds() + 7200 } }), /3600 s away/],
    ['an nbf that lies ahead', () => ({ claims: { nbf: seconds() + 120 } }), /not active yet/],
    ['an iat that lies ahead', () => ({ claims: { iat: seconds() + 120 } }), /not to lie ahead/],
    ['an iat of yesterday', () => ({ claims: { iat: seconds() - 86_400 } }), /too long ago/],
    [
      'RFC 8725 3.11 the type of a DPoP proof',
      () => ({ header: { typ: 'dpop+jwt' } }),
      /type of JWT/,
    ],
    [
      'RFC 8725 3.11 the type of a request object',
      () => ({ header: { typ: 'oauth-authz-req+jwt' } }),
      /type of JWT/,
    ],
    [
      'a header with a key of its own',
      () => ({ header: { jwk: stranger.publicJwk }, key: stranger.privateKey }),
      /failed/,
    ],
  ]
  it.each(WRONG)('%s is refused, and only the log says why', async (_name, changes, reason) => {
    const before = reasons().length
    const answer = await askWith('es256', changes())
    expect([answer.status, answer.body]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'client authentication failed' },
    ])
    expect(reasons().slice(before)).toEqual([expect.stringMatching(reason)])
  })

  it('the type that RFC 7523bis asks for is welcome, and so is JWT', async () => {
    for (const typ of ['JWT', 'client-authentication+jwt', 'application/client-authentication+jwt'])
      expect((await askWith('es256', { header: { typ } })).status).toBe(200)
  })

  it('token_endpoint_auth_signing_alg: one key, and of its two algorithms only the configured one', async () => {
    const key = signers.RS256.privateKey
    expect((await askWith('pinned', { header: { alg: 'RS256' }, key })).status).toBe(401)
  })

  it('HS256 with anything for a secret is refused', async () => {
    const jwt = await new SignJWT({ iss: 'es256', sub: 'es256', aud: on.chain.issuer, jti: uuid() })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(JSON.stringify(signers.ES256.publicJwk)))
    expect((await ask(proof(jwt))).status).toBe(401)
  })

  const OTHER_WAYS: [name: string, form: Record<string, string>, status: number][] = [
    ['nothing but its name', { client_id: 'es256' }, 401],
    ['a secret', { client_id: 'es256', client_secret: 'guess' }, 401],
    [
      'a type of assertion that is not this one',
      { client_id: 'es256', client_assertion: 'x.y.z', client_assertion_type: 'saml' },
      400,
    ],
    [
      'half an assertion',
      { client_assertion: 'eyJhbGciOiJFUzI1NiJ9', client_assertion_type: TYPE },
      400,
    ],
  ]
  it.each(OTHER_WAYS)('a client with keys, and %s', async (_name, form, status) => {
    expect((await ask(form)).status).toBe(status)
  })

  it('another client_id beside the assertion, or a secret too, is refused', async () => {
    const jwt = await assertion(on.chain.issuer, 'es256')
    expect((await ask({ ...proof(jwt), client_id: 'web' })).status).toBe(400)
    expect((await ask({ ...proof(jwt), client_secret: 'secret' })).status).toBe(400)
  })

  it('a client with a secret does not prove itself with a key', async () => {
    expect((await askWith('client')).status).toBe(401)
  })

  it('a code is redeemed with it, and its tokens are introspected and revoked with it', async () => {
    const request = on.chain.app.request({
      client_id: 'web',
      redirect_uri: clients.web.redirect_uris[0],
    })
    const { url } = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const code = url.searchParams.get('code') ?? ''
    const authenticated = async (form: Record<string, string>) => ({
      ...form,
      ...proof(await assertion(on.chain.issuer, 'web')),
    })
    const redeem = {
      grant_type: 'authorization_code',
      redirect_uri: clients.web.redirect_uris[0] as string,
      code_verifier: request.verifier,
      code,
    }
    const issued = await post(on.chain, '/oauth2/token', await authenticated(redeem), null)
    const token = String(issued.body['access_token'])
    const introspect = async () =>
      (await post(on.chain, '/oauth2/introspect', await authenticated({ token }), null)).body
    expect(await introspect()).toMatchObject({ active: true, client_id: 'web' })
    const revoked = await post(on.chain, '/oauth2/revoke', await authenticated({ token }), null)
    expect(revoked.status).toBe(200)
    expect(await introspect()).toEqual({ active: false })
  })

  it('each endpoint takes its own address as audience, and nobody without a proof', async () => {
    for (const path of ['/oauth2/introspect', '/oauth2/revoke']) {
      const aud = `${on.chain.issuer}${path}`
      const jwt = await assertion(on.chain.issuer, 'web', { claims: { aud } })
      expect((await post(on.chain, path, { token: 'x', ...proof(jwt) }, null)).status).toBe(200)
      expect((await post(on.chain, path, { token: 'x', client_id: 'web' }, null)).status).toBe(401)
    }
  })

  it('a request is pushed and a device begins with it, and neither without', async () => {
    const { issuer } = on.chain
    const { searchParams } = on.chain.app.request({
      client_id: 'web',
      redirect_uri: clients.web.redirect_uris[0],
    }).url
    const requests: [path: string, client: string, form: Record<string, string>, status: number][] =
      [
        ['/oauth2/par', 'web', Object.fromEntries(searchParams), 201],
        [
          '/oauth2/device_authorization',
          'terminal',
          { client_id: 'terminal', scope: 'openid' },
          200,
        ],
      ]
    for (const [path, client, form, status] of requests)
      for (const aud of [issuer, `${issuer}${path}`]) {
        const jwt = await assertion(issuer, client, { claims: { aud } })
        expect((await post(on.chain, path, { ...form, ...proof(jwt) }, null)).status).toBe(status)
        expect((await post(on.chain, path, { ...form, ...proof(jwt) }, null)).status).toBe(401)
        expect((await post(on.chain, path, form, null)).status).toBe(401)
      }
  })

  it('A31 an encrypted assertion is refused at once: PBES2 with as many rounds as fit, direct, zipped', async () => {
    const jwt = new TextEncoder().encode(await assertion(on.chain.issuer, 'es256'))
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const rounds = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2_147_483_647, p2s: 'c2FsdA' }
    const zipped = { alg: 'dir', enc: 'A128GCM', zip: 'DEF' }
    const direct = await new CompactEncrypt(jwt)
      .setProtectedHeader({ alg: 'dir', enc: 'A128GCM' })
      .encrypt(new Uint8Array(16))
    const parts = direct.split('.').slice(1).join('.')
    for (const jwe of [direct, `${encode(rounds)}.${parts}`, `${encode(zipped)}.${parts}`]) {
      const answer = await ask(proof(jwe))
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request'])
      expect(answer.text).not.toContain(jwe)
    }
  })

  it('A31 no other place takes an encrypted token either, and no encryption is advertised', async () => {
    const jwe = await new CompactEncrypt(new TextEncoder().encode('{}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A128GCM' })
      .encrypt(new Uint8Array(16))
    const headers = { authorization: `Bearer ${jwe}` }
    expect((await fetch(`${on.chain.url}/userinfo`, { headers })).status).toBe(401)
    expect((await post(on.chain, '/oauth2/introspect', { token: jwe })).body).toEqual({
      active: false,
    })
    const logout = `${on.chain.url}/connect/logout?id_token_hint=${jwe}`
    expect((await fetch(logout, { redirect: 'manual' })).status).toBe(400)
    const metadata = await (await fetch(`${on.chain.url}/.well-known/openid-configuration`)).text()
    expect(metadata).not.toContain('encryption')
  })
})

describe.each(['sqlite', 'redis'] as const)('A22 two instances on one %s', (storage) => {
  let redis: RedisServer | undefined
  const on = useChain(async () => {
    if (storage === 'sqlite') return { storage, config: { clients } }
    redis = await startRedis()
    return { config: { clients, storage: { driver: 'redis', url: redis.url } } }
  })
  let second: Adapter
  let driver: Driver
  const server = createServer((request, response) => {
    // As a balancer passes it on.
    request.headers.host = new URL(on.chain.issuer).host
    second.app(request, response)
  })

  beforeAll(async () => {
    const { config, secrets, log } = on.chain
    const now = () => Date.now()
    driver = await openDriver(config.storage, { now, log })
    second = await createAdapter({ config, driver, secrets, log, now, version: '0.0.0-test' })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve))
    await second.close()
    await driver.close()
  })
  afterAll(() => redis?.stop())

  /** At the first instance, or the other one. */
  const ask = (index: number, jwt: string): Promise<number> => {
    const { port } = server.address() as AddressInfo
    const url = index % 2 === 0 ? on.chain.url : `http://127.0.0.1:${port}`
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...proof(jwt) })
    return fetch(`${url}/oauth2/token`, { method: 'POST', body }).then(({ status }) => status)
  }
  const times = (jwt: string) =>
    Promise.all(Array.from({ length: 50 }, (_, index) => ask(index, jwt)))

  it('A22 (CVE-2020-5300, CVE-2020-15222) one assertion 50 times at once: one 200, and 401 for the rest and later', async () => {
    for (let round = 0; round < 3; round += 1) {
      const jwt = await assertion(on.chain.issuer, 'es256')
      const statuses = await times(jwt)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.filter((status) => status === 401)).toHaveLength(49)
      expect([await ask(0, jwt), await ask(1, jwt)]).toEqual([401, 401])
    }
  })

  it('A22 another assertion with the same jti is the same use, at the other instance too', async () => {
    const claims = { jti: uuid() }
    const first = await assertion(on.chain.issuer, 'es256', { claims })
    const other = await assertion(on.chain.issuer, 'es256', {
      claims: { ...claims, exp: seconds() + 90 },
    })
    expect([await ask(0, first), await ask(1, other)]).toEqual([200, 401])
  })

  it('A22 a jti that differs in case or space alone is counted apart, and so is the same of another client', async () => {
    const jti = `jti ${uuid()}`
    for (const [index, other] of [jti, jti.toUpperCase(), `${jti} `, ` ${jti}`].entries()) {
      const jwt = await assertion(on.chain.issuer, 'es256', { claims: { jti: other } })
      expect(await ask(index, jwt)).toBe(200)
      expect(await ask(index + 1, jwt)).toBe(401)
    }
    const others = await assertion(on.chain.issuer, 'two', {
      claims: { jti },
      header: { kid: 'old' },
    })
    expect(await ask(0, others)).toBe(200)
  })

  it('A22 what one client said does not use up what another will say, though both begin alike', async () => {
    const jti = uuid()
    const mine = await assertion(on.chain.issuer, 'es25', { claims: { jti: `6${jti}` } })
    const others = await assertion(on.chain.issuer, 'es256', { claims: { jti } })
    expect([await ask(0, mine), await ask(0, others)]).toEqual([200, 200])
  })
})
