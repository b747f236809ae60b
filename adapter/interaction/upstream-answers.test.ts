// What the chain makes of an upstream that refuses, fails or lies: an OAuth error for the app or a page for the person,
// never a session.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startEvilIdp, type Behaviour, type EvilIdp } from '../upstream/test-support/evil-idp.ts'
import { claimsOf } from '../test-support/app.ts'
import type { Browser, Visit } from '../test-support/browser.ts'
import { startChain, type Chain } from '../test-support/chain.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'

type Json = Record<string, unknown>

const CALLBACK = '/login/oauth2/code/honest'
let honest: EvilIdp
let evil: EvilIdp
const clock = useClock()
const on = useChain(async () => {
  ;[honest, evil] = await Promise.all([startEvilIdp(), startEvilIdp()])
  return {
    upstreams: { honest: honest.issuer, evil: evil.issuer },
    config: {
      default_upstream: 'honest',
      // No pause after the failures of one test: the next is about another one.
      upstreams: { honest: { userinfo: 'always', circuit: { failures: 1000 } } },
      login: { ttl: '5m' },
    },
  }
})
afterEach(() => {
  honest.behaviour = {}
  honest.requests.length = 0
  evil.requests.length = 0
})

const answerOf = ({ url }: Visit) => Object.fromEntries(url.searchParams)
const isSignedIn = async (browser: Browser) =>
  (await browser.open(on.chain.app.request({ prompt: 'none' }).url)).url.searchParams.has('code')

async function login(behaviour: Behaviour = {}, browser = on.chain.newBrowser()) {
  honest.behaviour = behaviour
  const request = on.chain.app.request()
  const visit = await browser.open(request.url)
  return { browser, request, visit, answer: answerOf(visit) }
}

/** The callback URL of a login, not yet opened. */
async function upToCallback(browser: Browser) {
  const request = on.chain.app.request()
  const { url } = await browser.open(request.url, {
    stopBefore: ({ pathname }) => pathname === CALLBACK,
  })
  return { request, url }
}

it('a login at an upstream that does right ends with a code, and a prefixed subject', async () => {
  const { request, visit } = await login()
  const { body } = await on.chain.app.finish(visit, request)
  expect(claimsOf(body.access_token)).toMatchObject({
    sub: 'honest:testuser',
    test_auth_server_sub: 'testuser',
    authorities: ['ROLE_USER'],
  })
})

describe('F11 C39 errors of the upstream’s authorization endpoint', () => {
  const ERRORS: [received: string, told: string][] = [
    ['access_denied', 'access_denied'],
    ['login_required', 'login_required'],
    ['interaction_required', 'interaction_required'],
    ['temporarily_unavailable', 'temporarily_unavailable'],
    ['server_error', 'server_error'],
    ['consent_required', 'server_error'],
    ['invalid_scope', 'server_error'],
    ['unauthorized_client', 'server_error'],
    ['never_heard_of', 'server_error'],
    ['"><img src=x onerror=alert(1)>', 'server_error'],
    ['a\r\nSet-Cookie: x=1', 'server_error'],
    ['', 'server_error'],
  ]
  it.each(ERRORS)(
    '%j: the app is told %s with its state, our iss and the flow id, and nothing of the upstream’s words',
    async (received, told) => {
      const { request, visit, answer, browser } = await login({
        response: (parameters) => {
          parameters.delete('code')
          parameters.set('error', received)
          parameters.set('error_description', 'SECRET-WORDS <script>alert(1)</script>')
          parameters.set('error_uri', 'https://evil.test/')
        },
      })
      expect(answer).toEqual({
        error: told,
        error_description: expect.stringMatching(/\(flow [\w-]{12}\)$/) as unknown,
        state: request.state,
        iss: on.chain.issuer,
      })
      expect(visit.url.href).not.toMatch(/SECRET-WORDS|evil\.test/)
      expect(visit.hops.length).toBeLessThanOrEqual(6)
      expect(honest.count('POST /token')).toBe(0)
      expect(
        browser.cookie('AUTH_ADAPTER_SESSION')?.value === undefined || !(await isSignedIn(browser)),
      ).toBe(true)
    },
  )

  it('the flow id told is the one in the log', async () => {
    const { answer } = await login({
      response: (parameters) => void parameters.set('error', 'access_denied'),
    })
    const flowId = /flow ([\w-]+)/.exec(answer['error_description'] ?? '')?.[1]
    expect(on.chain.events('login.failed').at(-1)).toMatchObject({
      flow_id: flowId,
      upstream: 'honest',
      oauth_error: 'access_denied',
      client_id: 'client',
    })
  })
})

