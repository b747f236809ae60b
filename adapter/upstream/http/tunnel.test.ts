import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { startProxy, throwAwayCertificate } from '../test-support/proxy.ts'
import type { Proxy } from '../test-support/proxy.ts'
import { createOutgoingHttp } from './outgoing-http.ts'
import type { OutgoingHttp, OutgoingHttpOptions } from './outgoing-http.ts'
import { tunnelAgent } from './tunnel.ts'

const { cert, key } = throwAwayCertificate()
const SECRET = 'p@ss:w%rd'
const CREDENTIALS = `someone:${encodeURIComponent(SECRET)}`

let server: Server
let upstream: string
let peers: (number | undefined)[]
let proxy: Proxy
let opened: OutgoingHttp[] = []

beforeAll(async () => {
  server = createServer({ cert, key }, (request, response) => {
    peers.push((request.socket as Socket).remotePort)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  upstream = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void (server.closeAllConnections(), server.close()))
beforeEach(async () => {
  peers = []
  proxy = await startProxy()
})
afterEach(async () => {
  await Promise.all(opened.map((http) => http.close()))
  opened = []
  await proxy.close()
})

function through(options: Partial<OutgoingHttpOptions> = {}): OutgoingHttp {
  const address = `http://${CREDENTIALS}@${proxy.host}`
  const http = createOutgoingHttp({ upstream: 'far', ca: cert, proxy: address, ...options })
  opened.push(http)
  return http
}

async function fault(http: OutgoingHttp): Promise<string> {
  const error = await refusal(http.getJson(`${upstream}/jwks?secret=1`), 'unavailable')
  const whole = inspect(error, { depth: 10, showHidden: true })
  for (const secret of ['someone', SECRET, encodeURIComponent(SECRET), btoa(`someone:${SECRET}`)])
    expect(whole).not.toContain(secret)
  return error.message
}

describe(tunnelAgent, () => {
  it('reaches the upstream through the proxy, with our credentials, and keeps the tunnel', async () => {
    const http = through()
    for (let call = 0; call < 5; call += 1)
      expect(await http.getJson(`${upstream}/jwks`)).toEqual({ ok: true })
    expect(proxy.asked).toEqual([
      { target: new URL(upstream).host, authorization: `Basic ${btoa(`someone:${SECRET}`)}` },
    ])
    expect(new Set(peers).size).toBe(1)
  })

  it('sends no credentials where there are none', async () => {
    await through({ proxy: `http://${proxy.host}` }).getJson(`${upstream}/jwks`)
    expect(proxy.asked).toMatchObject([{ authorization: undefined }])
  })

  it('judges the certificate of the upstream inside the tunnel', async () => {
    expect(await fault(through({ ca: undefined }))).toMatch(
      /^https:\/\/127\.0\.0\.1:\d+\/jwks can not be reached: DEPTH_ZERO_SELF_SIGNED_CERT$/,
    )
    expect(peers).toEqual([])
  })

  it('goes to this machine by plain http without it', async () => {
    const plain = createHttpServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('1'),
    )
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as AddressInfo
    expect(await through().getJson(`http://127.0.0.1:${port}/`)).toBe(1)
    expect(proxy.asked).toEqual([])
    plain.closeAllConnections()
    plain.close()
  })

  it('F02 says at once that the proxy is not there, and names its host only', async () => {
    const http = through()
    await proxy.close()
    expect(await fault(http)).toBe(`the proxy ${proxy.host} can not be reached: ECONNREFUSED`)
  })

  it('says what the proxy said', async () => {
    const target = new URL(upstream).host
    proxy.refuses = '407 Proxy Authentication Required'
    expect(await fault(through())).toBe(
      `the proxy ${proxy.host} does not accept our credentials, or wants some: 407`,
    )
    proxy.refuses = '502 Bad Gateway'
    expect(await fault(through())).toBe(
      `the proxy ${proxy.host} opens no way to ${target}: it answered 502`,
    )
    proxy.refuses = 'nonsense'
    expect(await fault(through())).toContain(`the proxy ${proxy.host} `)
  })

  it('F03 gives up on a proxy that hangs within the deadline, and keeps no connection to it', async () => {
    proxy.refuses = 'hang'
    const startedAt = performance.now()
    expect(await fault(through({ timeoutMs: 500 }))).toBe(
      `the proxy ${proxy.host} gave no answer within 400 ms`,
    )
    expect(performance.now() - startedAt).toBeLessThan(1500)
    await expect.poll(() => proxy.sockets.size).toBe(0)
  })
})
