import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import { adapterToken, isActive, revoke } from '../testing/adapter-tokens.ts'
import { askGraphql } from '../testing/ask-graphql.ts'
import { NAVIGATION, OWN_SCRIPT } from '../testing/browser.ts'
import type { Answer, TestBrowser } from '../testing/browser.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain
/** In front of the identity service: this first, which may answer in its place. */
let identityFault: RequestListener | undefined
let identityRequests: string[] = []
let proxy: Server
let browser: TestBrowser

beforeAll(async () => {
  proxy = createServer((req, res) => {
    identityRequests.push(`${req.method} ${req.url}`)
    if (identityFault) return identityFault(req, res)
    void passOn(req, res)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const identityUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  whole = await startWholeChain({ app: { identityUrl } })
})
afterAll(async () => {
  await whole.close()
  proxy.closeAllConnections()
  await new Promise((resolve) => proxy.close(resolve))
})
const clock = useClock()
beforeEach(async () => {
  browser = whole.browser()
  identityRequests = []
  identityFault = undefined
  serveAdapter()
  await login()
})
afterEach(() => serveAdapter())

async function passOn(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(
    Object.entries(req.headers).filter(([name]) => !/^(host|connection|expect)$/.test(name)),
  ) as Record<string, string>
  const answer = await fetch(whole.identityUrl + String(req.url), {
    method: req.method ?? 'GET',
    headers,
    ...(req.method === 'POST'
      ? { body: Readable.toWeb(req) as ReadableStream, duplex: 'half' }
      : {}),
  } as RequestInit)
  res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  res.end(await answer.text())
}

/** `breaks`: paths of the adapter that answer 503. */
function serveAdapter(breaks?: RegExp): void {
  const { app } = whole.chain.adapter
  whole.chain.serve((req, res) =>
    breaks?.test(req.url ?? '') ? void res.writeHead(503).end() : void app(req, res),
  )
}

async function login(from = browser, name = 'single'): Promise<void> {
  const variables = { email: `${name}@example.test`, password: 'password' }
  const { result } = await askGraphql(from, whole.url, 'login', variables)
  expect(result['code']).toBe('SIGNED_IN')
}
const refresh = (from = browser) => askGraphql(from, whole.url, 'refresh')
const logout = (from = browser) => askGraphql(from, whole.url, 'logout')
const me = (from = browser): Promise<Answer> =>
  from.open(`${whole.url}/api/me`, { headers: OWN_SCRIPT })
const statusOf = async (from = browser) => (await me(from)).status
const cookie = (name: string, from = browser) => from.cookies.get(`TEST_APP_${name}`) ?? ''
const refreshes = () => identityRequests.filter((line) => line === 'POST /api/auth/refresh').length
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >

const signInCookies = (from = browser) =>
  [...from.cookies.keys()].filter((name) =>
    /^TEST_APP_(ACCESS|REFRESH|TOKEN_LOGIN|SESSION)$/.test(name),
  )

/** Another browser with the cookies of now. */
function copyOf(original = browser): TestBrowser {
  const copy = whole.browser()
  for (const [name, value] of original.cookies) copy.cookies.set(name, value)
  return copy
}

describe('the cookies of a sign-in', () => {
  it('are two JWTs of the adapter: one for this app, one good for its refresh and nothing else', async () => {
    const access = claimsOf(cookie('ACCESS'))
    expect(access).toMatchObject({ iss: whole.issuer, aud: 'client', sub: 'testuser' })
    const forRefresh = claimsOf(cookie('REFRESH'))
    expect(forRefresh).toMatchObject({ aud: `${whole.url}/refresh`, sub: 'testuser' })
    expect(Number(forRefresh['exp']) - Number(forRefresh['iat'])).toBe(7 * 86_400)
    for (const [name, value] of browser.cookies)
      for (const headers of [
        { authorization: `Bearer ${cookie('REFRESH')}` },
        { cookie: `TEST_APP_ACCESS=${name === 'TEST_APP_ACCESS' ? cookie('REFRESH') : value}` },
      ])
        expect((await whole.browser().open(`${whole.url}/api/me`, { headers })).status).toBe(401)
  })

  it('A43 nothing of them is in the log', () => {
    for (const value of browser.cookies.values())
      for (const part of value.split('.').filter((text) => text.length > 12))
        expect(whole.log.text).not.toContain(part)
  })
})

describe('an access token that is over', () => {
  it('is refreshed once for ten parallel requests, all of which are answered', async () => {
    const old = copyOf()
    clock.advance(301)
    const answers = await Promise.all(Array.from({ length: 10 }, () => me(copyOf(old))))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(refreshes()).toBe(1)
    const access = answers.map(({ headers }) =>
      headers['set-cookie']?.find((line) => line.startsWith('TEST_APP_ACCESS=')),
    )
    expect(new Set(access).size).toBe(1)
    expect(access[0]).not.toContain(cookie('ACCESS'))
  })

  it('is refreshed for a page that a person opens, and the cookies go on', async () => {
    clock.advance(301)
    const page = await browser.open(`${whole.url}/authenticated`, { headers: NAVIGATION })
    expect(page.status).toBe(200)
    const first = cookie('REFRESH')
    clock.advance(301)
    expect(await statusOf()).toBe(200)
    expect(cookie('REFRESH')).not.toBe(first)
    expect(refreshes()).toBe(2)
  })

  it('late requests with the cookies of before get the new ones for ten seconds', async () => {
    const late = copyOf()
    clock.advance(301)
    expect(await statusOf()).toBe(200)
    clock.advance(9)
    expect(await statusOf(late)).toBe(200)
    expect(cookie('REFRESH', late)).toBe(cookie('REFRESH'))
    expect(refreshes()).toBe(1)
  })

  it('A21 a refresh token that comes again after that ends the whole sign-in', async () => {
    const thief = copyOf()
    clock.advance(301)
    expect(await statusOf()).toBe(200)
    const { length: before } = identityRequests
    clock.advance(11)
    expect(await statusOf(thief)).toBe(401)
    expect(signInCookies(thief)).toEqual([])
    expect(identityRequests.slice(before)).toEqual(['POST /api/auth/logout'])
    clock.advance(301)
    expect(await statusOf()).toBe(401)
    expect((await refresh()).result['code']).toBe('REFRESH_REFUSED')
    expect(whole.events('token_login.ended').at(-1)).toMatchObject({
      reason: 'refresh_token_reused',
    })
  })

  it('after seven days there is nothing to refresh', async () => {
    clock.advance(7 * 86_400 + 1)
    expect(await statusOf()).toBe(401)
    expect(refreshes()).toBe(0)
  })
})

describe('a refresh that is refused', () => {
  it('with the refresh cookie of another person: nothing changes for either', async () => {
    const other = whole.browser()
    const variables = { email: 'multi@example.test', password: 'password' }
    const { result } = await askGraphql(other, whole.url, 'login', variables)
    const [branch] = result['branches'] as { id: string }[]
    await askGraphql(other, whole.url, 'selectBranch', { branchId: branch?.id ?? '' })
    const mixed = copyOf()
    mixed.cookies.set('TEST_APP_REFRESH', cookie('REFRESH', other))
    clock.advance(301)
    expect(await statusOf(mixed)).toBe(401)
    expect(refreshes()).toBe(0)
    expect(await statusOf()).toBe(200)
    expect(await statusOf(other)).toBe(200)
  })

  it('A52 after an operator revoked the refresh token: the sign-in is over', async () => {
    await revoke(whole, cookie('REFRESH'))
    clock.advance(301)
    expect(await statusOf()).toBe(401)
    expect(refreshes()).toBe(0)
    expect(identityRequests.at(-1)).toBe('POST /api/auth/logout')
  })

  it('A52 when the identity service says that it is over', async () => {
    identityFault = (_req, res) => {
      res.writeHead(401, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ success: false, code: 'INVALID_REFRESH_TOKEN', message: 'Over' }))
    }
    clock.advance(301)
    expect(await statusOf()).toBe(401)
    identityFault = undefined
    expect(await statusOf()).toBe(401)
  })

  it('a forged, a foreign and an expired refresh JWT: no request goes out for it', async () => {
    const [header = '', payload = ''] = cookie('REFRESH').split('.')
    const foreign = await adapterToken(whole)
    const { length: before } = identityRequests
    clock.advance(301)
    for (const token of [`${header}.${payload}.AAAA`, foreign, 'x', `${header}.${payload}`]) {
      const attacker = copyOf()
      attacker.cookies.set('TEST_APP_REFRESH', token)
      expect(await statusOf(attacker)).toBe(401)
    }
    expect(identityRequests).toHaveLength(before)
    expect(await statusOf()).toBe(200)
  })
})

