import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { useClock } from '../../../adapter/test-support/use-chain.ts'
import { adapterToken, branchTokensOf, workerToken } from '../../testing/adapter-tokens.ts'
import { NAVIGATION, OWN_SCRIPT } from '../../testing/browser.ts'
import type { TestBrowser } from '../../testing/browser.ts'
import { startWholeChain } from '../../testing/whole-chain.ts'
import type { WholeChain } from '../../testing/whole-chain.ts'

let whole: WholeChain

beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())
const clock = useClock()

const ask = (browser: TestBrowser, path: string, headers: Record<string, string> = {}) =>
  browser.open(whole.url + path, { headers: { ...OWN_SCRIPT, ...headers } })
const asBearer = (token: string) =>
  ask(whole.browser(), '/api/me', { authorization: `Bearer ${token}` })
const asCookie = (token: string, more: Record<string, string> = {}) =>
  ask(whole.browser(), '/api/me', { cookie: `TEST_APP_ACCESS=${token}`, ...more })
const meOf = ({ text }: { text: string }) => JSON.parse(text) as Record<string, unknown>
const partsOf = (token: string) => token.split('.') as [string, string, string]

/** As it stands, which fetch and URL would tidy up. */
function statusOf(path: string, method = 'GET', headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(whole.url)
  return new Promise<number>((resolve, reject) => {
    request({ hostname, port, path, method, headers, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

describe('without anybody signed in', () => {
  it.each([
    ['/ping', 200],
    ['/style.css', 200],
    ['/', 200],
    ['/logout', 200],
    ['/device', 200],
    ['/robots.txt', 200],
    ['/favicon.ico', 200],
    ['/audit', 200],
    ['/logout/frontchannel', 400],
  ])('%s is public: %s', async (path, status) => {
    expect((await whole.browser().open(whole.url + path)).status).toBe(status)
    expect((await whole.browser().open(whole.url + path, { method: 'HEAD' })).status).toBe(status)
  })

  it.each(['/api/me', '/logs.json', '/authenticated', '/nowhere', '/js', '/js/', '/static/x.js'])(
    '%s is 401 with JSON to a program, which says where one signs in',
    async (path) => {
      const answer = await ask(whole.browser(), path)
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
      const { error, login_url } = meOf(answer)
      expect(error).toBe('unauthenticated')
      expect(login_url).toMatch(/^\/(login\.html|sign-in)\?return_to=%2F/)
    },
  )

  it('a person is led to the form of this app, and back to what was asked for', async () => {
    const answer = await whole.browser().open(`${whole.url}/logs.json?since=1&x=%2F%2Fevil.example`)
    expect(answer.status).toBe(302)
    const url = new URL(answer.location ?? '')
    expect(url.origin + url.pathname).toBe(`${whole.url}/login.html`)
    expect(url.searchParams.get('return_to')).toBe('/logs.json?since=1&x=%2F%2Fevil.example')
  })

  it('/authenticated leads a person through the chain, /authenticated/any/where too', async () => {
    for (const path of ['/authenticated', '/authenticated/any/where']) {
      const answer = await whole.browser().open(whole.url + path)
      expect(new URL(answer.location ?? '').origin).toBe(whole.issuer)
    }
  })

  it('only the listed methods are public', async () => {
    for (const [method, path] of [
      ['POST', '/ping'],
      ['DELETE', '/'],
      ['PUT', '/logout'],
      ['POST', '/favicon.ico'],
      ['GET', '/logout/backchannel'],
      ['POST', '/logout/frontchannel'],
    ] as const)
      expect(await statusOf(path, method), `${method} ${path}`).toBe(401)
  })
})

describe('paths that two readers may understand differently', () => {
  it.each([
    '//api/me',
    '/api//me',
    '/ping/../api/me',
    '/ping/..;/api/me',
    '/ping;/../api/me',
    '/api/me;x=.css',
    '/api/me%00.css',
    '/api%2fme',
    '/ping%2f..%2fapi%2fme',
    '/%2e/api/me',
    '/api\\me',
    '/./api/me',
    '/api/me/.',
  ])('A47 %s is refused, with and without a token', async (path) => {
    const token = await adapterToken(whole)
    expect(await statusOf(path)).toBe(400)
    expect(await statusOf(path, 'GET', { authorization: `Bearer ${token}` })).toBe(400)
  })

  it.each(['/API/ME', '/Ping', '/PING', '/ping/', '/api/me/', '/%61pi/me', '/LOGIN.HTML'])(
    'A47 %s is no public path, and leads to no other page',
    async (path) => {
      expect(await statusOf(path)).toBe(401)
      const token = await adapterToken(whole)
      expect(await statusOf(path, 'GET', { authorization: `Bearer ${token}` })).toBe(404)
    },
  )

  it('A47 what the query says makes nothing public', async () => {
    for (const path of ['/api/me?/ping', '/api/me?path=/ping', '/api/me?x=/../ping'])
      expect(await statusOf(path)).toBe(401)
  })
})

describe('who is signed in', () => {
  it('by the header: claims, clients, and no session or cookie for it', async () => {
    const answer = await asBearer(await adapterToken(whole))
    expect(answer.status).toBe(200)
    expect(meOf(answer)).toMatchObject({ sub: 'testuser', via: 'bearer', clients: ['client'] })
    expect(answer.headers['set-cookie'] ?? []).not.toContainEqual(
      expect.stringMatching(/TEST_APP_(SESSION|ACCESS|REFRESH)/),
    )
  })

  it('by the cookie', async () => {
    const answer = await asCookie(await adapterToken(whole))
    expect(meOf(answer)).toMatchObject({ sub: 'testuser', via: 'cookie', clients: ['client'] })
  })

  it('by the session, which goes before the cookie; the header goes before both', async () => {
    const browser = whole.browser()
    await whole.signIn(browser)
    expect(meOf(await ask(browser, '/api/me'))).toMatchObject({ via: 'session' })
    const other = await adapterToken(whole, { name: 'single' })
    browser.cookies.set('TEST_APP_ACCESS', other)
    expect(meOf(await ask(browser, '/api/me'))).toMatchObject({ via: 'session' })
    const headed = await ask(browser, '/api/me', { authorization: `Bearer ${other}` })
    expect(meOf(headed)).toMatchObject({ via: 'bearer' })
    browser.cookies.delete('TEST_APP_SESSION')
    expect(meOf(await ask(browser, '/api/me'))).toMatchObject({ via: 'cookie' })
  })

  it('A43 each verification is one line, with the hash of the token and not the token', async () => {
    const token = await adapterToken(whole)
    const before = whole.events('token.verified').length
    await asBearer(token)
    const lines = whole.events('token.verified').slice(before)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ via: 'bearer', valid: true, claims: { sub: 'testuser' } })
    expect(lines[0]?.['request_id']).toBeTypeOf('string')
    for (const part of partsOf(token)) expect(whole.log.text).not.toContain(part)
  })
})

describe('tokens that are not good here, in each place', () => {
  type Make = () => Promise<string>
  const forged: Make = async () => {
    const [header, payload, signature] = partsOf(await adapterToken(whole))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url')
    return `${header}.${changed}.${signature}`
  }
  const bad: [name: string, make: Make, reason: string][] = [
    ['of another audience', () => workerToken(whole), 'audience'],
    ['for refreshing', () => adapterToken(whole, { resource: `${whole.url}/refresh` }), 'audience'],
    ['of the identity service', async () => (await branchTokensOf(whole)).accessToken, 'signature'],
    ['with changed claims', forged, 'signature'],
    ['that is no JWT', async () => 'opaque-token', 'malformed'],
  ]

  it.each(bad)('one %s: 401, nothing told, nothing changed', async (_name, make, reason) => {
    const token = await make()
    const header = await asBearer(token)
    expect([header.status, header.headers['www-authenticate']]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ])
    expect(whole.events('token.verified').at(-1)).toMatchObject({ valid: false, reason })
    const cookie = await asCookie(token)
    expect([cookie.status, meOf(cookie)['error']]).toEqual([401, 'unauthenticated'])
    for (const answer of [header, cookie]) expect(answer.text).not.toContain(token)
  })

  it('an expired one: 401 in the header, and in the cookie where there is nothing to refresh', async () => {
    const token = await adapterToken(whole)
    clock.advance(301)
    expect((await asBearer(token)).status).toBe(401)
    expect((await asCookie(token)).status).toBe(401)
    expect(whole.events('token.verified').at(-1)).toMatchObject({ reason: 'expired' })
  })

  it('an Authorization header decides, also on a public page, and also where it is no Bearer token', async () => {
    const browser = whole.browser()
    await whole.signIn(browser)
    for (const authorization of ['Bearer x', 'Bearer', 'Basic Y2xpZW50OnNlY3JldA==', 'x', '']) {
      for (const path of ['/api/me', '/'])
        expect((await ask(browser, path, { authorization })).status, authorization).toBe(401)
    }
    expect((await ask(browser, '/api/me')).status).toBe(200)
  })
})

describe('other sites', () => {
  it('can not post with the cookies of this one', async () => {
    const browser = whole.browser()
    await whole.signIn(browser)
    const post = (headers: Record<string, string>) =>
      browser.open(`${whole.url}/logout`, { form: { where: 'here' }, headers })
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
    ]
    for (const headers of foreign) expect((await post(headers)).status).toBe(403)
    expect((await ask(browser, '/api/me')).status).toBe(200)
  })
})

describe('while the adapter is away', () => {
  it('a person reads that nothing is lost, a program gets 503; later all is as before', async () => {
    const own = await startWholeChain()
    try {
      const browser = own.browser()
      await own.signIn(browser)
      clock.advance(301)
      own.chain.serve((_req, res) => void res.writeHead(503).end())
      const answer = await browser.open(`${own.url}/api/me`, { headers: OWN_SCRIPT })
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
      const page = await browser.open(`${own.url}/authenticated`, { headers: NAVIGATION })
      expect([page.status, page.headers['retry-after']]).toEqual([503, '5'])
      expect((await browser.open(`${own.url}/ping`)).status).toBe(200)
      own.chain.serve(own.chain.adapter.app)
      expect((await browser.open(`${own.url}/authenticated`)).status).toBe(200)
    } finally {
      await own.close()
    }
  })
})