describe('A01 mix-up', () => {
  it('a state of one upstream at the callback of another: 400, logged, and no token request to either', async () => {
    const browser = on.chain.newBrowser()
    const { url } = await upToCallback(browser)
    const mixed = new URL(url.href.replace(CALLBACK, '/login/oauth2/code/evil'))
    mixed.searchParams.set('iss', evil.issuer)
    const visit = await browser.open(mixed)
    expect(visit.status).toBe(400)
    expect(visit.body).toContain('This sign-in was not started here')
    expect([honest.count('POST /token'), evil.count('POST /token')]).toEqual([0, 0])
    expect(on.chain.events('upstream.mixup').at(-1)).toMatchObject({
      expected: 'honest',
      received: 'evil',
    })
    expect(await isSignedIn(browser)).toBe(false)
  })

  it.each([
    ['the iss of another', (parameters: URLSearchParams) => parameters.set('iss', evil.issuer)],
    ['no iss though promised', (parameters: URLSearchParams) => parameters.delete('iss')],
    ['iss twice', (parameters: URLSearchParams) => parameters.append('iss', evil.issuer)],
    ['code twice', (parameters: URLSearchParams) => parameters.append('code', 'another')],
    ['no code', (parameters: URLSearchParams) => parameters.delete('code')],
  ])('C56 %s: server_error at the app, no token request', async (_name, response) => {
    const { answer, request } = await login({ response: (parameters) => void response(parameters) })
    expect(answer).toMatchObject({
      error: 'server_error',
      state: request.state,
      iss: on.chain.issuer,
    })
    expect([honest.count('POST /token'), evil.count('POST /token')]).toEqual([0, 0])
  })

  it('an upstream that nobody configured: 404', async () => {
    for (const path of [
      '/login/oauth2/code/nobody?code=x&state=y',
      '/oauth2/authorization/nobody?interaction=abcdefghijklmnop',
      '/login/oauth2/code/__proto__',
      '/login/oauth2/code/constructor',
    ])
      expect((await on.chain.newBrowser().open(on.chain.url + path)).status).toBe(404)
  })
})

describe('identities that can not be believed', () => {
  const changed = (claims: Json) => ({ claims: (own: Json) => ({ ...own, ...claims }) })
  const without = (name: string): Behaviour => ({ claims: ({ [name]: _gone, ...rest }) => rest })
  let earlierNonce: unknown

  const LIES: [name: string, behaviour: () => Behaviour][] = [
    ['C45 another iss', () => changed({ iss: evil.issuer })],
    ...['iss', 'sub', 'aud', 'iat', 'exp'].map((name): [string, () => Behaviour] => [
      `C46 no ${name}`,
      () => without(name),
    ]),
    ['C47 A18 another aud', () => changed({ aud: 'somebody' })],
    ['C47 A18 another azp', () => changed({ aud: ['test-client', 'somebody'], azp: 'somebody' })],
    [
      'C49 A25 no signature',
      () => ({
        idToken: (token) =>
          `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1] ?? ''}.`,
      }),
    ],
    ['C50 a wrong signature', () => ({ sign: () => Buffer.alloc(256, 1) })],
    ['C52 A05 another nonce', () => changed({ nonce: 'n'.repeat(43) })],
    ['C52 A05 an empty nonce', () => changed({ nonce: '' })],
    ['C52 A05 no nonce', () => without('nonce')],
    ['A05 the nonce of an earlier login (CVE-2024-10318)', () => changed({ nonce: earlierNonce })],
    [
      'C53 A19 another sub at userinfo',
      () => ({ userinfo: () => ({ sub: 'admin', name: 'Admin' }) }),
    ],
    [
      'C57 expired an hour ago',
      () => ({
        claims: (own) => ({
          ...own,
          iat: Number(own['iat']) - 4000,
          exp: Number(own['iat']) - 3600,
        }),
      }),
    ],
    ['A39 a sub with line breaks', () => changed({ sub: 'a\r\nSet-Cookie: x=1' })],
    ['an empty sub', () => changed({ sub: '' })],
    ['a sub that is no text', () => changed({ sub: { $ne: '' } })],
    ['no ID token', () => ({ token: ({ id_token: _gone, ...rest }) => rest })],
  ]
  it.each(LIES)(
    '%s: server_error at the app, no session, and the next login works',
    async (_name, behaviour) => {
      await login({ claims: (claims) => ((earlierNonce = claims['nonce']), claims) })
      const { answer, request, visit, browser } = await login(behaviour())
      expect(answer).toMatchObject({
        error: 'server_error',
        state: request.state,
        iss: on.chain.issuer,
      })
      expect(answer).not.toHaveProperty('code')
      expect(visit.hops.length).toBeLessThanOrEqual(6)
      expect(await isSignedIn(browser)).toBe(false)
      expect((await login({}, browser)).answer).toHaveProperty('code')
    },
  )

  it('A19 fields beside code, state and iss in the answer count for nothing', async () => {
    const { request, visit } = await login({
      response: (parameters) =>
        ['sub', 'acr', 'name', 'id_token', 'preferred_username'].forEach((name) =>
          parameters.set(name, 'admin'),
        ),
    })
    const { body } = await on.chain.app.finish(visit, request)
    expect(JSON.stringify([claimsOf(body.access_token), claimsOf(body.id_token)])).not.toContain(
      'admin',
    )
  })

  it('A16 one sub at two upstreams is two people (CVE-2021-41802)', async () => {
    const subs = new Map<string, unknown>()
    for (const sub of [
      'testuser',
      'evil:testuser',
      'honest:testuser',
      'TESTUSER',
      'testuser ',
      ':',
      'a%3Ab',
    ]) {
      const { request, visit } = await login({ ...changed({ sub }), userinfo: () => ({ sub }) })
      subs.set(sub, claimsOf((await on.chain.app.finish(visit, request)).body.access_token)['sub'])
    }
    expect(Object.fromEntries(subs)).toMatchObject({
      testuser: 'honest:testuser',
      'evil:testuser': 'honest:evil:testuser',
      TESTUSER: 'honest:TESTUSER',
    })
    expect(new Set(subs.values()).size).toBe(subs.size)
    // The bare one: of the upstream that needs no prefix.
    expect([...subs.values()]).not.toContain('testuser')
  })

  it('A41 prototypes stay clean whatever the claims are called', async () => {
    const evilClaims = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"roles":["user",{"__proto__":{"polluted":true}},"__proto__","constructor"]}',
    ) as Json
    const { request, visit } = await login({
      claims: (own) =>
        Object.defineProperty({ ...own, ...evilClaims }, '__proto__', {
          value: { polluted: true },
          enumerable: true,
        }) as Json,
    })
    const { body } = await on.chain.app.finish(visit, request)
    expect(({} as Json)['polluted']).toBeUndefined()
    expect(claimsOf(body.access_token)['authorities']).toEqual(['ROLE_USER'])
    expect(JSON.stringify(claimsOf(body.access_token))).not.toContain('polluted')
  })
})

