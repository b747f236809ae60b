import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createOutgoingHttp } from './outgoing-http.ts'
import type { OutgoingHttp, OutgoingHttpOptions } from './outgoing-http.ts'
import type { Behaviour } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

const fixture = useEvilIdp()
const MIB = 1024 * 1024
let cleanups: (() => unknown)[] = []

afterEach(async () => {
  await Promise.all(cleanups.map((cleanup) => cleanup()))
  cleanups = []
})

function outgoing(options: Partial<OutgoingHttpOptions> = {}): OutgoingHttp {
  const http = createOutgoingHttp({ upstream: 'test-auth-server', ...options })
  cleanups.push(() => http.close())
  return http
}

interface Listening {
  url: string
  server: Server
  connections: Socket[]
}

async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<Listening> {
  const server = createServer(handler)
  const connections: Socket[] = []
  server.on('connection', (socket) => connections.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/document`,
    server,
    connections,
  }
}

const sendJson = (response: ServerResponse, text = '{"ok":true}') =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(text)

async function elapsed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work
  return performance.now() - startedAt
}

describe(createOutgoingHttp, () => {
  it('keeps its connection alive from one call to the next', async () => {
    const { url, connections } = await serve((_request, response) => sendJson(response))
    const http = outgoing()
    for (let call = 0; call < 20; call += 1) expect(await http.getJson(url)).toEqual({ ok: true })
    // A call that follows on the heels of another may find its socket not yet given back.
    expect(connections.length).toBeLessThanOrEqual(2)
  })

  it('F02 says at once that nobody listens, that a name is unknown, or that TLS is bad', async () => {
    const { url, server } = await serve((_request, response) => sendJson(response))
    const http = outgoing()
    expect(
      (await refusal(http.getJson(url.replace('http:', 'https:')), 'unavailable')).message,
    ).toMatch(/can not be reached: EPROTO, it does not speak TLS/)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await elapsed(refusal(http.getJson(url), 'unavailable'))).toBeLessThan(1000)
    const error = await refusal(
      http.getJson('https://upstream.invalid/jwks?secret=1'),
      'unavailable',
    )
    expect(error.message).toMatch(
      /^https:\/\/upstream\.invalid\/jwks can not be reached: E[A-Z_]+$/,
    )
  })

  it('F03 waits for a slow answer, but no longer than its deadline', async () => {
    const { url } = await serve((_request, response) => setTimeout(() => sendJson(response), 300))
    expect(await outgoing({ timeoutMs: 5000 }).getJson(url)).toEqual({ ok: true })
    const error = await refusal(outgoing({ timeoutMs: 100 }).getJson(url), 'unavailable')
    expect(error.message).toContain('no complete answer within 100 ms')
  })

  it('F03 counts the body into the deadline: one byte now and then gets nowhere', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drip = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drip))
    })
    const error = refusal(outgoing({ timeoutMs: 300 }).getJson(url), 'unavailable')
    const took = await elapsed(error)
    expect(took).toBeGreaterThan(250)
    expect(took).toBeLessThan(1500)
    expect((await error).message).toContain('no complete answer within 300 ms')
  })

  it('F03 gives a whole sign-in one deadline, not one for each call', async () => {
    const slowly = (_request: IncomingMessage, response: ServerResponse) =>
      void setTimeout(
        () => sendJson(response, JSON.stringify({ keys: fixture.idp.keys.map(({ jwk }) => jwk) })),
        350,
      )
    const { upstream, begin } = fixture.open({
      http: { timeoutMs: 500 },
      config: { userinfo: 'always' },
    })
    const { url, expected } = await begin()
    const parameters = await fixture.idp.visit(url)
    fixture.idp.behaviour = { answer: { '/jwks': slowly, '/userinfo': slowly } }
    const took = await elapsed(refusal(upstream.redeem(parameters, expected), 'unavailable'))
    expect(took).toBeGreaterThan(450)
    expect(took).toBeLessThan(1500)
  })

  it('F03 gives up the connection of a token request that hangs', async () => {
    let isClosed = false
    const { login } = fixture.open({ http: { timeoutMs: 300 } })
    const hang = (_request: IncomingMessage, response: ServerResponse) =>
      response.on('close', () => (isClosed = true))
    fixture.idp.behaviour = { answer: { '/token': hang } }
    await refusal(login(), 'unavailable')
    await expect.poll(() => isClosed).toBe(true)
  })

  it('F03 refuses the 51st hung call in under 100 ms, and none after they are over', async () => {
    const hung: ServerResponse[] = []
    const { url } = await serve((_request, response) => void hung.push(response))
    const http = outgoing()
    const calls = Array.from({ length: 50 }, () => http.getJson(url))
    await expect.poll(() => hung.length).toBe(50)
    const refused = async () => elapsed(refusal(http.getJson(url), 'unavailable'))
    // The fastest of three: a busy machine may hold up one.
    expect(Math.min(await refused(), await refused(), await refused())).toBeLessThan(100)
    for (const response of hung) sendJson(response)
    await Promise.all(calls)
    const next = http.getJson(url)
    await expect.poll(() => hung.length).toBe(51)
    sendJson(hung[50] as ServerResponse)
    expect(await next).toEqual({ ok: true })
  })

  const endpoints = ['/.well-known/openid-configuration', '/token', '/jwks', '/userinfo']
  const statuses: [number, Record<string, string>][] = [
    [500, {}],
    [502, {}],
    [503, { 'retry-after': '3600' }],
    [429, { 'retry-after': '3600' }],
    [302, { location: 'https://evil.example/' }],
    [304, {}],
  ]
  it.each(endpoints)(
    'F04 says unavailable for each bad status of %s, and works at once when it is over',
    async (path) => {
      const { login } = fixture.open({ config: { userinfo: 'always' } })
      for (const [status, headers] of statuses) {
        const answer: Behaviour['answer'] = {
          [path]: (_request, response) =>
            response
              .writeHead(status, { 'content-type': 'application/json', ...headers })
              .end('{}'),
        }
        fixture.idp.behaviour = { answer }
        const outcome = refusal(
          fixture.open({ config: { userinfo: 'always' } }).login(),
          'unavailable',
        )
        expect(await elapsed(outcome)).toBeLessThan(1000)
        expect((await outcome).message).toContain(`answered ${status}`)
        fixture.idp.behaviour = {}
        expect(await login()).toMatchObject({ sub: 'testuser' })
      }
    },
  )

  const garbage: [string, Record<string, string>, string | Buffer][] = [
    ['a page', { 'content-type': 'text/html' }, '<h1>hello</h1>'],
    ['a page that claims to be JSON', { 'content-type': 'application/json' }, '<h1>hello</h1>'],
    ['cut JSON', { 'content-type': 'application/json' }, '{"issuer":"http'],
    ['JSON of another content type', { 'content-type': 'text/plain' }, '{}'],
    ['nothing', { 'content-type': 'application/json' }, ''],
    [
      'a gzip bomb',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(20 * MIB, 32)),
    ],
    ['2 MiB', { 'content-type': 'application/json' }, Buffer.alloc(2 * MIB, 32)],
  ]
  it.each(
    endpoints.flatMap((path) =>
      garbage.map(([name, headers, body]) => [path, name, headers, body] as const),
    ),
  )('F05 says unavailable when %s answers with %s', async (path, _name, headers, body) => {
    const answer: Behaviour['answer'] = {
      [path]: (_request, response) => response.writeHead(200, headers).end(body),
    }
    await refusal(fixture.login({ answer }, { config: { userinfo: 'always' } }), 'unavailable')
  })

  it('F05 stops reading an endless body after 1 MiB', async () => {
    let sent = 0
    const chunk = Buffer.alloc(64 * 1024, 32)
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const pour = () => {
        while (sent < 200 * MIB && !response.destroyed && response.write(chunk))
          sent += chunk.length
      }
      response.on('drain', pour)
      pour()
    })
    const before = process.memoryUsage.rss()
    const error = await refusal(outgoing().getJson(url), 'unavailable')
    expect(error.message).toContain('more than 1048576 bytes')
    expect(process.memoryUsage.rss() - before).toBeLessThan(20 * MIB)
    expect(sent).toBeLessThan(20 * MIB)
  })

  it('accepts a body of exactly 1 MiB', async () => {
    const text = `"${'x'.repeat(MIB - 2)}"`
    const { url } = await serve((_request, response) => sendJson(response, text))
    expect(await outgoing().getJson(url)).toHaveLength(MIB - 2)
  })

  it('sends a GET once more when its connection is cut, a POST never', async () => {
    const lines: string[] = []
    const { url } = await serve((request, response) => {
      lines.push(request.method as string)
      if (lines.length === 1 || request.method === 'POST') return request.socket.destroy()
      return sendJson(response)
    })
    const http = outgoing()
    expect(await http.getJson(url)).toEqual({ ok: true })
    expect(lines).toEqual(['GET', 'GET'])
    await refusal(http.exchange(url, { method: 'POST', body: 'a=b' }), 'unavailable')
    expect(lines).toEqual(['GET', 'GET', 'POST'])
  })

  it('does not fail a POST on a connection that the upstream closed while it was idle', async () => {
    const { url, server } = await serve((request, response) => {
      request.resume()
      sendJson(response)
    })
    const http = outgoing()
    for (let round = 0; round < 5; round += 1) {
      await http.exchange(url, { method: 'POST', body: 'a=b' })
      server.closeIdleConnections()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect((await http.exchange(url, { method: 'POST', body: 'a=b' })).status).toBe(200)
  })

  it('answers nothing once it is closed', async () => {
    const { url } = await serve((_request, response) => sendJson(response))
    const http = outgoing()
    await http.close()
    await refusal(http.getJson(url), 'unavailable')
  })
})

describe('F05 an answer that changes the protocol', () => {
  it('101 is refused at once, and does not keep a place among the calls under way', async () => {
    const { url } = await serve(({ socket }) =>
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n',
      ),
    )
    const http = outgoing({ timeoutMs: 2000, maxInFlight: 1 })
    for (const method of ['GET', 'POST', 'GET'] as const) {
      const startedMs = performance.now()
      await expect(http.exchange(url, { method })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('answered 101') as string,
      })
      expect(performance.now() - startedMs).toBeLessThan(1500)
    }
  })
})
