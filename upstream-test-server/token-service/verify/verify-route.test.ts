import { createPrivateKey, sign } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signToken } from '../../behaviour/tokens/sign-token.ts'
import type { SignatureFault } from '../../behaviour/tokens/sign-token.ts'
import type { SigningKey } from '../../behaviour/tokens/key-ring.ts'
import type { Scenario } from '../../behaviour/scenario.ts'
import { createSigningKey } from '../../provider/keys.ts'
import type { RunningUpstreamTestServer } from '../../start.ts'
import { codeOf, createTestBrowser } from '../../test-support/test-browser.ts'
import type { TestBrowser } from '../../test-support/test-browser.ts'
import {
  gateway,
  gatewayCallback,
  get,
  post,
  postForm,
  postJson,
  startWithServices,
  worker,
} from '../../test-support/token-service.ts'

let server: RunningUpstreamTestServer
let scenario: Scenario
const lines: string[] = []
beforeAll(async () => {
  server = await startWithServices({ hasTestToken: true }, lines)
  scenario = server.issuers.get('')?.scenario as Scenario
})
afterEach(() => scenario.reset())
afterAll(() => server.close())

const audience = 'logging-backend'
const verify = (token: string, asked: string = audience) =>
  postJson(`${server.issuer}/verify`, { token, audience: asked })

const seconds = () => Math.floor(Date.now() / 1000)
const goodClaims = () => ({
  iss: server.issuer,
  sub: 'testuser',
  aud: audience,
  iat: seconds(),
  exp: seconds() + 60,
})

interface Made {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  fault?: SignatureFault
  key?: SigningKey
}

function made({ claims = {}, header = { typ: 'JWT' }, fault, key }: Made = {}): string {
  const token = { header, claims: { ...goodClaims(), ...claims } }
  return signToken(token, key ?? scenario.keys.active(), fault)
}

async function idTokenOf(browser: TestBrowser): Promise<string> {
  const { client_id } = gateway
  const query = new URLSearchParams({ client_id, redirect_uri: gatewayCallback, state: 's' })
  const form = await browser.open(`/authorize?${query.toString()}`)
  const page = await browser.submit(form, { username: 'testuser', password: 'password' })
  const fields = { ...gateway, code: codeOf(page), redirect_uri: gatewayCallback }
  return String((await postForm(`${server.issuer}/token`, fields)).body['id_token'])
}

