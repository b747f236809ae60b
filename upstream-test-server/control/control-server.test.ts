import { createHmac, createPublicKey, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createControlClient } from '../control-client.ts'
import type { ControlClient } from '../control-client.ts'
import type { EndpointFault, IdTokenFault } from '../behaviour/faults/faults.ts'
import type { RunningUpstreamTestServer } from '../start.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
  signIn,
  startForTest,
} from '../test-support/test-browser.ts'

let server: RunningUpstreamTestServer
let control: ControlClient
beforeAll(async () => {
  server = await startForTest({ controlPort: 0 })
  control = createControlClient(String(server.controlUrl))
})
afterEach(() => control.reset())
afterAll(() => server.close())

const get = (path: string) => fetch(new URL(path, server.issuer), { headers: ownConnection })
const discovery = '/.well-known/openid-configuration'

async function tokens(username = 'testuser') {
  const request = authorizationRequest(server.issuer)
  const page = await signIn(createTestBrowser(server.issuer), request, username)
  const { status, body } = await redeem(server.issuer, codeOf(page), request.verifier)
  expect(status).toBe(200)
  return { ...body, nonce: request.nonce }
}

async function publicKey() {
  const { keys } = (await (await get('/oauth2/jwks')).json()) as { keys: JsonWebKey[] }
  return { kid: keys[0]?.['kid'], key: createPublicKey({ key: keys[0] ?? {}, format: 'jwk' }) }
}

async function look(token = '') {
  const [header = '', claims = '', signature = ''] = token.split('.')
  const input = `${header}.${claims}`
  const { kid, key } = await publicKey()
  const pem = key.export({ type: 'spki', format: 'pem' })
  return {
    header: JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>,
    claims: claimsOf(token),
    kid,
    isSigned: verify('sha256', Buffer.from(input), key, Buffer.from(signature, 'base64url')),
    isHmacOfPublicKey: createHmac('sha256', pem).update(input).digest('base64url') === signature,
    signature,
  }
}

describe('an endpoint that was told to fail', () => {
  it('fails as often as it was told, and is strict again', async () => {
    await control.failNext('discovery', { kind: 'status', status: 503 }, { times: 2 })
    const statuses = []
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await get(discovery)).status)
    expect(statuses).toEqual([503, 503, 200])
  })

  it('leaves the other endpoints alone, and a reset takes it back', async () => {
    await control.failNext('jwks', { kind: 'status', status: 500 })
    expect((await get(discovery)).status).toBe(200)
    await control.reset()
    expect((await get('/oauth2/jwks')).status).toBe(200)
  })

  it('answers the client with an OAuth error', async () => {
    await control.failNext('token', { kind: 'oauth_error', error: 'temporarily_unavailable' })
    const answer = await redeem(server.issuer, 'any', undefined)
    expect(answer).toEqual({ status: 400, body: { error: 'temporarily_unavailable' } })
  })

  it('sends the person back with an OAuth error, only to where the client is known to be', async () => {
    const fault: EndpointFault = { kind: 'oauth_error', error: 'server_error' }
    await control.failNext('authorize', fault, { times: 2 })
    const request = authorizationRequest(server.issuer)
    const { url } = await createTestBrowser(server.issuer).open(request.url)
    expect(`${url.origin}${url.pathname}`).toBe(callback)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      error: 'server_error',
      state: request.state,
      iss: server.issuer,
    })
    const elsewhere = authorizationRequest(server.issuer, { redirect_uri: 'http://127.0.0.1:9/x' })
    const refused = await createTestBrowser(server.issuer).open(elsewhere.url)
    expect(refused.url.origin).toBe(server.issuer)
  })

  it('answers late, but right', async () => {
    await control.failNext('discovery', { kind: 'delay', milliseconds: 120 })
    const begun = performance.now()
    expect(await (await get(discovery)).json()).toMatchObject({ issuer: server.issuer })
    expect(performance.now() - begun).toBeGreaterThan(110)
  })

  it.each(['drop', 'truncated'] as const)('ends the connection: %s', async (kind) => {
    await control.failNext('discovery', { kind })
    const whole = async () => (await get(discovery)).text()
    await expect(whole()).rejects.toThrow()
    expect((await get(discovery)).status).toBe(200)
  })

  it('answers with another content type, and with too much', async () => {
    await control.failNext('jwks', { kind: 'content_type', contentType: 'text/html' })
    expect((await get('/oauth2/jwks')).headers.get('content-type')).toBe('text/html')
    await control.failNext('jwks', { kind: 'oversized', bytes: 2_000_000 })
    expect((await (await get('/oauth2/jwks')).text()).length).toBeGreaterThan(2_000_000)
  })
})

