// Introspection: who may ask after which token, what is told, and when a token is over.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { basic, claimsOf, type TokenAnswer } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { CLIENT, forgeries, login, post, resigned, SECOND } from './test-support/token-calls.ts'

const PUBLIC = 'public-client'
const INACTIVE = '{"active":false}'
const on = useChain({
  config: { clients: { [PUBLIC]: { redirect_uris: ['http://127.0.0.1:8099/callback'] } } },
})
const clock = useClock()
const introspect = (
  token: string,
  credentials?: readonly [string, string],
  headers?: Record<string, string>,
) => post(on.chain, '/oauth2/introspect', { token }, credentials, headers)

describe('introspection of a JWT access token', () => {
  let tokens: TokenAnswer['body']
  beforeAll(async () => {
    tokens = await login(on.chain)
  })

  it('tells the client it was issued to what is in it', async () => {
    const { status, headers, body } = await introspect(tokens.access_token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      ...claimsOf(tokens.access_token),
      active: true,
      token_type: 'Bearer',
    })
    expect(body).toMatchObject({ sub: 'testuser', scope: 'openid profile read' })
    expect(body['auth_time']).toEqual(expect.any(Number))
  })

  it.each(['access_token', 'refresh_token', 'unheard-of'])(
    'the hint %s changes nothing',
    async (token_type_hint) => {
      const form = { token: tokens.access_token, token_type_hint }
      expect((await post(on.chain, '/oauth2/introspect', form)).body['active']).toBe(true)
    },
  )

  it('A18 another client learns nothing', async () => {
    const { status, text } = await introspect(tokens.access_token, SECOND)
    expect([status, text]).toEqual([200, INACTIVE])
  })

  it('A18 an ID token is no access token', async () => {
    expect((await introspect(tokens.id_token)).text).toBe(INACTIVE)
  })

  it('A18 A25 what is cut, forged or unsigned is inactive, and nothing else is said', async () => {
    for (const [name, token] of forgeries(tokens.access_token)) {
      const { status, text } = await introspect(token)
      expect([name, status, text]).toEqual([name, 200, INACTIVE])
    }
  })

  it('A18 what our own key signed, but is no token of a living grant', async () => {
    const [random, grantId, sessionUid] = String(claimsOf(tokens.access_token)['jti']).split('.')
    const changes = [
      { sub: 'user-0002' },
      { exp: undefined },
      { exp: 1 },
      { iss: 'https://evil.test' },
      { client_id: 'second-client' },
      { client_id: 'client-that-is-gone' },
      { jti: undefined },
      { jti: random },
      { jti: `${random}.${grantId}` },
      { jti: `${random}.x.${sessionUid}` },
      { jti: `${random}.${grantId}.x` },
      { jti: `${random}..` },
      { jti: `${random}.${grantId}.${sessionUid}.x` },
      { scope: ['openid'] },
    ]
    for (const change of changes) {
      const token = await resigned(on.chain, tokens.access_token, change)
      expect((await introspect(token)).text, JSON.stringify(change)).toBe(INACTIVE)
    }
    const token = await resigned(on.chain, tokens.access_token, {}, { typ: 'JWT' })
    expect((await introspect(token)).text).toBe(INACTIVE)
  })

  it('after its five minutes it is inactive', async () => {
    const { access_token } = await login(on.chain)
    clock.advance(290)
    expect((await introspect(access_token)).body['active']).toBe(true)
    clock.advance(11)
    expect((await introspect(access_token)).text).toBe(INACTIVE)
  })

  it('A52 after logout it is inactive at once', async () => {
    const browser = on.chain.newBrowser()
    const { access_token, id_token } = await login(on.chain, {}, browser)
    expect((await introspect(access_token)).body['active']).toBe(true)
    const url = `${on.chain.url}/connect/logout?id_token_hint=${id_token}`
    const page = await browser.open(url)
    await browser.submit(page, { logout: 'yes' })
    expect((await introspect(access_token)).text).toBe(INACTIVE)
  })
})