describe('an upstream that fails', () => {
  it('F12 a code that it does not take: a page with a retry that works', async () => {
    let refuse = true
    const { visit, browser, request } = await login({
      answer: {
        '/token': (_request, response) =>
          refuse
            ? response
                .writeHead(400, { 'content-type': 'application/json' })
                .end('{"error":"invalid_grant"}')
            : false,
      },
    })
    expect(visit.status).toBe(502)
    expect(visit.url.pathname).toBe(CALLBACK)
    refuse = false
    const retry = /href="(\/oauth2\/authorization\/[^"]+)"[^>]*>Try again/.exec(visit.body)?.[1]
    const done = await browser.open(
      new URL((retry as string).replaceAll('&amp;', '&'), on.chain.url),
    )
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
  })

  it.each([500, 502, 503, 429, 302, 204])(
    'F04 its token endpoint answers %i: a page, status 502',
    async (status) => {
      const { visit } = await login({
        answer: {
          '/token': (_request, response) =>
            response
              .writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {})
              .end(),
        },
      })
      expect(visit.status).toBe(502)
      expect(visit.body).toContain('does not answer')
    },
  )

  it('F05 garbage from its token endpoint: a page or server_error, no 5xx but 502', async () => {
    for (const body of ['', '<html>', '{"id_token":', '[]', 'null', '"x"']) {
      const { visit, answer } = await login({
        answer: {
          '/token': (_request, response) =>
            response.writeHead(200, { 'content-type': 'application/json' }).end(body),
        },
      })
      expect(visit.status === 502 || answer['error'] === 'server_error').toBe(true)
    }
  })

  it('it does not take our client: the app learns server_error, the log the reason', async () => {
    const { answer } = await login({
      answer: {
        '/token': (_request, response) =>
          response
            .writeHead(401, { 'content-type': 'application/json' })
            .end('{"error":"invalid_client"}'),
      },
    })
    expect(answer['error']).toBe('server_error')
    expect(on.chain.events('login.failed').at(-1)).toMatchObject({ code: 'client_rejected' })
  })

  it('F02 gone before the answer is redeemed: a page at once; then back, and the retry works', async () => {
    const browser = on.chain.newBrowser()
    const { request, url } = await upToCallback(browser)
    await honest.close()
    const started = performance.now()
    const page = await browser.open(url)
    expect(performance.now() - started).toBeLessThan(1000)
    expect(page.status).toBe(502)
    await honest.reopen()
    const retry = /href="([^"]+)"[^>]*>Try again/.exec(page.body)?.[1] as string
    clock.advance(11)
    const done = await browser.open(new URL(retry.replaceAll('&amp;', '&'), on.chain.url))
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
  })

  it('F02 who gives up brings temporarily_unavailable to the app', async () => {
    const { visit, browser, request } = await login({
      answer: { '/token': (_request, response) => response.writeHead(503).end() },
    })
    const cancel = /href="([^"]+\/cancel\?[^"]+)"/.exec(visit.body)?.[1] as string
    const done = await browser.open(new URL(cancel.replaceAll('&amp;', '&'), on.chain.url))
    expect(answerOf(done)).toMatchObject({
      error: 'temporarily_unavailable',
      state: request.state,
      iss: on.chain.issuer,
    })
    const stranger = on.chain.newBrowser()
    expect(
      (await stranger.open(new URL(cancel.replaceAll('&amp;', '&'), on.chain.url))).status,
    ).toBe(400)
  })

  it('F10 a name of 100 kB is refused', async () => {
    const { answer, request } = await login({
      claims: (own) => ({ ...own, name: 'x'.repeat(100_000) }),
    })
    expect(answer).toMatchObject({ error: 'server_error', state: request.state })
  })

  it('F10 a name as long as is accepted still gives a JWT below 8 kB, in whatever script', async () => {
    const { visit, request } = await login({
      claims: (own) => ({ ...own, name: '名'.repeat(1360) }),
    })
    const { body } = await on.chain.app.finish(visit, request)
    expect(body.access_token.length).toBeGreaterThan(5000)
    expect(body.access_token.length).toBeLessThan(8192)
  })
})

