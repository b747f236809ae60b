import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import express, { type RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { clientAddress, forwardedHeaders } from './forwarded.ts'
import { hostCheck } from './host-check.ts'
import { allowFormTargets, allowInlineScript, securityHeaders } from './security-headers.ts'
import { ask, withServer, type Answer } from './serve-for-test.ts'
import { trustedProxies } from './trusted-proxies.ts'
import { urlLimits } from './url-limits.ts'

const nobody = trustedProxies([])
const loopback = trustedProxies(['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'])

const echo: RequestHandler = (request, response) =>
  void response.json({
    host: request.hostname,
    secure: request.secure,
    headers: request.headers,
    ip: clientAddress(request, loopback),
  })

function answer(
  handlers: RequestHandler[],
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<Answer> {
  const app = express().set('trust proxy', true)
  app.use(...handlers, echo)
  return withServer(app, (server) => ask(server, path, { headers }))
}

describe(trustedProxies, () => {
  it('knows addresses and ranges, IPv4 written as IPv6 too', () => {
    const trusted = trustedProxies(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', '::1'])
    const asked = [
      '10.1.255.1',
      '10.2.0.1',
      '192.0.2.7',
      '192.0.2.8',
      '::ffff:10.1.2.3',
      '2001:db8::5',
      '2001:db9::5',
      '::1',
      '',
      undefined,
      'x',
    ]
    expect(asked.map(trusted)).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
      false,
      true,
      false,
      false,
      false,
    ])
  })

  it.each(['10.0.0.0/33', 'proxy.example', '10.0.0.1/8/8', '', '10.0.0.1/x', '::1/129'])(
    'names the entry that is neither: %j',
    (entry) => {
      expect(() => trustedProxies([entry])).toThrow(JSON.stringify(entry))
    },
  )
})

const FORGED = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-port': '444',
  'x-forwarded-prefix': '/evil',
  'x-original-url': '/admin',
  'x-real-ip': '203.0.113.9',
  x_forwarded_host: 'evil.example',
  forwarded: 'for=203.0.113.9;host=evil.example',
}