describe('introspection as a signed JWT (RFC 9701)', () => {
  const signed = { accept: 'application/token-introspection+jwt' }
  const opened = async (jwt: string) =>
    jwtVerify(jwt, createRemoteJWKSet(new URL(`${on.chain.url}/oauth2/jwks`)), {
      issuer: on.chain.issuer,
      audience: 'client',
      typ: 'token-introspection+jwt',
    })

  it('is signed with our key for the client that asked, and is no access token', async () => {
    const { access_token } = await login(on.chain)
    const { status, headers, text } = await introspect(access_token, CLIENT, signed)
    expect([status, headers.get('content-type')]).toEqual([
      200,
      'application/token-introspection+jwt',
    ])
    const { payload } = await opened(text)
    expect(payload['token_introspection']).toMatchObject({ active: true, sub: 'testuser' })
    // https://www.rfc-editor.org/rfc/rfc9701#section-5: neither sub nor exp, lest it be taken for the token itself
    expect(Object.keys(payload).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
    expect((await on.chain.app.userinfo(text)).status).toBe(401)
    expect((await introspect(text)).text).toBe(INACTIVE)
  })

  it('also when the token is over', async () => {
    const { payload } = await opened((await introspect('no-token', CLIENT, signed)).text)
    expect(payload['token_introspection']).toEqual({ active: false })
  })

  it('an error stays JSON', async () => {
    const { status, body } = await introspect('x', ['client', 'wrong'], signed)
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })
})

describe('who may introspect', () => {
  it('client_secret_post does as well', async () => {
    const { access_token: token } = await login(on.chain)
    const form = { token, client_id: 'client', client_secret: 'secret' }
    expect((await post(on.chain, '/oauth2/introspect', form, null)).body['active']).toBe(true)
  })

  it('A45 a public client, an unknown one and a wrong secret: 401 and nothing more', async () => {
    const { access_token: token } = await login(on.chain)
    const asPublic = await post(on.chain, '/oauth2/introspect', { token, client_id: PUBLIC }, null)
    const unknown = await introspect(token, ['nobody', 'secret'])
    const wrong = await introspect(token, ['client', 'wrong'])
    for (const answer of [asPublic, unknown, wrong])
      expect([answer.status, answer.body]).toEqual([
        401,
        { error: 'invalid_client', error_description: 'client authentication failed' },
      ])
  })

  const big = 'x'.repeat(64 * 1024)
  const BAD: [name: string, form: [string, string][]][] = [
    ['no token', []],
    ['an empty token', [['token', '']]],
    [
      'two tokens',
      [
        ['token', 'a'],
        ['token', 'b'],
      ],
    ],
    ['a token of 64 kB', [['token', big]]],
    [
      '64 kB beside it',
      [
        ['token', 'a'],
        ['x', big],
      ],
    ],
  ]
  it.each(BAD)('%s: invalid_request', async (_name, form) => {
    for (const path of ['/oauth2/introspect', '/oauth2/revoke']) {
      const { status, body } = await post(on.chain, path, form)
      expect([status, body['error']]).toEqual([400, 'invalid_request'])
    }
  })

  it('GET, JSON and tokens in the query are not taken', async () => {
    const { access_token: token } = await login(on.chain)
    for (const path of ['/oauth2/introspect', '/oauth2/revoke']) {
      const url = `${on.chain.url}${path}`
      const headers = { authorization: basic(...CLIENT) }
      expect((await fetch(`${url}?token=${token}`, { headers })).status).toBe(404)
      const inQuery = await fetch(`${url}?token=${token}`, { method: 'POST', headers })
      expect(inQuery.status).toBe(400)
      const asJson = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      })
      expect([asJson.status, ((await asJson.json()) as { error: string }).error]).toEqual([
        400,
        'invalid_request',
      ])
      for (const other of ['/', 'X'])
        expect((await fetch(url + other, { method: 'POST', headers })).status).toBe(404)
    }
    expect((await on.chain.app.userinfo(token)).status).toBe(200)
  })

  it('an error is JSON for whoever likes pages better', async () => {
    const { headers, body } = await introspect('x', ['client', 'wrong'], { accept: 'text/html' })
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(body['error']).toBe('invalid_client')
  })
})
