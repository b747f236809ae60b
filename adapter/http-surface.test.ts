// What holds for every answer of the adapter whatever was asked: headers, Host, paths, and where a redirect may lead.
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { useChain } from './test-support/use-chain.ts'

const HTML = '<img src=x onerror=alert(1)>'
const on = useChain({ config: { clients: { client: { client_name: HTML } } } })

interface Raw {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** As sent: neither the path nor the headers are touched on the way. */
function raw(
  path: string,
  headers: Record<string, string> = {},
  base = on.chain.url,
): Promise<Raw> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, path, headers }, (response) => {
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
    })
    outgoing.on('error', reject).end()
  })
}

const PAYLOADS = [
  '//evil.test',
  '///evil.test',
  '////evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '\\/evil.test',
  '/%09/evil.test',
  '/%5cevil.test',
  '/%2f%2fevil.test',
  '%2f%2fevil.test',
  'https:evil.test',
  'https:/evil.test',
  'https://evil.test',
  'http://evil.test',
  'HTTPS://EVIL.TEST',
  'https:\\\\evil.test',
  '//evil%E3%80%82test',
  '//evil.test/%2e%2e',
  '/.evil.test',
  '/..//evil.test',
  'https://127.0.0.1@evil.test',
  'https://127.0.0.1:8080@evil.test',
  'https://evil.test#@127.0.0.1',
  'https://evil.test?@127.0.0.1',
  'https://evil.test\\@127.0.0.1',
  'https://127.0.0.1.evil.test',
  '//127.0.0.1@evil.test',
  'http://127.0.0.1:8080.evil.test/',
  'http://[::ffff:1.2.3.4]/',
  '//[::1]@evil.test',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'javascript://%0aalert(1)',
  'data:text/html,x',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://evil.test/x',
  'mailto:a@evil.test',
  'ftp://evil.test',
  'ws://evil.test',
  '%0d%0aLocation:%20https://evil.test',
  '\r\nLocation: https://evil.test',
  '\nhttps://evil.test',
  '\thttps://evil.test',
  ' https://evil.test',
  '%20//evil.test',
  '\u0000//evil.test',
  '%00https://evil.test',
  '\u2028//evil.test',
  '.evil.test',
  '@evil.test',
  ':80@evil.test',
  '?next=//evil.test',
  '#//evil.test',
  ';//evil.test',
  '/oauth2/../..//evil.test',
  '/oauth2/authorize/..%2f..%2fevil.test',
  'http:evil.test',
  'https:///evil.test',
  '//evil.test:80',
  'x:y@evil.test',
  '//\uFF45vil.test',
]

describe('A10 redirects', () => {
  it('60 payloads in every parameter that names a place: no Location leads elsewhere (CVE-2019-3778, CVE-2021-32786)', async () => {
    expect(PAYLOADS.length).toBeGreaterThanOrEqual(60)
    const ours = new Set([on.chain.url, on.chain.upstreamIssuer])
    const request = on.chain.app.request()
    for (const payload of PAYLOADS) {
      const value = encodeURIComponent(payload)
      const attempts = [
        `${request.url.pathname}?${new URLSearchParams({ client_id: 'client', response_type: 'code', redirect_uri: payload }).toString()}`,
        `${request.url.pathname}${request.url.search}&return_to=${value}&next=${value}&target_link_uri=${value}&post_logout_redirect_uri=${value}`,
        `/connect/logout?post_logout_redirect_uri=${value}&client_id=client`,
        `/connect/logout/success?client_id=client&post_logout_redirect_uri=${value}`,
        `/oauth2/authorization/test-auth-server?interaction=${value}&return_to=${value}`,
        `/oauth2/authorization/${value}`,
        `/login/oauth2/code/test-auth-server?state=${value}&code=x&iss=${value}&error=${value}`,
        `/oauth2/authorize/${value}`,
        `/${value}`,
      ]
      for (const path of attempts) {
        const { headers, status } = await raw(path)
        expect(status, path).toBeLessThan(500)
        const location = headers['location']
        if (location !== undefined)
          expect([...ours, 'http://127.0.0.1:8080'], path).toContain(
            new URL(String(location), on.chain.url).origin,
          )
      }
    }
  })

  it('a request target that is no path is refused', async () => {
    for (const path of [
      '//evil.test/oauth2/authorize',
      '/\\evil.test/',
      'http://evil.test/oauth2/authorize',
      '*',
    ]) {
      const { status, headers } = await raw(path)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(headers['location']).toBeUndefined()
    }
  })
})