describe('POST /verify', () => {
  it('says of a service token that it is valid, and its claims', async () => {
    const fields = { grant_type: 'client_credentials', ...worker, aud: audience }
    const { body } = await postForm(`${server.issuer}/token`, fields)
    const answer = await verify(String(body['access_token']))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({ valid: true, claims: { sub: 'worker', aud: audience } })
  })

  it('says so of the ID token of a sign-in, and takes a form too', async () => {
    const { client_id } = gateway
    const token = await idTokenOf(createTestBrowser(server.issuer))
    const fields = { token, audience: client_id }
    const answer = await postForm(`${server.issuer}/verify`, fields)
    expect(answer.body).toMatchObject({ valid: true, claims: { sub: 'testuser', aud: client_id } })
  })

  it('A52 knows that the person has signed out: at the form, and at the identity service', async () => {
    const email = 'single@example.test'
    const signIn = { email, password: 'password' }
    const { body } = await postJson(`${server.issuer}/api/auth/login`, signIn)
    const { auth } = body['data'] as { auth: { accessToken: string } }
    const browser = createTestBrowser(server.issuer)
    const idToken = await idTokenOf(browser)
    const both = () =>
      Promise.all([verify(auth.accessToken, 'test-client'), verify(idToken, gateway.client_id)])
    for (const { body: said } of await both()) expect(said['valid']).toBe(true)
    await browser.submit(await browser.open('/logout'), { logout: 'yes' })
    const after = (await both()).map(({ body: said }) => said['error'])
    expect(after).toEqual([undefined, 'session_ended'])
    server.issuers.get('')?.sessions.end('testuser')
    for (const { body: said } of await both()) expect(said['error']).toBe('session_ended')
  })

  it('takes over the ids of a request, and answers and logs them', async () => {
    const ids = { 'x-request-id': 'request-0001', 'x-correlation-id': 'story-0001' }
    const headers = { 'content-type': 'application/json', ...ids }
    const response = await fetch(`${server.issuer}/verify`, { method: 'POST', headers, body: '{}' })
    expect(await response.json()).toMatchObject({ request_id: 'request-0001' })
    const line = lines.findLast((one) => one.includes('request.done')) ?? '{}'
    const [request_id, correlation_id] = ['request-0001', 'story-0001']
    expect(JSON.parse(line)).toMatchObject({ request_id, correlation_id, path: '/verify' })
  })

  it('says so of a token for several, and of an access token', async () => {
    const token = made({ claims: { aud: ['other', audience] }, header: { typ: 'at+jwt' } })
    expect((await verify(token)).body['valid']).toBe(true)
  })

  const hour = 3600
  it.each<[string, Made, object]>([
    ['signed wrongly', { fault: 'bad_signature' }, { error: 'signature' }],
    ['not signed', { fault: 'alg_none' }, { error: 'malformed' }],
    ['signed by the public key as a secret', { fault: 'alg_hs256' }, { error: 'signature' }],
    ['of a key that is not published', { fault: 'unknown_kid' }, { error: 'signature' }],
    ['with a crit header', { header: { typ: 'JWT', crit: ['x'] } }, { error: 'signature' }],
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, { error: 'issuer' }],
    ['a logout token', { header: { typ: 'logout+jwt' } }, { error: 'type' }],
    ['an event', { claims: { events: {} } }, { error: 'type' }],
    ['a refresh token', { header: { typ: 'refresh+jwt' } }, { error: 'type' }],
    ['without an end', { claims: { exp: undefined } }, { error: 'malformed' }],
    ['over', { claims: { exp: 1000 } }, { error: 'expired', since: '1970-01-01T00:16:40.000Z' }],
    ['made ahead of time', { claims: { iat: 4e9, exp: 5e9 } }, { error: 'not_yet_valid' }],
    ['not begun', { claims: { nbf: 4e9, exp: 5e9 } }, { error: 'not_yet_valid' }],
    [
      'for another service',
      { claims: { aud: 'billing' } },
      { error: 'audience', expected: audience, found: ['billing'] },
    ],
    ['for nobody', { claims: { aud: undefined } }, { error: 'audience', found: [] }],
    ['of a person who is not there', { claims: { sub: 'ghost' } }, { error: 'subject' }],
    ['of a person who is disabled', { claims: { sub: 'user-disabled' } }, { error: 'subject' }],
    [
      'of a service that is not there',
      { claims: { sub: 'ghost', client_id: 'ghost' } },
      { error: 'subject' },
    ],
    ['a claim by the name of error', { claims: { error: 'x', aud: 'x' } }, { error: 'audience' }],
  ])('A38 says what is wrong with a token %s', async (_name, options, expected) => {
    const { status, body } = await verify(made(options))
    expect(status).toBe(200)
    expect(body).toMatchObject({ valid: false, message: expect.any(String), ...expected })
    expect(body['claims']).toBeUndefined()
  })

  it.each(['x', 'a.b.c', 'Bearer a.b.c', 'a.b.c.d.e', 'bnVsbA.bnVsbA.eA', 'W10.W10.eA'])(
    'says of %j that it is no JWT',
    async (token) => {
      expect((await verify(token)).body).toMatchObject({ valid: false, error: 'malformed' })
    },
  )

  it('refuses a changed token, each part of it, and one of a key of the same name', async () => {
    const [header = '', claims = '', signature = ''] = made().split('.')
    const [otherHeader = '', otherClaims = ''] = made({
      header: { typ: 'at+jwt' },
      claims: { sub: 'user-0002' },
    }).split('.')
    const stranger = { ...(await createSigningKey()), kid: scenario.keys.active().kid }
    const changed = [
      `${otherHeader}.${claims}.${signature}`,
      `${header}.${otherClaims}.${signature}`,
      `${header}.${claims}.${signature.slice(0, -8)}AAAAAAAA`,
      made({ key: stranger as SigningKey }),
    ]
    for (const token of changed) expect((await verify(token)).body['error']).toBe('signature')
  })

  it.each(['none', 'HS256', 'RS512', 'PS256', undefined])(
    'refuses a token whose header says alg %s, though our key has signed it',
    async (alg) => {
      const { kid } = scenario.keys.active()
      const parts = [{ typ: 'JWT', alg, kid }, goodClaims()]
      const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      const key = createPrivateKey({ key: scenario.keys.active(), format: 'jwk' })
      const signature = sign('sha256', Buffer.from(input.join('.')), key).toString('base64url')
      const { body } = await verify([...input, signature].join('.'))
      expect(body['error']).toBe('signature')
    },
  )

  it('A52 follows the clock, the people and the keys of the issuer at once', async () => {
    const token = made()
    expect((await verify(token)).body['valid']).toBe(true)
    scenario.clock.advance(hour)
    expect((await verify(token)).body['error']).toBe('expired')
    scenario.clock.set(0)
    scenario.people.change('testuser', { disabled: true })
    expect((await verify(token)).body['error']).toBe('subject')
    scenario.people.reset()
    await scenario.keys.rotate({ publishFirst: false, old: 'retained' })
    expect((await verify(token)).body['valid']).toBe(true)
    const later = made()
    await scenario.keys.rotate({ publishFirst: false, old: 'withdrawn' })
    expect((await verify(later)).body['error']).toBe('signature')
  })
})

