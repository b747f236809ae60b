// What the metadata says and what is there: the same, and nothing else.
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { startChain } from '../test-support/chain.ts'
import { useChain } from '../test-support/use-chain.ts'

type Json = Record<string, unknown>

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
const ALGS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

describe('discovery', () => {
  const on = useChain()
  const metadata = async () =>
    (await (await fetch(`${on.chain.url}/.well-known/openid-configuration`)).json()) as Json

  it('C03 says exactly what is served', async () => {
    const { issuer } = on.chain
    expect(await metadata()).toEqual({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      jwks_uri: `${issuer}/oauth2/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      end_session_endpoint: `${issuer}/connect/logout`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
      introspection_endpoint: `${issuer}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: METHODS.filter((method) => method !== 'none'),
      introspection_endpoint_auth_signing_alg_values_supported: ALGS,
      introspection_signing_alg_values_supported: ['RS256'],
      revocation_endpoint: `${issuer}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ALGS,
      authorization_response_iss_parameter_supported: true,
      claim_types_supported: ['normal'],
      claims_parameter_supported: true,
      claims_supported: expect.arrayContaining([
        'sub',
        'test_auth_server_sub',
        'authorities',
        'preferred_username',
        'name',
      ]) as unknown,
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256'],
      grant_types_supported: ['authorization_code'],
      id_token_signing_alg_values_supported: ['RS256'],
      pushed_authorization_request_endpoint: `${issuer}/oauth2/par`,
      request_uri_parameter_supported: false,
      response_modes_supported: ['query', 'form_post'],
      response_types_supported: ['code'],
      scopes_supported: ['openid', 'profile', 'read'],
      subject_types_supported: ['public'],
      token_endpoint_auth_methods_supported: METHODS,
      token_endpoint_auth_signing_alg_values_supported: ALGS,
    })
  })

  it('C03 the JWKS has a kid, use and alg for each key and no private member', async () => {
    const response = await fetch(String((await metadata())['jwks_uri']))
    const { keys } = (await response.json()) as { keys: Json[] }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] as Json).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect(Buffer.from(String(keys[0]?.['n']), 'base64url')).toHaveLength(384)
  })

  const ANSWERS: [name: string, method: string, status: number][] = [
    ['authorization_endpoint', 'GET', 400],
    ['token_endpoint', 'POST', 400],
    ['jwks_uri', 'GET', 200],
    ['userinfo_endpoint', 'GET', 401],
    ['userinfo_endpoint', 'POST', 401],
    ['end_session_endpoint', 'GET', 200],
    ['introspection_endpoint', 'POST', 400],
    ['revocation_endpoint', 'POST', 400],
    ['pushed_authorization_request_endpoint', 'POST', 400],
  ]
  it.each(ANSWERS)('%s answers %s', async (name, method, status) => {
    const response = await fetch(String((await metadata())[name]), {
      method,
      ...(method === 'POST' ? { body: new URLSearchParams() } : {}),
    })
    expect(response.status).toBe(status)
  })

  it.each([
    '/',
    '/auth',
    '/me',
    '/jwks',
    '/token',
    '/reg',
    '/request',
    '/device',
    '/device/auth',
    '/token/introspection',
    '/token/revocation',
    '/interaction/abcdefghijklmnop',
    '/session/end',
    '/healthz',
    '/readyz',
    '/metrics',
    '/admin',
    '/test-token',
  ])('serves nothing at %s', async (path) => {
    for (const method of ['GET', 'POST'])
      expect((await fetch(on.chain.url + path, { method })).status).toBe(404)
  })

  it('RFC 8414 metadata is the same document', async () => {
    const response = await fetch(`${on.chain.url}/.well-known/oauth-authorization-server`)
    expect(await response.json()).toEqual(await metadata())
  })

  it('gives no other origin access by default', async () => {
    for (const path of [
      '/.well-known/openid-configuration',
      '/oauth2/jwks',
      '/oauth2/token',
      '/userinfo',
    ]) {
      const response = await fetch(on.chain.url + path, {
        headers: { origin: 'https://evil.test' },
      })
      const allowed = response.headers.get('access-control-allow-origin')
      if (path === '/oauth2/token' || path === '/userinfo') expect(allowed).toBeNull()
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    }
  })
})

describe('behind a proxy that speaks https', () => {
  const issuer = 'https://login.example.test'
  const on = useChain({ config: { issuer, trusted_proxies: ['127.0.0.1'] } })
  const forwarded = { 'x-forwarded-host': 'login.example.test', 'x-forwarded-proto': 'https' }

  it('C03 every endpoint is https and under the issuer', async () => {
    const response = await fetch(`${on.chain.url}/.well-known/openid-configuration`, {
      headers: forwarded,
    })
    const metadata = (await response.json()) as Json
    expect(metadata['issuer']).toBe(issuer)
    const urls = Object.entries(metadata)
      .filter(([name]) => /_endpoint$|_uri$/.test(name))
      .map(([, url]) => String(url))
    expect(urls).toHaveLength(8)
    for (const url of urls) expect(url).toMatch(/^https:\/\/login\.example\.test\//)
    expect(response.headers.get('strict-transport-security')).toMatch(/max-age=\d{8,}/)
  })

  it('all cookies are Secure, and those of the whole site have the __Host- prefix', async () => {
    const url = new URL(on.chain.app.request().url)
    const response = await fetch(`${on.chain.url}${url.pathname}${url.search}`, {
      headers: forwarded,
      redirect: 'manual',
    })
    expect(response.status).toBe(302)
    const cookies = response.headers.getSetCookie()
    expect(cookies.length).toBeGreaterThan(2)
    for (const cookie of cookies) {
      expect(cookie).toMatch(/; secure/i)
      expect(cookie).toMatch(/; httponly/i)
      expect(cookie).toMatch(/; samesite=lax/i)
      const isWholeSite = /; path=\/(;|$)/i.test(cookie)
      expect(cookie).toMatch(isWholeSite ? /^__Host-AUTH_ADAPTER_/ : /^__Secure-AUTH_ADAPTER_/)
    }
  })
})

describe('signature algorithms', () => {
  it.each(['ES256', 'PS256', 'EdDSA'])(
    '%s by setting: metadata, keys and both tokens',
    async (alg) => {
      const chain = await startChain({ config: { keys: { alg } } })
      try {
        const browser = chain.newBrowser()
        const request = chain.app.request()
        const { body } = await chain.app.finish(await chain.signIn(browser, request.url), request)
        expect(decodeProtectedHeader(body.access_token)).toMatchObject({ alg, typ: 'at+jwt' })
        expect(decodeProtectedHeader(body.id_token).alg).toBe(alg)
        const metadata = (await (
          await fetch(`${chain.url}/.well-known/openid-configuration`)
        ).json()) as Json
        expect(metadata['id_token_signing_alg_values_supported']).toEqual([alg])
        expect((await chain.app.userinfo(body.access_token)).status).toBe(200)
      } finally {
        await chain.close()
      }
    },
  )
})
