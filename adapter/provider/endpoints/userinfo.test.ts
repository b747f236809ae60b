// The userinfo endpoint: which tokens it takes, how they may be sent, and when they are over.
import { generateKeyPair, importJWK, SignJWT, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, headerOf, type TokenAnswer } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'

const on = useChain()
const clock = useClock()
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

async function login(parameters = {}): Promise<TokenAnswer['body']> {
  const request = on.chain.app.request(parameters)
  const { body } = await on.chain.app.finish(
    await on.chain.signIn(on.chain.newBrowser(), request.url),
    request,
  )
  return body
}

describe('userinfo', () => {
  let tokens: TokenAnswer['body']
  beforeAll(async () => {
    tokens = await login()
  })

  it.each(['GET', 'POST'])('C06 %s with the token in the header: 200 with sub', async (method) => {
    const response = await on.chain.app.userinfo(tokens.access_token, { method })
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await response.json()).toMatchObject({ sub: 'testuser' })
  })

  it('C07 the token in the body or in the query: refused, no 5xx', async () => {
    const inBody = await fetch(`${on.chain.url}/userinfo`, {
      method: 'POST',
      body: new URLSearchParams({ access_token: tokens.access_token }),
    })
    const inQuery = await fetch(`${on.chain.url}/userinfo?access_token=${tokens.access_token}`)
    expect([inBody.status, inQuery.status]).toEqual([401, 401])
  })

  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'access_token=x&access_token=y'],
    ['what is no form', 'application/json', '{'],
    ['64 kB', 'application/x-www-form-urlencoded', `access_token=${'x'.repeat(65_536)}`],
  ])('C07 %s in the body: no 5xx, and a token in the header does', async (_name, type, body) => {
    const init = { method: 'POST', headers: { 'content-type': type }, body }
    const alone = await fetch(`${on.chain.url}/userinfo`, init)
    expect(alone.status).toBe(401)
    const beside = await fetch(`${on.chain.url}/userinfo`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${tokens.access_token}` },
    })
    expect(beside.status).toBe(200)
  })

  it('without a token: 401 and no error code; with a wrong one: invalid_token', async () => {
    const without = await fetch(`${on.chain.url}/userinfo`)
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer, DPoP algs="ES256 EdDSA Ed25519 PS256"',
    ])
    const wrong = await on.chain.app.userinfo('aaa.bbb.ccc')
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ])
  })

  it('A18 an ID token is no access token', async () => {
    expect((await on.chain.app.userinfo(tokens.id_token)).status).toBe(401)
  })

  it('a token without openid gets nothing', async () => {
    const request = on.chain.app.request({ scope: 'read', nonce: undefined })
    const { body } = await on.chain.app.finish(
      await on.chain.signIn(on.chain.newBrowser(), request.url),
      request,
    )
    expect(claimsOf(body.access_token)).toMatchObject({ scope: 'read', sub: 'testuser' })
    expect((await on.chain.app.userinfo(body.access_token)).status).toBe(401)
  })

  it('after its five minutes a token is over', async () => {
    const { access_token } = await login()
    clock.advance(290)
    expect((await on.chain.app.userinfo(access_token)).status).toBe(200)
    clock.advance(11)
    expect((await on.chain.app.userinfo(access_token)).status).toBe(401)
  })

  it('A24 A25 A26 tokens of other making are refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const header = headerOf(tokens.access_token)
    const claims = claimsOf(tokens.access_token)
    const [head, body, signature] = tokens.access_token.split('.') as [string, string, string]
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    const signedBy = (changes: object) =>
      new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'RS256', ...changes })
        .sign(privateKey)
    const published = JSON.stringify(
      ((await (await fetch(`${on.chain.url}/oauth2/jwks`)).json()) as { keys: unknown[] }).keys[0],
    )
    const forged = [
      ...['none', 'None', 'nOnE', 'NONE', ''].map(
        (alg) => `${encode({ ...header, alg })}.${body}.`,
      ),
      `${head}.${body}.`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${encode({ ...claims, sub: 'admin' })}.${signature}`,
      await signedBy({}),
      await signedBy({ kid: 'unknown' }),
      await signedBy({ jwk }),
      await signedBy({ jku: 'http://127.0.0.1:1/jwks' }),
      await signedBy({ typ: 'JWT' }),
      await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' })
        .sign(Buffer.from(published)),
      `${tokens.access_token}.x`,
      tokens.access_token.replace('.', '..'),
    ]
    for (const token of forged)
      expect((await on.chain.app.userinfo(token)).status, token.slice(0, 60)).toBe(401)
  })

  it('A18 tokens that our own key signed, but that are not this grant’s access token', async () => {
    const header = headerOf(tokens.access_token)
    const claims = claimsOf(tokens.access_token)
    const key = await importJWK(on.chain.secrets.signingKeys.keys[0] as JWK, 'RS256')
    const signed = (changes: object, headerChanges: object = {}) =>
      new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ ...header, alg: 'RS256', ...headerChanges })
        .sign(key)
    const status = async (token: string) => (await on.chain.app.userinfo(token)).status
    expect(await status(await signed({}))).toBe(200)
    const [random, grantId, sessionUid] = String(claims['jti']).split('.') as [
      string,
      string,
      string,
    ]
    const changes = [
      { sub: 'user-0002' },
      { sub: undefined },
      { exp: undefined },
      { exp: 1 },
      { iss: 'https://evil.test' },
      { iss: undefined },
      { client_id: 'second-client' },
      { client_id: undefined },
      { scope: 'read' },
      { scope: undefined },
      { scope: 'openidx' },
      { jti: undefined },
      { jti: random },
      { jti: `${random}.${grantId}` },
      { jti: `${random}.x.${sessionUid}` },
      { jti: `${random}.${grantId}.x` },
      { jti: `${random}..` },
    ]
    for (const change of changes)
      expect(await status(await signed(change)), JSON.stringify(change)).toBe(401)
    for (const typ of ['JWT', undefined, 'logout+jwt', 'application/jwt'])
      expect(await status(await signed({}, { typ })), String(typ)).toBe(401)
  })

  it('answers nothing but GET and POST', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await on.chain.app.userinfo(tokens.access_token, { method })).status).toBe(404)
  })
})