describe(forwardedHeaders, () => {
  it('A46 removes every forwarded header that an untrusted peer sends', async () => {
    const { text } = await answer([forwardedHeaders({ trusted: nobody })], '/', {
      host: 'op.example',
      ...FORGED,
    })
    const seen = JSON.parse(text) as { host: string; secure: boolean; headers: object; ip: string }
    expect(seen).toMatchObject({ host: 'op.example', secure: false, ip: '127.0.0.1' })
    expect(Object.keys(seen.headers).filter((name) => name in FORGED)).toEqual([])
  })

  it('A46 keeps of a trusted proxy what is read, and nothing else', async () => {
    const { text } = await answer([forwardedHeaders({ trusted: loopback })], '/', {
      ...FORGED,
      'x-forwarded-host': 'op.example, inner',
    })
    const seen = JSON.parse(text) as { host: string; secure: boolean; headers: object }
    expect(seen).toMatchObject({ host: 'op.example', secure: true })
    expect(
      Object.keys(seen.headers)
        .filter((name) => name in FORGED)
        .sort(),
    ).toEqual(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
  })
})

describe(clientAddress, () => {
  it.each([
    ['198.51.100.4', '198.51.100.4'],
    ['6.6.6.6, 198.51.100.4', '198.51.100.4'],
    ['6.6.6.6, 198.51.100.4, 10.0.0.2', '198.51.100.4'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['nonsense, 10.0.0.2', '10.0.0.2'],
    ['', '127.0.0.1'],
  ])(
    'A46 takes from X-Forwarded-For %j the first from the right that is no proxy: %s',
    async (list, expected) => {
      const { text } = await answer([], '/', { 'x-forwarded-for': list })
      expect(JSON.parse(text)).toMatchObject({ ip: expected })
    },
  )
})

describe(hostCheck, () => {
  const check = (url: string, trusted = nobody) => hostCheck({ url, trusted, except: ['/ping'] })

  it.each([
    ['https://op.example', 'op.example', 200],
    ['https://op.example', 'OP.example:443', 200],
    ['https://op.example', 'op.example:80', 421],
    ['https://op.example', 'op.example.evil.example', 421],
    ['https://op.example', 'evil.example', 421],
    ['http://127.0.0.1:9000', '127.0.0.1:9000', 200],
    ['http://127.0.0.1:9000', 'localhost:9000', 421],
    ['http://127.0.0.1:9000', '127.0.0.1', 421],
  ])('A46 %s asked for as %s answers %i', async (url, host, status) => {
    expect((await answer([check(url)], '/', { host })).status).toBe(status)
  })

  it('A46 believes X-Forwarded-Host of a trusted proxy only', async () => {
    const headers = { host: 'inner:9000', 'x-forwarded-host': 'op.example' }
    expect((await answer([check('https://op.example', loopback)], '/', headers)).status).toBe(200)
    expect((await answer([check('https://op.example')], '/', headers)).status).toBe(421)
  })

  it('lets load balancers ask for /ping by address, and nothing else', async () => {
    expect(
      (await answer([check('https://op.example')], '/ping?x', { host: '10.0.0.1' })).status,
    ).toBe(200)
    expect(
      (await answer([check('https://op.example')], '/ping/x', { host: '10.0.0.1' })).status,
    ).toBe(421)
  })

  it('A46 two Host headers are refused, though the first is ours', () =>
    withServer(express().use(check('https://op.example'), echo), async ({ port }) => {
      const socket = connect(port, '127.0.0.1')
      socket.end(
        'GET / HTTP/1.1\r\nHost: op.example\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      )
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 421 /)
    }))
})

describe(urlLimits, () => {
  it.each([
    ['/ok?a=1', 200],
    [`/${'a'.repeat(8191)}`, 200],
    [`/${'a'.repeat(8192)}`, 414],
    [`/?${'a&'.repeat(99)}`, 200],
    [`/?${'a&'.repeat(100)}`, 400],
    ['//evil.example/%2e%2e', 400],
    ['/\\evil.example', 400],
    ['http://evil.example/', 400],
  ])('%.30s answers %i', async (path, status) => {
    expect((await answer([urlLimits()], path)).status).toBe(status)
  })

  it('more than 16 kB of headers answers 431', async () => {
    expect((await answer([], '/', { cookie: `a=${'x'.repeat(12_000)}` })).status).toBe(200)
    expect((await answer([], '/', { cookie: `a=${'x'.repeat(17_000)}` })).status).toBe(431)
  })
})

describe(securityHeaders, () => {
  const policyOf = ({ headers }: Answer) =>
    new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((part) => [part.split(' ')[0], part.split(' ').slice(1)] as const),
    )

  it('A36 forbids framing, sniffing, referrers, scripts and caches', async () => {
    const got = await answer([securityHeaders({ https: false })], '/')
    expect(got.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    expect(policyOf(got).get('frame-ancestors')).toEqual(["'none'"])
    expect(policyOf(got).get('default-src')).toEqual(["'none'"])
    expect(policyOf(got).get('script-src')).toEqual(["'report-sample'"])
    expect(got.headers).not.toHaveProperty('strict-transport-security')
  })

  it('asks for https for two years where end-users reach us over https', async () => {
    const { headers } = await answer([securityHeaders({ https: true })], '/')
    expect(headers['strict-transport-security']).toBe('max-age=63072000; includeSubDomains')
  })

  it('lets a page widen form-action by origins and script-src by a hash, and nothing more', async () => {
    const widen: RequestHandler = (_request, response, next) => {
      allowFormTargets(response, [
        'https://app.example/cb?x=1',
        'com.example.app:/cb',
        'http://[::1]:8080/cb',
        'https://app.example/other',
        'no url; script-src *',
      ])
      allowInlineScript(response, 'sha256-abc=')
      next()
    }
    const policy = policyOf(await answer([securityHeaders({ https: false }), widen], '/'))
    expect(policy.get('form-action')).toEqual([
      "'self'",
      'https://app.example',
      'com.example.app:',
      'http:',
    ])
    expect(policy.get('script-src')).toEqual(["'report-sample'", "'sha256-abc='"])
    expect(policy.get('frame-ancestors')).toEqual(["'none'"])
  })
})