describe('metadata of an upstream that is asked for the first time', () => {
  let idp: EvilIdp
  beforeAll(async () => {
    idp = await startEvilIdp()
  })
  afterAll(() => idp.close())

  /** A login through an adapter that has not seen this upstream before. */
  async function firstLogin(work: (chain: Chain) => Promise<void>): Promise<void> {
    const chain = await startChain({
      upstreams: { fresh: idp.issuer },
      config: { default_upstream: 'fresh', keys: { alg: 'ES256' } },
    })
    try {
      await work(chain)
    } finally {
      idp.behaviour = {}
      await chain.close()
    }
  }

  const LIES: [name: string, discovery: (document: Json) => unknown][] = [
    ['C54 another issuer', (document) => ({ ...document, issuer: 'https://evil.test' })],
    [
      'C54 an issuer with a slash',
      (document) => ({ ...document, issuer: `${String(document['issuer'])}/` }),
    ],
    [
      'A29 endpoints on http elsewhere',
      (document) => ({
        ...document,
        token_endpoint: 'http://evil.test/token',
        authorization_endpoint: 'http://evil.test/authorize',
      }),
    ],
    ['A29 no endpoints', ({ issuer }) => ({ issuer })],
    [
      'A12 a script as authorization endpoint',
      (document) => ({ ...document, authorization_endpoint: 'javascript:alert(1)' }),
    ],
  ]
  it.each(LIES)(
    '%s: server_error at the app, and the browser is sent nowhere else',
    async (_name, discovery) => {
      await firstLogin(async (chain) => {
        idp.behaviour = { discovery }
        const request = chain.app.request()
        const visit = await chain.newBrowser().open(request.url)
        expect(answerOf(visit)).toMatchObject({
          error: 'server_error',
          state: request.state,
          iss: chain.issuer,
        })
        expect(visit.hops.every(({ url }) => url.origin === chain.url)).toBe(true)
      })
    },
  )

  it('F01 down when the adapter starts: ready, a page with a retry, and the retry works once it is up', async () => {
    await idp.close()
    await firstLogin(async (chain) => {
      expect((await fetch(`${chain.adminUrl}/readyz`)).status).toBe(200)
      const browser = chain.newBrowser()
      const request = chain.app.request()
      const page = await browser.open(request.url)
      expect(page.status).toBe(502)
      expect(page.body).toContain('does not answer')
      await idp.reopen()
      clock.advance(2)
      const retry = /href="([^"]+)"[^>]*>Try again/.exec(page.body)?.[1] as string
      const done = await browser.open(new URL(retry.replaceAll('&amp;', '&'), chain.url))
      expect((await chain.app.finish(done, request)).status).toBe(200)
    })
  })
})