describe('an ID token that was told to be wrong', () => {
  const now = () => Date.now() / 1000
  const wrong: [IdTokenFault, (seen: Awaited<ReturnType<typeof look>>) => boolean][] = [
    [{ kind: 'bad_signature' }, ({ isSigned }) => !isSigned],
    [{ kind: 'unknown_kid' }, ({ header, kid, isSigned }) => header['kid'] !== kid && isSigned],
    [{ kind: 'alg_none' }, ({ header, signature }) => header['alg'] === 'none' && signature === ''],
    [{ kind: 'alg_hs256' }, ({ header, isHmacOfPublicKey: is }) => header['alg'] === 'HS256' && is],
    [{ kind: 'wrong_iss' }, ({ claims, isSigned }) => claims['iss'] !== server.issuer && isSigned],
    [{ kind: 'wrong_aud' }, ({ claims, isSigned }) => claims['aud'] !== 'test-client' && isSigned],
    [
      { kind: 'wrong_azp' },
      ({ claims, isSigned }) => claims['azp'] === 'another-client' && isSigned,
    ],
    [
      { kind: 'wrong_nonce' },
      ({ claims, isSigned }) => claims['nonce'] === 'another-nonce' && isSigned,
    ],
    [{ kind: 'expired' }, ({ claims, isSigned }) => Number(claims['exp']) < now() && isSigned],
    [{ kind: 'future_iat' }, ({ claims, isSigned }) => Number(claims['iat']) > now() && isSigned],
    [
      { kind: 'missing_claim', claim: 'sub' },
      ({ claims, isSigned }) => !('sub' in claims) && isSigned,
    ],
  ]

  it.each(wrong)('%o, once', async (fault, isSo) => {
    await control.corruptNext(fault)
    expect(isSo(await look((await tokens()).id_token))).toBe(true)
    const { id_token: next, nonce } = await tokens()
    const seen = await look(next)
    expect(seen).toMatchObject({ isSigned: true, claims: { iss: server.issuer, nonce } })
    expect(isSo(seen)).toBe(false)
  })

  it("is only that person's: a test beside it does not meet it", async () => {
    await control.corruptNext({ kind: 'bad_signature' }, { username: 'ada' })
    expect((await look((await tokens('testuser')).id_token)).isSigned).toBe(true)
    expect((await look((await tokens('ada')).id_token)).isSigned).toBe(false)
  })

  it('has another sub at userinfo', async () => {
    await control.corruptNext({ kind: 'other_sub_at_userinfo' })
    const { access_token, id_token } = await tokens()
    const headers = { ...ownConnection, authorization: `Bearer ${access_token}` }
    const sub = async () => {
      const response = await fetch(new URL('/userinfo', server.issuer), { headers })
      return ((await response.json()) as { sub: string }).sub
    }
    expect(await sub()).toBe('somebody-else')
    expect(await sub()).toBe(claimsOf(id_token)['sub'])
  })
})

describe('the journal of requests', () => {
  it('names what was asked and how it was answered, and keeps no query', async () => {
    await get(`${discovery}?secret=1`)
    const found = await control.requests({ endpoint: 'discovery' })
    expect(found).toMatchObject([{ method: 'GET', path: discovery, status: 200 }])
    expect(JSON.stringify(found)).not.toContain('secret')
  })

  it('keeps no id of an interaction', async () => {
    await tokens()
    const paths = (await control.requests()).map(({ path }) => path)
    expect(paths).toContain('/oauth2/authorize/:id')
    expect(paths.filter((path) => path.startsWith('/oauth2/authorize/'))).toHaveLength(1)
  })

  it('waits for the next one, and says so when it does not come', async () => {
    await get(discovery)
    const { id } = await control.waitForRequest({ endpoint: 'discovery' })
    const next = control.waitForRequest({ endpoint: 'discovery', after: id })
    await get(discovery)
    expect((await next).id).toBeGreaterThan(id)
    const never = control.waitForRequest({ endpoint: 'userinfo' }, 30)
    await expect(never).rejects.toThrow('no request within 30 ms')
  })
})

describe('the control listener', () => {
  const ask = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const url = new URL('/reset', server.controlUrl)
      const sent = { 'content-type': 'application/json', ...ownConnection, ...headers }
      httpRequest(url, { method: 'POST', headers: sent }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end('{}')
    })

  it.each([
    ['a program', {}, 200],
    ['a page of another origin', { origin: 'http://127.0.0.1:8080' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['a name that was bound to this address', { host: 'evil.example' }, 421],
  ])('answers %s', async (_name, headers, status) => {
    expect(await ask(headers)).toBe(status)
  })

  it.each([
    ['endpoint', { endpoint: 'nowhere', fault: { kind: 'drop' } }],
    ['fault.kind', { endpoint: 'jwks', fault: { kind: 'dorp' } }],
    ['status', { endpoint: 'jwks', fault: { kind: 'status', status: 200 } }],
    ['times', { endpoint: 'jwks', fault: { kind: 'drop' }, times: 0 }],
  ])('names what is wrong in a switch: %s', async (word, body) => {
    const response = await fetch(new URL('/faults', server.controlUrl), {
      method: 'POST',
      headers: { ...ownConnection, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: string }).error).toContain(word)
  })

  it('is closed unless asked for', async () => {
    const other = await startForTest()
    expect(other.controlUrl).toBeUndefined()
    expect((await fetch(new URL('/faults', other.url), { headers: ownConnection })).status).toBe(
      404,
    )
    await other.close()
  })

  it('names a taken port and its setting, and leaves nothing open', async () => {
    const port = Number(new URL(String(server.controlUrl)).port)
    await expect(startForTest({ controlPort: port })).rejects.toThrow('UPSTREAM_CONTROL_PORT')
  })
})
