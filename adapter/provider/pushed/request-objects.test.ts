// Signed authorization requests: what is taken, and every way in which one is not.
import {
  CompactEncrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type JWK,
} from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { startChain } from '../../test-support/chain.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { post, SECOND } from '../endpoints/test-support/token-calls.ts'
import { requestObjectFault } from './request-objects.ts'

const SIGNER = ['signer', 'signer-secret'] as const
type Key = Parameters<SignJWT['sign']>[0]
const URI = 'http://127.0.0.1:8082/callback'
const STRICT_URI = 'http://127.0.0.1:8083/callback'
const [ec, rsa, stranger] = await Promise.all([
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('PS256', { extractable: true }),
  generateKeyPair('ES256', { extractable: true }),
])
const publicKey = async (key: Parameters<typeof exportJWK>[0], kid: string): Promise<JWK> => ({
  ...(await exportJWK(key)),
  kid,
})
const on = useChain(async () => {
  const keys = [await publicKey(ec.publicKey, 'ec'), await publicKey(rsa.publicKey, 'rsa')]
  const common = { client_secret: SIGNER[1], scope: 'openid profile offline_access', refresh: {} }
  const method = { token_endpoint_auth_method: 'client_secret_basic', jwks: { keys } }
  return {
    config: {
      clients: {
        signer: { ...common, ...method, redirect_uris: [URI] },
        strict: {
          ...common,
          ...method,
          redirect_uris: [STRICT_URI],
          require_signed_request_object: true,
        },
      },
    },
  }
})

const seconds = () => Math.floor(Date.now() / 1000)
type Claims = Record<string, unknown>

function claimsFor(change: Claims = {}) {
  const { url, verifier } = on.chain.app.request({ client_id: 'signer', redirect_uri: URI })
  const parameters = Object.fromEntries(url.searchParams)
  const now = seconds()
  const own = { iss: 'signer', aud: on.chain.issuer, iat: now, nbf: now, exp: now + 60 }
  const claims: Claims = { ...parameters, scope: 'openid profile', ...own, ...change }
  return { claims, verifier }
}

const sign = (claims: Claims, header: object = {}, key: Key = ec.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'ec', ...header }).sign(key)

function asking(request: string, parameters: Record<string, string> = {}): URL {
  const url = new URL('/oauth2/authorize', on.chain.url)
  const outer = { client_id: 'signer', redirect_uri: URI, response_type: 'code', scope: 'openid' }
  url.search = new URLSearchParams({ ...outer, request, ...parameters }).toString()
  return url
}

async function told(url: URL): Promise<Record<string, string>> {
  const response = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html' } })
  const location = response.headers.get('location')
  if (location === null) return { status: String(response.status) }
  return Object.fromEntries(new URL(location, on.chain.url).searchParams)
}