describe('A36 A40 pages', () => {
  it('every HTML answer may not be framed, runs no foreign script, and is not stored', async () => {
    const request = on.chain.app.request({ redirect_uri: 'https://evil.test/' })
    const formPost = await on.chain.signIn(
      on.chain.newBrowser(),
      on.chain.app.request({ response_mode: 'form_post' }).url,
    )
    const pages = [
      formPost,
      await raw(`${request.url.pathname}${request.url.search}`),
      ...(await Promise.all(
        [
          '/',
          '/nothing',
          '/oauth2/authorize',
          '/oauth2/authorize/x',
          '/login/oauth2/code/test-auth-server',
          '/login/oauth2/code/nobody',
          '/oauth2/authorization/test-auth-server',
          '/connect/logout',
          '/connect/logout/success',
          `/?${'x'.repeat(9000)}`,
          `/?${'x&'.repeat(101)}`,
        ].map((path) => raw(path)),
      )),
      await raw('/', { host: 'evil.test' }),
    ]
    for (const { headers, body } of pages) {
      const header = (name: string) =>
        headers instanceof Headers ? headers.get(name) : headers[name]
      expect(header('content-type')).toBe('text/html; charset=utf-8')
      expect(header('content-security-policy')).toMatch(
        /^default-src 'none';.*frame-ancestors 'none'; base-uri 'none'; object-src 'none'/,
      )
      expect(header('content-security-policy')).not.toMatch(/unsafe|\*/)
      expect(header('x-frame-options')).toBe('DENY')
      expect(header('x-content-type-options')).toBe('nosniff')
      expect(header('referrer-policy')).toBe('no-referrer')
      expect(header('cache-control')).toMatch(/no-store/)
      expect(header('x-powered-by') ?? undefined).toBeUndefined()
      expect(body).not.toContain(HTML)
    }
  })

  it('A40 what came with the request is text on the page, or not there', async () => {
    const { url } = on.chain.app.request({
      redirect_uri: 'https://evil.test/',
      ui_locales: HTML,
      login_hint: HTML,
      scope: HTML,
      state: HTML,
      error_description: HTML,
    })
    const page = await raw(url.pathname + url.search)
    expect(page.status).toBe(400)
    expect(page.body).not.toContain('<img')
    expect(page.body).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })

  it('A45 error pages name no internals', async () => {
    for (const path of [
      '/oauth2/authorize?client_id=client',
      '/oauth2/authorize/x',
      '/login/oauth2/code/test-auth-server?state=x',
      '/%ff',
      '/oauth2/authorize?client_id=%00',
    ])
      expect((await raw(path)).body).not.toMatch(
        /node_modules|\.ts\b|\.js:|at \w+ \(|oidc-provider|InteractionError|stack/i,
      )
  })

  it('programs get JSON with the ids, and no stack', async () => {
    const answer = await raw('/nothing', { accept: 'application/json' })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body)).toEqual({
      error: 'not_found',
      request_id: answer.headers['x-request-id'],
    })
  })
})

