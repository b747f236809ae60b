// What an attacker would try at the API, beyond the bodies of api/bad-input.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../service/serve-for-test.ts'
import { seedPassword } from '../people/seed-users.ts'
import type { RunningUpstreamTestServer } from '../start.ts'
import { claimsOf, ownConnection, startForTest } from '../test-support/test-browser.ts'
import { tokensOf, useControl } from '../test-support/use-control.ts'
import {
  bearer,
  cookieOf,
  expectError,
  expectSuccess,
  logIn,
  post,
  send,
} from './test-support/api.ts'
import type { Answer, Headed } from './test-support/api.ts'

const on = useControl()
const issuer = () => on.server.issuer
const accessTokenOf = ({ body }: Answer): string => body.data.auth.accessToken
const contextWith = (token: string) => send(issuer(), 'GET', 'context', { headers: bearer(token) })

describe('A30 a request that is too much', () => {
  const good = { email: 'single@example.test', password: seedPassword }
  const deep = `${'{"a":'.repeat(2500)}1${'}'.repeat(2500)}`
  const wide = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`f${index}`, 1]))
  const token = 'x'.repeat(12_000)

  const requests: [string, () => Promise<Answer>, number][] = [
    ['deep JSON', () => post(issuer(), 'login', deep), 400],
    ['thousands of fields', () => post(issuer(), 'login', { ...good, ...wide }), 400],
    ['thousands of parameters', () => post(issuer(), `login?${'a=1&'.repeat(2000)}`, good), 400],
    ['a URL of 15 kB', () => send(issuer(), 'GET', `context?${'a'.repeat(15_000)}`), 414],
    ['a token of 12 kB', () => contextWith(token), 401],
    ['a refresh token of 12 kB', () => post(issuer(), 'refresh', { refreshToken: token }), 400],
    [
      'a cookie of 12 kB',
      () => post(issuer(), 'refresh', {}, { cookie: `TEST_AUTH_SERVER_REFRESH=${token}` }),
      401,
    ],
  ]

  it.each(requests)('such as %s is refused at once', async (_name, request, status) => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const start = performance.now()
      const answer = await request()
      times.push(performance.now() - start)
      expect(answer.status).toBe(status)
      expect(answer.text).not.toContain('xxxxxxxxxx')
    }
    // The machine may be busy with other tests; what takes long by itself does each time.
    expect(Math.min(...times)).toBeLessThan(50)
  })
})

describe('A32 the cost of a password', () => {
  let slow: RunningUpstreamTestServer
  beforeAll(async () => {
    const passwordCost = { memoryKib: 16_384, passes: 3, parallelism: 1 }
    slow = await startForTest({ passwordCost })
  })
  afterAll(() => slow.close())

  async function fastest(request: () => Promise<unknown>): Promise<number> {
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const start = performance.now()
      await request()
      times.push(performance.now() - start)
    }
    return Math.min(...times)
  }

  it('is not paid for who is locked out, for a long password, or for a body that is wrong', async () => {
    const wrong = () => logIn(slow.issuer, 'multi', 'wrong')
    const paid = await fastest(wrong)
    await Promise.all(Array.from({ length: 10 }, wrong))
    expectError(await wrong(), 'ACCOUNT_LOCKED')
    const long = () => logIn(slow.issuer, 'single', 'x'.repeat(1025))
    const shapeless = () => post(slow.issuer, 'login', { email: 'single@example.test' })
    for (const free of [wrong, long, shapeless]) expect(await fastest(free)).toBeLessThan(paid / 3)
  })

  it('keeps nobody else waiting: thirty at once, and a ping is answered before', async () => {
    let answered = 0
    const logins = Array.from({ length: 30 }, async () => {
      await logIn(slow.issuer, 'single')
      answered++
    })
    await fetch(`${slow.issuer}/ping`, { headers: ownConnection })
    expect(answered).toBeLessThan(15)
    await Promise.all(logins)
    expect(answered).toBe(30)
  })
})

describe('A38 a token of another kind', () => {
  it('is no access token here, though the same key has signed it', async () => {
    const scope = 'openid profile offline_access'
    const own = await tokensOf(issuer(), 'testuser', { scope })
    const signedIn = await logIn(issuer(), 'single')
    const { refreshToken } = signedIn.body.data.auth
    for (const token of [own.id_token, own.access_token, own.refresh_token, refreshToken]) {
      expectError(await contextWith(token), 'INVALID_TOKEN')
      expectError(await post(issuer(), 'logout', {}, bearer(token)), 'INVALID_TOKEN')
    }
    for (const token of [own.id_token, own.refresh_token, accessTokenOf(signedIn)])
      expectError(await post(issuer(), 'refresh', { refreshToken: token }), 'INVALID_REFRESH_TOKEN')
    expectSuccess(await contextWith(accessTokenOf(signedIn)), 'context')
  })
})

describe('A45 what is there', () => {
  const told = ({ status, body }: Answer) => [status, { ...body, request_id: '' }]

  it('is not told by the path of programs either', async () => {
    const at = (email: string) => post(issuer(), 'system/login', { email, password: 'wrong' })
    const known = await at('system@example.test')
    expectError(known, 'INVALID_CREDENTIALS')
    for (const email of ['single@example.test', 'locked@example.test', 'nobody@example.test'])
      expect(told(await at(email))).toEqual(told(known))
  })

  it('is not told of branches: one of others is refused as one that nobody has', async () => {
    const { accountAccessToken } = (await logIn(issuer(), 'multi')).body.data.auth
    const choose = (branchId: string) =>
      post(issuer(), 'select-branch', { branchId }, bearer(accountAccessToken))
    expect(told(await choose('br-mill'))).toEqual(told(await choose('br-of-nobody')))
  })
})

