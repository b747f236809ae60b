// The gateway in front of the real identity service, in the whole chain.
import { createServer } from 'node:http'
import type { RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CALLBACK_PATH } from '../login/paths.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain
beforeAll(async () => {
  whole = await startWholeChain({ config: { trusted_proxies: ['127.0.0.1'] } })
})
afterAll(() => whole.close())

type Headed = Record<string, string>

async function send(
  url: string,
  { method = 'POST', body, headers = {} }: { method?: string; body?: unknown; headers?: Headed },
) {
  const answer = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  const json = text.startsWith('{') ? JSON.parse(text) : undefined
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: answer.status, headers: answer.headers, text, body: json as any }
}
const through = (path: string, more: Parameters<typeof send>[1] = {}) =>
  send(`${whole.url}/api/auth/${path}`, more)
const straight = (path: string, more: Parameters<typeof send>[1] = {}) =>
  send(`${whole.identityUrl}/api/auth/${path}`, more)

const person = (name: string, password = 'password') => ({
  email: `${name}@example.test`,
  password,
})
const bearer = (token: string): Headed => ({ authorization: `Bearer ${token}` })

describe('the gateway', () => {
  it('passes a login on, with the cookie of the identity service', async () => {
    const answer = await through('login', { body: person('single') })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      success: true,
      code: 'AUTH_LOGIN_SUCCESS',
      data: { nextAction: { type: 'load_current_context' } },
    })
    const [cookie, ...others] = answer.headers.getSetCookie()
    expect(others).toEqual([])
    expect(cookie).toMatch(
      /^TEST_AUTH_SERVER_REFRESH=\S+; .*Path=\/api\/auth.*HttpOnly; SameSite=Strict$/,
    )
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('carries a session to its end: branch, context, refresh by cookie, logout', async () => {
    const login = await through('login', { body: person('multi') })
    const { accountAccessToken } = login.body.data.auth
    const chosen = await through('select-branch', {
      body: { branchId: login.body.data.branches[1].id },
      headers: bearer(accountAccessToken),
    })
    expect(chosen.body.code).toBe('AUTH_SELECT_BRANCH_SUCCESS')
    const context = await through('context', {
      method: 'GET',
      headers: bearer(chosen.body.data.auth.accessToken),
    })
    expect(context.body.data.branch.id).toBe(login.body.data.branches[1].id)
    const [cookie = ''] = chosen.headers.getSetCookie()[0]?.split(';') ?? []
    const refreshed = await through('refresh', { body: {}, headers: { cookie } })
    expect(refreshed.body.code).toBe('AUTH_REFRESH_SUCCESS')
    const done = await through('logout', {
      body: { refreshToken: refreshed.body.data.auth.refreshToken },
    })
    expect(done.body.code).toBe('AUTH_LOGOUT_SUCCESS')
    const over = await through('context', {
      method: 'GET',
      headers: bearer(refreshed.body.data.auth.accessToken),
    })
    expect([over.status, over.body.code]).toEqual([401, 'INVALID_TOKEN'])
    expect(over.headers.get('www-authenticate')).toBe('Bearer')
  })

  const refusals: [string, Parameters<typeof send>[1]][] = [
    ['a wrong password', { body: person('single', 'wrong') }],
    ['a locked account', { body: person('locked') }],
    ['a disabled account', { body: person('disabled') }],
    ['an account for programs', { body: person('system') }],
    ['an unknown field', { body: { ...person('single'), admin: true } }],
    ['no JSON', { body: '{' }],
    ['another type', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    ['no body', {}],
    ['1 MB', { body: person('single', 'x'.repeat(1_000_000)) }],
  ]
  it.each(refusals)('A30 answers %s as the identity service does', async (_name, request) => {
    const [here, there] = [await through('login', request), await straight('login', request)]
    const shown = ({ status, body, headers }: typeof here) => ({
      status,
      body: { ...body, request_id: 'one' },
      retryAfter: headers.has('retry-after'),
      authenticate: headers.get('www-authenticate'),
    })
    expect(here.status).toBeGreaterThanOrEqual(400)
    expect(shown(here)).toEqual(shown(there))
    expect(here.body.request_id).toBe(here.headers.get('x-request-id'))
  })

  it('refuses a body in a coding', async () => {
    const headers = { 'content-encoding': 'gzip' }
    const answer = await through('login', { body: person('single'), headers })
    expect([answer.status, answer.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it.each([
    ['POST', 'system/login'],
    ['POST', 'nothing'],
    ['POST', 'login/'],
    ['POST', 'Login'],
    ['GET', ''],
  ])('A47 does not route %s %s, and asks nobody', async (method, path) => {
    const before = whole.events('gateway.forwarded').length
    const answer = await through(path, {
      method,
      ...(method === 'POST' ? { body: person('system') } : {}),
    })
    expect([answer.status, answer.body?.code]).toEqual([404, 'NOT_FOUND'])
    expect(whole.events('gateway.forwarded')).toHaveLength(before)
  })

  it('refuses other methods with the right one', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await through('login', { method })
      expect([answer.status, answer.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED'])
      expect(answer.headers.get('allow')).toBe('POST')
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    }
    expect((await through('context', { body: {} })).headers.get('allow')).toBe('GET')
  })

  it('refuses what another site sends', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ]) {
      const answer = await through('login', { body: person('single'), headers })
      expect([answer.status, answer.body.code]).toEqual([403, 'CROSS_ORIGIN'])
    }
  })

  it("tells the identity service of no other cookie and no header that is not on the list, and lets it set no other's", async () => {
    let heard: Record<string, unknown> = {}
    const app = await appBefore((req, res) => {
      heard = req.headers
      res.setHeader('set-cookie', [
        'TEST_APP_SESSION=fixed',
        'TEST_AUTH_SERVER_REFRESH=x; Path=/api/auth',
      ])
      res.setHeader('access-control-allow-origin', '*')
      res.writeHead(200, { 'content-type': 'application/json', 'x-powered-by': 'y' }).end('{}')
    })
    const cookie = 'TEST_APP_SESSION=secret; TEST_APP_ACCESS=a; TEST_AUTH_SERVER_REFRESH=mine'
    const headers = { cookie, 'x-forwarded-for': '203.0.113.9', 'x-admin': '1', forwarded: 'for=x' }
    const answer = await send(`${app.url}/api/auth/login`, { body: {}, headers })
    expect(answer.headers.getSetCookie()).toEqual(['TEST_AUTH_SERVER_REFRESH=x; Path=/api/auth'])
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(heard).toMatchObject({
      cookie: 'TEST_AUTH_SERVER_REFRESH=mine',
      'x-forwarded-for': '127.0.0.1',
    })
    expect(heard).not.toHaveProperty('x-admin')
    expect(heard).not.toHaveProperty('forwarded')
  })

  it('marks the cookie for https where this app is on it', async () => {
    const answer = (_req: unknown, res: ServerResponse) =>
      void res.setHeader('set-cookie', 'TEST_AUTH_SERVER_REFRESH=x; Path=/api/auth').end('{}')
    const app = await appBefore(answer, { url: 'https://app.example' })
    const { headers } = await send(`${app.url}/api/auth/login`, { body: {} })
    expect(headers.getSetCookie()).toEqual(['TEST_AUTH_SERVER_REFRESH=x; Path=/api/auth; Secure'])
  })
})

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

/** The app before an identity service that answers otherwise than ours does. */
async function appBefore(handler: RequestListener, change = {}): Promise<RunningApp> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const identityUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const app = await startTestApp(whole.issuer, { identityUrl, ...change })
  closers.push(app.stop, async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return app
}

describe('an identity service', () => {
  const login = (app: RunningApp) =>
    send(`${app.url}/api/auth/login`, { body: person('single', 'canary-password') })

  it('that does not answer is given five seconds', async () => {
    const app = await appBefore(() => undefined)
    const startedAt = Date.now()
    const answer = await login(app)
    expect(answer.status).toBe(504)
    expect(answer.body).toEqual({
      success: false,
      code: 'GATEWAY_TIMEOUT',
      message: 'The identity service did not answer in time.',
      request_id: answer.headers.get('x-request-id'),
    })
    expect(Date.now() - startedAt).toBeGreaterThan(4900)
    expect(Date.now() - startedAt).toBeLessThan(7000)
    expect(app.log.text).toContain('"code":"GATEWAY_TIMEOUT"')
  })

  it('that is not there is said to be so', async () => {
    const app = await startTestApp(whole.issuer, { identityUrl: 'http://127.0.0.1:9' })
    closers.push(app.stop)
    const answer = await login(app)
    expect([answer.status, answer.body.code]).toEqual([502, 'IDENTITY_UNAVAILABLE'])
    expect(app.log.text).toContain('"route_id":"identity-auth"')
    expect(app.log.text).not.toContain('canary-password')
  })

  const oddities: [string, RequestListener][] = [
    [
      'sends the caller elsewhere',
      (_req, res) => void res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['breaks off', (req) => void req.socket.destroy()],
    ['does not stop talking', (_req, res) => void res.writeHead(200).end('x'.repeat(200_000))],
  ]
  it.each(oddities)('that %s is as one that is not there', async (_name, handler) => {
    const answer = await login(await appBefore(handler))
    expect([answer.status, answer.body.code]).toEqual([502, 'IDENTITY_UNAVAILABLE'])
  })
})

describe('the ids of a request', () => {
  const ids = { 'x-request-id': 'gateway-0001', 'x-correlation-id': 'story_1.0001' }
  const linesOf = (text: string, id: string) =>
    text
      .split('\n')
      .filter((line) => line.includes(id))
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  it('are taken over, answered, and in the lines of both, here with the route', async () => {
    const answer = await through('login', { body: person('single'), headers: ids })
    expect(answer.headers.get('x-request-id')).toBe('gateway-0001')
    expect(answer.headers.get('x-correlation-id')).toBe('story_1.0001')
    await expect
      .poll(() => linesOf(whole.log.text, 'gateway-0001').map(({ event }) => event))
      .toEqual(['gateway.forwarded', 'request.done'])
    const theirs = () => linesOf(whole.chain.upstreamLogLines.join(''), 'gateway-0001')
    await expect.poll(() => theirs().map(({ event }) => event)).toContain('request.done')
    for (const line of [...linesOf(whole.log.text, 'gateway-0001'), ...theirs()])
      expect(line).toMatchObject({ request_id: 'gateway-0001', correlation_id: 'story_1.0001' })
    expect(linesOf(whole.log.text, 'gateway-0001')[0]).toMatchObject({
      route_id: 'identity-auth',
      method: 'POST',
      path: '/api/auth/login',
      status: 200,
      ms: expect.any(Number),
    })
    expect(theirs()[0]).toMatchObject({ path: '/api/auth/login' })
  })

  it('are made where none comes, or none that is well-formed, and are the same in both logs', async () => {
    for (const given of ['', 'short', 'x'.repeat(41), '<script>alert(1)</script>']) {
      const headers = given === '' ? {} : { 'x-request-id': given, 'x-correlation-id': given }
      const answer = await through('login', { body: person('single', 'wrong'), headers })
      const id = answer.headers.get('x-request-id') ?? ''
      expect(id).toMatch(/^[\w-]{16}$/)
      expect(answer.headers.get('x-correlation-id')).toBe(id)
      expect(linesOf(whole.chain.upstreamLogLines.join(''), id)).not.toEqual([])
    }
    await through('login', { body: person('single') })
  })

  it('go to the adapter, too, which takes them over where it trusts this app', async () => {
    await whole.signIn(whole.browser())
    const callback = () => whole.events('request.done').find(({ path }) => path === CALLBACK_PATH)
    await expect.poll(callback).toBeDefined()
    const asked = linesOf(whole.chain.logLines.join(''), String(callback()?.['request_id']))
    expect(asked.map(({ path }) => path)).toContain('/oauth2/token')
  })
})

describe('the lock-out behind the gateway', () => {
  it("A46 goes by the browser's address, which nobody but the gateway can say", async () => {
    const [from, other] = ['203.0.113.7', '203.0.113.8']
    const straightFrom = (address: string, password: string) =>
      straight('login', {
        body: person('no-branch', password),
        headers: { 'x-forwarded-for': address },
      })
    for (let count = 0; count < 10; count += 1) await straightFrom(from, 'wrong')
    expect((await straightFrom(from, 'password')).body.code).toBe('ACCOUNT_LOCKED')
    expect((await straightFrom(other, 'password')).body.code).toBe('BRANCH_CONTEXT_REQUIRED')
    const headers = { 'x-forwarded-for': from, 'x-real-ip': from, forwarded: `for=${from}` }
    const answer = await through('login', { body: person('no-branch'), headers })
    expect(answer.body.code).toBe('BRANCH_CONTEXT_REQUIRED')
  })

  it("A46 goes by the browser's address behind a proxy that this app was told to trust", async () => {
    const trustedProxies = ['127.0.0.1']
    const app = await startTestApp(whole.issuer, {
      identityUrl: whole.identityUrl,
      trustedProxies,
    })
    closers.push(app.stop)
    const from = (address: string, password: string) =>
      send(`${app.url}/api/auth/login`, {
        body: person('member-disabled', password),
        headers: { 'x-forwarded-for': `192.0.2.66, ${address}` },
      })
    for (let count = 0; count < 10; count += 1) await from('203.0.113.17', 'wrong')
    expect((await from('203.0.113.17', 'password')).body.code).toBe('ACCOUNT_LOCKED')
    expect((await from('203.0.113.18', 'password')).body.code).toBe('MEMBER_DISABLED')
    expect(app.log.text).toContain('"ip":"203.0.113.17"')
    expect(app.log.text).not.toContain('192.0.2.66')
  })
})