describe('A46 Host and forwarded headers', () => {
  it.each(['evil.test', '127.0.0.1', '127.0.0.1:1', 'localhost', '127.0.0.1:80@evil.test'])(
    'Host %j: 421 and nothing of it in the answer',
    async (host) => {
      const answer = await raw('/.well-known/openid-configuration', { host })
      expect(answer.status).toBe(421)
      expect(answer.body).not.toContain('evil.test')
    },
  )

  it('headers of an untrusted peer change no URL, no cookie and no address in the log (CVE-2025-64101, CVE-2024-10039)', async () => {
    const names = [
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-for',
      'x-forwarded-port',
      'x-forwarded-prefix',
      'forwarded',
      'x-original-url',
      'x-rewrite-url',
      'x-real-ip',
      'x_forwarded_host',
      'x-forwarded-server',
      'x-http-method-override',
      'x-request-id',
      'x-ssl-client-cert',
    ]
    const evil = Object.fromEntries(
      names.map((name) => [name, name === 'x-forwarded-proto' ? 'https' : 'evil.test']),
    )
    const plain = await raw('/.well-known/openid-configuration')
    const poisoned = await raw('/.well-known/openid-configuration', evil)
    expect(poisoned.body).toBe(plain.body)
    const { url } = on.chain.app.request()
    const answer = await raw(url.pathname + url.search, evil)
    expect(answer.headers['location']).toMatch(
      /^\/oauth2\/authorization\/test-auth-server\?interaction=/,
    )
    expect(JSON.stringify(answer.headers)).not.toContain('evil.test')
    expect(String(answer.headers['set-cookie'])).not.toMatch(/secure/i)
    expect(on.chain.events('request.done').at(-1)).toMatchObject({
      ip: '127.0.0.1',
      path: '/oauth2/authorize',
    })
    expect(on.chain.logLines.at(-1)).not.toContain('evil.test')
  })
})

describe('A47 paths', () => {
  const TRICKS = [
    '/oauth2//authorize',
    '/oauth2/./authorize',
    '/oauth2/x/../authorize',
    '/oauth2/authorize;x',
    '/OAUTH2/AUTHORIZE',
    '/%6fauth2/authorize',
    '/oauth2%2fauthorize',
    '/oauth2/authorize%00',
    '/Userinfo',
    '/userinfo;',
    '/login/oauth2/code/test-auth-server/',
    '/LOGIN/oauth2/code/test-auth-server',
    '/login/oauth2/code/%74est-auth-server%2f',
  ]
  it.each(TRICKS)('%s is no way in: an error page, no redirect (CVE-2025-54576)', async (path) => {
    const answer = await raw(path)
    expect([400, 401, 404]).toContain(answer.status)
    expect(answer.headers['location']).toBeUndefined()
  })

  it.each([
    '/healthz',
    '/readyz',
    '/metrics',
    '/admin',
    '//readyz',
    '/%72eadyz',
    '/.well-known/../readyz',
  ])('%s is not on the public listener', async (path) => {
    expect([400, 404]).toContain((await raw(path)).status)
  })

  it('the admin listener serves health and nothing of the rest', async () => {
    const at = (path: string) => raw(path, {}, on.chain.adminUrl)
    expect([(await at('/healthz')).status, (await at('/readyz')).status]).toEqual([200, 200])
    for (const path of [
      '/',
      '/oauth2/authorize',
      '/oauth2/token',
      '/userinfo',
      '/.well-known/openid-configuration',
      '/login/oauth2/code/test-auth-server',
      '/ping',
    ])
      expect((await at(path)).status).toBe(404)
  })
})

describe('A30 large requests', () => {
  it('a URL of 16 kB, 10,000 parameters and headers beyond 16 kB are refused at once', async () => {
    const started = performance.now()
    expect((await raw(`/oauth2/authorize?state=${'s'.repeat(9000)}`)).status).toBe(414)
    expect((await raw(`/oauth2/authorize?${'a=&'.repeat(2000)}`)).status).toBe(400)
    expect((await raw('/', { cookie: 'c'.repeat(17_000) })).status).toBe(431)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