describe('a signed request', () => {
  it.each([
    ['ES256', 'ec', ec.privateKey],
    ['PS256', 'rsa', rsa.privateKey],
    ['RS256', 'rsa', undefined],
  ])('C25 %s: what is in it counts, and nothing beside it', async (alg, kid, given) => {
    const key = given ?? (await importJWK(await exportJWK(rsa.privateKey), 'RS256'))
    const { claims, verifier } = claimsFor({ state: 'signed-state' })
    const request = await sign(claims, { alg, kid, typ: 'oauth-authz-req+jwt' }, key)
    const beside = { state: 'another', scope: 'openid read', redirect_uri: 'https://evil.test/' }
    const visit = await on.chain.signIn(on.chain.newBrowser(), asking(request, beside))
    expect(visit.url.origin + visit.url.pathname).toBe(URI)
    expect(visit.url.searchParams.get('state')).toBe('signed-state')
    const answer = await on.chain.app.redeem(visit.url.searchParams.get('code') ?? '', {
      verifier,
      redirectUri: URI,
      credentials: { clientId: SIGNER[0], secret: SIGNER[1] },
    })
    expect([answer.status, answer.body['scope']]).toEqual([200, 'openid profile'])
  })

  it('may be pushed, and is bound to who pushes it', async () => {
    const { claims } = claimsFor()
    const request = await sign(claims)
    const pushed = await post(on.chain, '/oauth2/par', { client_id: 'signer', request }, SIGNER)
    expect(pushed.status).toBe(201)
    const url = new URL('/oauth2/authorize', on.chain.url)
    const uri = String(pushed.body['request_uri'])
    url.search = new URLSearchParams({ client_id: 'signer', request_uri: uri }).toString()
    const visit = await on.chain.signIn(on.chain.newBrowser(), url)
    expect(visit.url.searchParams.get('state')).toBe(claims['state'])
    const foreign = { client_id: 'second-client', request }
    expect((await post(on.chain, '/oauth2/par', foreign, SECOND)).status).toBe(400)
  })

  it('offline_access and max_age=0 in it are as good as beside it', async () => {
    const browser = on.chain.newBrowser()
    const { claims, verifier } = claimsFor({ scope: 'openid offline_access', max_age: 0 })
    const url = asking(await sign(claims))
    const visit = await on.chain.signIn(browser, url)
    const { body } = await on.chain.app.redeem(visit.url.searchParams.get('code') ?? '', {
      verifier,
      redirectUri: URI,
      credentials: { clientId: SIGNER[0], secret: SIGNER[1] },
    })
    expect(body['scope']).toBe('openid offline_access')
    expect((await browser.open(asking(await sign(claims)))).url.pathname).toBe('/login')
  })

  const BAD: [name: string, make: () => Promise<string>, error?: string][] = [
    ['C24 unsigned', async () => new UnsecuredJWT(claimsFor().claims).encode()],
    ['of a key that is not its own', async () => sign(claimsFor().claims, {}, stranger.privateKey)],
    ['cut', async () => (await sign(claimsFor().claims)).slice(0, -20)],
    ['changed', async () => changed(await sign(claimsFor().claims))],
    ['no JWT', async () => 'request'],
    ['A24 HS256 keyed with the public key', () => withPublicKey()],
    ['A24 HS256 keyed with the secret', () => withSecret(SIGNER[1])],
    ['of another issuer', async () => sign(claimsFor({ iss: 'second-client' }).claims)],
    ['without issuer', async () => sign(claimsFor({ iss: undefined }).claims)],
    ['for another server', async () => sign(claimsFor({ aud: 'https://other.test' }).claims)],
    ['for nobody', async () => sign(claimsFor({ aud: undefined }).claims)],
    ['over', async () => sign(claimsFor({ exp: seconds() - 30 }).claims)],
    ['without end', async () => sign(claimsFor({ exp: undefined }).claims)],
    ['for a day', async () => sign(claimsFor({ exp: seconds() + 86_400 }).claims)],
    ['not yet good', async () => sign(claimsFor({ nbf: seconds() + 60 }).claims)],
    ['made long ago', async () => sign(claimsFor({ nbf: seconds() - 4000 }).claims)],
    ['of another client', async () => sign(claimsFor({ client_id: 'second-client' }).claims)],
    ['of no client', async () => sign(claimsFor({ client_id: undefined }).claims)],
    ['that is a client assertion', async () => sign(claimsFor({ sub: 'signer' }).claims)],
    ['of another type', async () => sign(claimsFor().claims, { typ: 'dpop+jwt' })],
    ['with a request in it', async () => sign(claimsFor({ request: 'x' }).claims)],
    [
      'with a request_uri in it',
      async () => sign(claimsFor({ request_uri: 'https://x.test' }).claims),
    ],
    ['A31 encrypted', () => encrypted()],
    [
      'A48 a scope that is not its own',
      async () => sign(claimsFor({ scope: 'openid read' }).claims),
      'invalid_scope',
    ],
    [
      'A13 without a challenge',
      async () => sign(claimsFor({ code_challenge: undefined }).claims),
      'invalid_request',
    ],
    [
      'a parameter given twice',
      async () => sign(claimsFor({ scope: ['openid', 'profile'] }).claims),
      'invalid_request',
    ],
  ]
  it.each(BAD)('is refused: %s', async (_name, make, error = 'invalid_request_object') => {
    const request = await make()
    const answer = await told(asking(request, { state: 'outer' }))
    expect(answer).toMatchObject({ error, iss: on.chain.issuer })
    const pushed = await post(on.chain, '/oauth2/par', { client_id: 'signer', request }, SIGNER)
    expect([pushed.status, pushed.body['error']]).toEqual([400, error])
  })

  function changed(request: string): string {
    const [head = '', body = '', signature = ''] = request.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
    const other = Buffer.from(JSON.stringify({ ...claims, scope: 'openid' })).toString('base64url')
    return [head, other, signature].join('.')
  }

  const withSecret = async (secret: string) =>
    new SignJWT(claimsFor().claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret))
  const withPublicKey = async () => withSecret(JSON.stringify(await exportJWK(ec.publicKey)))

  async function encrypted(): Promise<string> {
    const plain = Buffer.from(await sign(claimsFor().claims))
    return new CompactEncrypt(plain)
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(await importJWK(await exportJWK(rsa.publicKey), 'RSA-OAEP-256'))
  }

  it('A31 an encrypted request is refused before anything is decrypted: in milliseconds', async () => {
    const header = { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'AAAA' }
    const bomb = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.AAAA.AAAA.AAAA.AAAA`
    const started = performance.now()
    expect((await told(asking(bomb)))['error']).toBe('invalid_request_object')
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it('C24 of an app without keys it is not taken, and never passed over', async () => {
    const { claims } = claimsFor({ iss: 'client', client_id: 'client' })
    const { redirectUri } = on.chain.app
    const url = asking(await sign(claims), { client_id: 'client', redirect_uri: redirectUri })
    expect(await told(url)).toMatchObject({ error: 'request_not_supported' })
  })

  it.each(['https://127.0.0.1:1/request.jwt', 'http://127.0.0.1/'])(
    'C24 A28 a reference is never fetched: %s',
    async (request_uri) => {
      const url = asking('', { request_uri })
      url.searchParams.delete('request')
      expect(await told(url)).toMatchObject({ error: 'request_uri_not_supported' })
    },
  )
})

describe('an app that must sign', () => {
  it('is refused what it has not signed, pushed or not', async () => {
    const { url } = on.chain.app.request({
      client_id: 'strict',
      redirect_uri: STRICT_URI,
      scope: 'openid',
    })
    expect(await told(url)).toMatchObject({ error: 'invalid_request' })
    const form = Object.fromEntries(url.searchParams)
    const pushed = await post(on.chain, '/oauth2/par', form, ['strict', SIGNER[1]])
    expect([pushed.status, pushed.body['error']]).toEqual([400, 'invalid_request'])
  })

  it('needs keys', async () => {
    const clients = { client: { require_signed_request_object: true } }
    await expect(startChain({ config: { clients } })).rejects.toThrow(
      /require_signed_request_object.*Needs jwks/s,
    )
  })
})

describe('discovery', () => {
  it('says that requests may be signed, where some app has keys', async () => {
    const response = await fetch(`${on.chain.url}/.well-known/openid-configuration`)
    expect(await response.json()).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      request_object_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
    })
  })
})

describe(requestObjectFault, () => {
  const now = 1000
  const at = { clientId: 'a', now, isFapi: false }
  beforeAll(() => expect(requestObjectFault({ client_id: 'a', exp: 1060 }, {}, at)).toBeUndefined())

  it.each([undefined, 'JWT', 'jwt', 'oauth-authz-req+jwt', 'application/oauth-authz-req+jwt'])(
    'takes the type %s',
    (typ) => expect(requestObjectFault({ client_id: 'a', exp: 1060 }, { typ }, at)).toBeUndefined(),
  )
  it.each([1, '', 'at+jwt', 'logout+jwt', 'client-authentication+jwt'])(
    'refuses the type %s',
    (typ) => expect(requestObjectFault({ client_id: 'a', exp: 1060 }, { typ }, at)).toMatch(/type/),
  )
})
