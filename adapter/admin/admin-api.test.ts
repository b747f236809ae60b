// The admin API's door over real HTTP.
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import { listen, type Listening } from '../../service/listen.ts'
import { createAdmin } from '../admin-server.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createAdminApi, secretMatcher, type AdminRoutes } from './admin-api.ts'
import { createReadiness } from './health.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
const routes: AdminRoutes = {
  'POST /api/echo': async (body, parameters) => ({
    status: 201,
    body: { body, parameters: [...parameters] },
  }),
  'GET /api/echo': async (body) => ({ status: 200, body: { hasBody: body !== undefined } }),
  'GET /api/broken': () => Promise.reject(new Error('the cause, which nobody outside learns')),
}
const logLines: string[] = []
const log = createLog({
  level: 'trace',
  pretty: false,
  destination: { write: (line) => logLines.push(line) },
})
const driver = createMemoryDriver({})

async function serve(token: string | undefined): Promise<Listening> {
  const api = { token, routes, host: 'admin.internal', log }
  const admin = createAdmin({ driver, readiness: createReadiness(), api })
  return listen(admin, { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 100 })
}

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Record<string, unknown>
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** As written: fetch would tidy up paths and set Host itself. */
function ask(server: Listening, path: string, { method = 'GET', headers, body }: Asked = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const { port } = server
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false }
    const request = httpRequest(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        const isJson = String(response.headers['content-type']).startsWith('application/json')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: isJson ? (JSON.parse(text) as Answer['body']) : {},
        })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

const authorization = `Bearer ${TOKEN}`
const asJson = { authorization, 'content-type': 'application/json' }