describe('a refresh while something is away', () => {
  const GONE: RequestListener = (req) => void req.socket.destroy()

  it('the identity service: 503, and all goes on when it is back', async () => {
    identityFault = GONE
    clock.advance(301)
    const answer = await me()
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(answer.headers['set-cookie'] ?? []).not.toContainEqual(
      expect.stringContaining('TEST_APP_ACCESS'),
    )
    identityFault = undefined
    expect(await statusOf()).toBe(200)
  })

  it.each([
    ['introspection', /^\/oauth2\/introspect/],
    [
      'the token endpoint, once the refresh token of the identity service is used up',
      /^\/oauth2\/token/,
    ],
    ['all of it', /./],
  ])('the adapter, %s: 503, nothing is lost', async (_name, paths) => {
    serveAdapter(paths)
    clock.advance(301)
    expect(await statusOf()).toBe(503)
    expect(await statusOf()).toBe(503)
    serveAdapter()
    expect(await statusOf()).toBe(200)
    clock.advance(301)
    expect(await statusOf()).toBe(200)
  })
})

describe('signing out', () => {
  it('A52 ends it here, at the identity service and at the adapter, and clears the cookies', async () => {
    const [access, forRefresh, kept] = [cookie('ACCESS'), cookie('REFRESH'), copyOf()]
    expect([await isActive(whole, access), await isActive(whole, forRefresh)]).toEqual([true, true])
    await logout()
    expect(signInCookies()).toEqual([])
    expect(identityRequests.at(-1)).toBe('POST /api/auth/logout')
    expect([await isActive(whole, access), await isActive(whole, forRefresh)]).toEqual([
      false,
      false,
    ])
    clock.advance(301)
    expect(await statusOf(kept)).toBe(401)
    expect(refreshes()).toBe(0)
  })

  it('works while adapter and identity service are away', async () => {
    const kept = copyOf()
    identityFault = (req) => void req.socket.destroy()
    serveAdapter(/./)
    expect((await logout()).result['code']).toBe('SIGNED_OUT')
    identityFault = undefined
    serveAdapter()
    clock.advance(301)
    expect(await statusOf(kept)).toBe(401)
    expect(whole.events('token_login.not_ended_there').length).toBeGreaterThan(0)
  })

  it('a sign-in in the same browser takes the place of the one before', async () => {
    const before = copyOf()
    await login()
    expect(identityRequests.filter((line) => line.endsWith('/logout'))).toHaveLength(1)
    clock.advance(301)
    expect(await statusOf(before)).toBe(401)
    expect(await statusOf()).toBe(200)
  })

  it('a sign-in by the chain takes its place too, and leaves one way out', async () => {
    const before = copyOf()
    await whole.signIn(browser, 'ada', '/sign-in')
    expect(signInCookies()).toEqual(['TEST_APP_SESSION'])
    expect(JSON.parse((await me()).text)).toMatchObject({ via: 'session', sub: 'user-0002' })
    clock.advance(301)
    expect(await statusOf(before)).toBe(401)
    await logout()
    expect(await statusOf()).toBe(401)
  })
})