describe('A46 a header of a proxy that nobody trusts', () => {
  const claimed = (index: number): Headed => ({
    'x-forwarded-for': `198.51.100.${index}`,
    'x-real-ip': `198.51.100.${index}`,
    forwarded: `for=198.51.100.${index};host=evil.example;proto=https`,
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '443',
    x_forwarded_for: `198.51.100.${index}`,
  })

  it('is no way around the lock', async () => {
    for (let index = 0; index < 10; index++)
      expectError(
        await logIn(issuer(), 'no-branch', 'wrong', claimed(index)),
        'INVALID_CREDENTIALS',
      )
    expectError(await logIn(issuer(), 'no-branch', 'wrong', claimed(11)), 'ACCOUNT_LOCKED')
  })

  it('changes nothing of a token or a cookie, and another Host is refused', async () => {
    const answer = await logIn(issuer(), 'single', seedPassword, claimed(1))
    expectSuccess(answer, 'login')
    const { iss, aud } = claimsOf(accessTokenOf(answer))
    expect([iss, aud]).toEqual([issuer(), ['test-client', `${issuer()}/api/auth`]])
    expect(cookieOf(answer)['cookie']).toMatch(/^TEST_AUTH_SERVER_REFRESH=/)
    expect(answer.headers.getSetCookie().join()).not.toMatch(/secure|domain/i)
    const headers = { host: 'evil.example' }
    const { status, text } = await ask(on.server, '/api/auth/context', { headers })
    expect([status, JSON.parse(text)]).toMatchObject([421, { code: 'MISDIRECTED_HOST' }])
  })
})

describe('A47 another spelling of a path', () => {
  const spellings = [
    '/api/auth/context/',
    '/api/auth//context',
    '/api/auth/./context',
    '/api/auth/x/../context',
    '/api/auth/context;x=y',
    '/api/auth/context%2f',
    '/api/auth/%63ontext',
    '/api/auth/context%00',
    '/api/auth/Context',
    '/API/AUTH/nothing',
    '/api/auth%2fcontext',
    '/api/auth\\context',
    '/second/api/auth/context',
  ]
  it.each(spellings)('%s is no path of the API, with a good token', async (path) => {
    const headers = bearer(accessTokenOf(await logIn(issuer(), 'single')))
    const answer = await ask(on.server, path, { headers })
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('single@example.test')
  })

  it('leads to no command of the control listener', async () => {
    for (const path of ['/users', '/clock', '/api/auth/../users', '/reset'])
      expect((await ask(on.server, path)).status, path).toBe(404)
  })
})

describe('A48 more than one may have', () => {
  it.each(['scope', 'roles', 'branchId', 'aud', 'client_id', 'kind'])(
    'is not given to who asks for %s at the sign-in or the refresh',
    async (name) => {
      const good = { email: 'single@example.test', password: seedPassword }
      expectError(await post(issuer(), 'login', { ...good, [name]: 'admin' }), 'VALIDATION_ERROR')
      const signedIn = await logIn(issuer(), 'single')
      const refused = await post(issuer(), 'refresh', { [name]: 'admin' }, cookieOf(signedIn))
      expectError(refused, 'VALIDATION_ERROR')
      expectSuccess(await post(issuer(), 'refresh', {}, cookieOf(signedIn)), 'refresh')
    },
  )

  it('is not to be had by a token for choosing, nor by refreshing it', async () => {
    const first = await logIn(issuer(), 'multi')
    const refreshed = await post(issuer(), 'refresh', {}, cookieOf(first))
    for (const answer of [first, refreshed]) {
      const token: string = answer.body.data.auth.accountAccessToken
      expect(claimsOf(token)).toMatchObject({ scope: 'select_branch', token_use: 'account' })
      expect(claimsOf(token)).not.toHaveProperty('branch_roles')
      expect((await contextWith(token)).status).not.toBe(200)
    }
  })
})

describe('A52 a password that is changed', () => {
  it('ends every session of the API that came of the old one, and of nobody else', async () => {
    const [one, two] = [await logIn(issuer(), 'multi'), await logIn(issuer(), 'multi')]
    const branchId = 'br-north'
    const { accountAccessToken } = one.body.data.auth
    const chosen = await post(issuer(), 'select-branch', { branchId }, bearer(accountAccessToken))
    const other = await logIn(issuer(), 'single')
    await on.control.putPerson('multi', { password: 'correct horse' })
    expectError(await contextWith(accessTokenOf(chosen)), 'INVALID_TOKEN')
    for (const answer of [chosen, two])
      expectError(await post(issuer(), 'refresh', {}, cookieOf(answer)), 'INVALID_REFRESH_TOKEN')
    expectSuccess(await contextWith(accessTokenOf(other)), 'context')
    const again = await logIn(issuer(), 'multi', 'correct horse')
    await on.control.putPerson('multi', { password: 'correct horse', name: 'M.' })
    expectSuccess(await post(issuer(), 'refresh', {}, cookieOf(again)), 'refresh')
    await on.control.putPerson('multi')
  })

  it('lets nobody in who gave the old one while it was being changed', async () => {
    const old = Array.from({ length: 8 }, () => logIn(issuer(), 'multi'))
    const change = on.control.putPerson('multi', { password: 'correct horse' })
    const answers = await Promise.all(old)
    await change
    for (const answer of answers) {
      if (answer.status === 401) continue
      expectError(await post(issuer(), 'refresh', {}, cookieOf(answer)), 'INVALID_REFRESH_TOKEN')
    }
    await on.control.putPerson('multi')
  })
})