describe(createAdminApi, () => {
  let server: Listening
  let off: Listening
  beforeAll(async () => {
    server = await serve(TOKEN)
    off = await serve(undefined)
  })
  afterAll(async () => {
    await Promise.all([server.close(), off.close()])
    await driver.close()
  })

  it('JSON in, JSON out, stored by nobody', async () => {
    const { status, headers, body } = await ask(server, '/api/echo?a=1&b=2', {
      method: 'POST',
      headers: asJson,
      body: '{"some":"thing"}',
    })
    expect([status, body]).toEqual([
      201,
      {
        body: { some: 'thing' },
        parameters: [
          ['a', '1'],
          ['b', '2'],
        ],
      },
    ])
    expect(headers['cache-control']).toBe('no-store')
    expect(await ask(server, '/api/echo', { headers: { authorization } })).toMatchObject({
      status: 200,
      body: { hasBody: false },
    })
  })

  it('health needs no token', async () => {
    expect((await ask(server, '/healthz')).status).toBe(200)
    expect((await ask(off, '/readyz')).status).toBe(200)
  })

  it('without a token 401, for every path below /api/, known or not', async () => {
    for (const path of ['/api/echo', '/api/nothing', '/api/', '/api']) {
      const { status, headers, body } = await ask(server, path)
      expect([status, body['error']]).toEqual([401, 'invalid_token'])
      expect(headers['www-authenticate']).toBe('Bearer')
    }
  })

  it.each([
    ['another', 'Bearer another-token-of-thirty-two-chars'],
    ['the beginning of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['more than it', `Bearer ${TOKEN}x`],
    ['in another case', `Bearer ${TOKEN.toUpperCase()}`],
    ['by another scheme', `Basic ${TOKEN}`],
    ['bare', TOKEN],
    ['twice', `Bearer ${TOKEN} ${TOKEN}`],
    ['empty', 'Bearer '],
  ])('a wrong token, %s: 401, before the body is looked at', async (_case, given) => {
    const headers = { ...asJson, authorization: given }
    const { status } = await ask(server, '/api/echo', { method: 'POST', headers, body: 'no JSON' })
    expect(status).toBe(401)
  })

  it('neither log nor answer repeats a token', async () => {
    const given = 'canary-token-of-somebody-who-guesses'
    const { body } = await ask(server, '/api/echo', {
      headers: { authorization: `Bearer ${given}` },
    })
    expect(JSON.stringify(body) + logLines.join('')).not.toMatch(new RegExp(`${given}|${TOKEN}`))
    expect(logLines.join('')).toContain('"reason":"wrong token"')
  })

  it('A47 other spellings of a path do not get past the token', async () => {
    const spellings = [
      '//api/echo',
      '/api//echo',
      '/api/echo/',
      '/API/echo',
      '/api/Echo',
      '/api/echo;x=1',
      '/%61pi/echo',
      '/api/%65cho',
      '/healthz/../api/echo',
      '/api/./echo',
      '/api?/echo',
    ]
    for (const path of spellings) {
      expect([401, 404]).toContain((await ask(server, path)).status)
      const { status } = await ask(server, path, { headers: { authorization } })
      expect([path, status]).toEqual([path, 404])
    }
  })

  it.each([
    'evil.example',
    'evil.example:9010',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil',
    '2130706433',
  ])('A28 by the Host %j, as after DNS rebinding: 421, with the right token too', async (host) => {
    const { status, body } = await ask(server, '/api/echo', { headers: { authorization, host } })
    expect([status, body['error']]).toEqual([421, 'misdirected_host'])
  })

  it.each(['127.0.0.1:9010', 'localhost:1', '[::1]:9010', '10.0.0.7', 'Admin.Internal:9010'])(
    'by the Host %j: served',
    async (host) => {
      expect((await ask(server, '/api/echo', { headers: { authorization, host } })).status).toBe(
        200,
      )
    },
  )

  it('an unknown route is 404, a wrong method 405 with the right ones', async () => {
    const headers = { authorization }
    expect(await ask(server, '/api/nothing', { headers })).toMatchObject({
      status: 404,
      body: { error: 'not_found' },
    })
    expect(await ask(server, '/api/constructor', { headers })).toMatchObject({ status: 404 })
    const { status, headers: answered } = await ask(server, '/api/echo', {
      method: 'DELETE',
      headers,
    })
    expect([status, answered['allow']]).toEqual([405, 'POST, GET'])
  })

  it('a body that is not JSON is 400, one of another type 415', async () => {
    const post = (headers: Record<string, string>, body: string) =>
      ask(server, '/api/echo', { method: 'POST', headers, body })
    for (const body of ['{', 'text', '"a string"'])
      expect(await post(asJson, body)).toMatchObject({
        status: 400,
        body: { error_description: 'Expected a body that is JSON' },
      })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'text/json'])
      expect(await post({ ...asJson, 'content-type': type }, '{}')).toMatchObject({ status: 415 })
    expect(await post({ authorization }, '{}')).toMatchObject({ status: 415 })
  })

  it('a body of 1 MiB is taken, a larger one refused', async () => {
    const post = (length: number) =>
      ask(server, '/api/echo', {
        method: 'POST',
        headers: asJson,
        body: JSON.stringify({ a: 'x'.repeat(length - 8) }),
      })
    expect((await post(1024 * 1024)).status).toBe(201)
    expect(await post(1024 * 1024 + 1)).toMatchObject({
      status: 413,
      body: { error_description: 'Expected a body of 1 MiB at most' },
    })
  })

  it('a fault of ours is 500 without the cause, which the log has', async () => {
    const { status, body } = await ask(server, '/api/broken', { headers: { authorization } })
    expect([status, body['error']]).toEqual([500, 'server_error'])
    expect(JSON.stringify(body)).not.toContain('the cause')
    expect(logLines.join('')).toContain('the cause, which nobody outside learns')
  })

  it('without a token of its own there is no API, whatever is shown; it says why', async () => {
    for (const path of ['/api/echo', '/api/nothing'])
      expect(
        await ask(off, path, { headers: { authorization: 'Bearer undefined' } }),
      ).toMatchObject({
        status: 404,
        body: { error: 'api_off', error_description: expect.any(String) as string },
      })
  })
})

describe(secretMatcher, () => {
  it('takes the secret and nothing else, of whatever length', () => {
    const matches = secretMatcher(TOKEN)
    expect(matches(TOKEN)).toBe(true)
    for (const other of ['', 'a', TOKEN.slice(1), `${TOKEN} `, 'ä'.repeat(32)])
      expect(matches(other)).toBe(false)
  })
})