describe('a request to /verify that can not be understood', () => {
  const json = 'application/json'
  it.each([
    ['no body', json, '', 400, 'MALFORMED_JSON'],
    ['JSON that is none', json, '{"token":"canary"', 400, 'MALFORMED_JSON'],
    ['a list', json, '[]', 400, 'VALIDATION_ERROR'],
    ['null', json, 'null', 400, 'VALIDATION_ERROR'],
    ['deep JSON', json, `${'['.repeat(5000)}${']'.repeat(5000)}`, 400, 'VALIDATION_ERROR'],
    ['no audience', json, '{"token":"canary"}', 400, 'VALIDATION_ERROR'],
    ['no token', json, '{"audience":"x"}', 400, 'VALIDATION_ERROR'],
    ['an empty audience', json, '{"token":"canary","audience":""}', 400, 'VALIDATION_ERROR'],
    ['a number', json, '{"token":1,"audience":"x"}', 400, 'VALIDATION_ERROR'],
    ['an unknown field', json, '{"token":"x","audience":"x","a":"b"}', 400, 'VALIDATION_ERROR'],
    ['a name of objects', json, '{"__proto__":"x"}', 400, 'VALIDATION_ERROR'],
    [
      'a field twice',
      'application/x-www-form-urlencoded',
      'token=a&token=b&audience=x',
      400,
      'VALIDATION_ERROR',
    ],
    ['another content type', 'text/plain', 'canary', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a megabyte', json, `{"token":"${'x'.repeat(1024 * 1024)}"}`, 413, 'PAYLOAD_TOO_LARGE'],
  ])('A30 %s is answered with a code', async (_name, type, body, status, code) => {
    const answer = await post(`${server.issuer}/verify`, type, body)
    expect(answer.status).toBe(status)
    const request_id = answer.headers.get('x-request-id')
    expect(answer.body).toMatchObject({ success: false, code, request_id })
    expect(answer.body['message']).toEqual(expect.any(String))
    expect(JSON.stringify(answer.body)).not.toContain('canary')
  })

  it('names each field that is wrong', async () => {
    const { body } = await postJson(`${server.issuer}/verify`, {})
    const fields = body['fields'] as { field: string }[]
    expect(fields.map(({ field }) => field)).toEqual(['token', 'audience'])
  })

  it('GET is no such page', async () => {
    expect((await fetch(`${server.issuer}/verify`)).status).toBe(404)
  })

  it('A43 nothing of a token is in the log, valid or not', async () => {
    const token = made()
    await verify(token)
    await verify(`${token}x`)
    await post(`${server.issuer}/verify`, 'text/plain', token)
    const output = lines.join('')
    expect(output).toContain('"event":"token.verified"')
    for (const part of token.split('.').slice(1)) expect(output).not.toContain(part)
  })
})

describe('GET /test-token', () => {
  const testToken = (query: string) => get(`${server.issuer}/test-token${query}`)

  it('gives a token of testuser, five minutes long, that /verify knows', async () => {
    const { status, body, headers } = await testToken('')
    expect([status, body['expires_in']]).toEqual([200, 300])
    expect(headers.get('cache-control')).toBe('no-store')
    const answer = await verify(String(body['token']), 'test-client')
    const claims = { sub: 'testuser', aud: 'test-client', preferred_username: 'testuser' }
    expect(answer.body).toMatchObject({ valid: true, claims })
    expect(lines.join('')).not.toContain(String(body['token']))
  })

  it('gives one of the person and for the service that are asked for', async () => {
    const { body } = await testToken('?sub=user-0002&aud=logging-backend')
    const answer = await verify(String(body['token']))
    expect(answer.body).toMatchObject({ claims: { sub: 'user-0002', roles: ['admin', 'user'] } })
  })

  it.each([
    '?sub=ghost',
    '?sub=user-disabled',
    '?aud=elsewhere',
    '?sub=testuser&sub=user-0002',
    '?aud[x]=test-client',
    '?roles=admin',
  ])('refuses %s', async (query) => {
    const { status, body } = await testToken(query)
    expect(status).toBe(400)
    expect(body).toMatchObject({ success: false, code: 'VALIDATION_ERROR' })
    expect(body['token']).toBeUndefined()
  })

  it('is no such page where it is not switched on', async () => {
    const closed = await startWithServices()
    expect((await fetch(`${closed.issuer}/test-token`)).status).toBe(404)
    await closed.close()
  })
})
