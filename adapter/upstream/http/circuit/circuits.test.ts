import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refusal } from '../../test-support/expect-upstream-error.ts'
import { recordingLog } from '../../test-support/login.ts'
import type { RecordingLog } from '../../test-support/login.ts'
import { createCircuits } from './circuits.ts'
import { createOutgoingHttp } from '../outgoing-http.ts'
import type { OutgoingHttp } from '../outgoing-http.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

let closing: (() => unknown)[] = []
let log: RecordingLog
let asked: string[] = []
let handler: Handler
let origin: string

beforeEach(async () => {
  log = recordingLog()
  asked = []
  handler = fails(503)
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    handler(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  closing.push(() => (server.closeAllConnections(), server.close()))
})

afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

function fails(status: number): Handler {
  return (_request, response) => response.writeHead(status).end()
}

const works: Handler = (_request, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')

function outgoing(settings: { failures?: number; pauseMs?: number } = {}): OutgoingHttp {
  const circuit = { failures: 5, pauseMs: 10_000, log, ...settings }
  const http = createOutgoingHttp({ upstream: 'test-auth-server', circuit, timeoutMs: 500 })
  closing.push(http.close)
  return http
}

async function fail(http: OutgoingHttp, times: number, path = '/token'): Promise<void> {
  for (let call = 0; call < times; call += 1)
    await refusal(http.exchange(`${origin}${path}?secret=1`, { method: 'POST' }), 'unavailable')
}

const events = () => log.lines.map(({ event }) => event)

describe(createCircuits, () => {
  it('F04 opens after 5 failures within 10 s: the next call is refused at once, and reaches nobody', async () => {
    const http = outgoing()
    await fail(http, 5)
    expect(asked).toHaveLength(5)
    const startedAt = performance.now()
    const error = await refusal(http.exchange(`${origin}/token?secret=1`), 'unavailable')
    expect(performance.now() - startedAt).toBeLessThan(400)
    expect(error.message).toBe(
      `${origin}/token failed 5 times in a row and is not called for a moment`,
    )
    expect(asked).toHaveLength(5)
    expect(log.lines).toMatchObject([
      { level: 'warn', event: 'upstream.circuit_opened', fields: { place: `${origin}/token` } },
    ])
  })

  it.each([500, 502, 503, 429, 302])('F04 counts %i as a failure', async (status) => {
    handler = fails(status)
    await fail(outgoing({ failures: 2 }), 2)
    expect(events()).toEqual(['upstream.circuit_opened'])
  })

  it('counts no verdict, however unwelcome, and begins anew after one', async () => {
    const http = outgoing({ failures: 3 })
    for (const status of [400, 401, 403, 404, 200]) {
      await fail(http, 2)
      handler = fails(status)
      await http.exchange(`${origin}/token`)
      handler = fails(503)
    }
    await fail(http, 2)
    expect(events()).toEqual([])
  })

  it('keeps back one endpoint, not its neighbours', async () => {
    const http = outgoing({ failures: 2 })
    await fail(http, 2, '/userinfo')
    handler = works
    expect(await http.getJson(`${origin}/jwks`)).toEqual({ ok: true })
    expect(asked.at(-1)).toBe('GET /jwks')
  })

  it('F04 asks each second whether it is back, without parameters, and lets the next call through within 2 s of its return', async () => {
    const http = outgoing()
    await fail(http, 5)
    await expect.poll(() => asked.length, { timeout: 3000 }).toBe(7)
    expect(asked.slice(5)).toEqual(['GET /token', 'GET /token'])
    handler = works
    const backAt = performance.now()
    const call = () => http.exchange(`${origin}/token`, { method: 'POST' }).catch(() => undefined)
    await expect.poll(call, { timeout: 3000, interval: 50 }).toMatchObject({ status: 200 })
    expect(performance.now() - backAt).toBeLessThan(2000)
    expect(events()).toEqual(['upstream.circuit_opened', 'upstream.circuit_closed'])
  })

  it('lets one call through after the pause, and none with it where that fails', async () => {
    const http = outgoing({ pauseMs: 1200 })
    await fail(http, 5)
    await new Promise((resolve) => setTimeout(resolve, 1400))
    const before = asked.length
    await Promise.all(Array.from({ length: 20 }, () => fail(http, 1)))
    expect(asked.slice(before)).toEqual(['POST /token?secret=1'])
    expect(events()).toEqual(['upstream.circuit_opened'])
  })

  it('lets everybody through who came while the trial was under way, where it works', async () => {
    const http = outgoing({ pauseMs: 1200 })
    await fail(http, 5)
    await new Promise((resolve) => setTimeout(resolve, 1400))
    handler = (request, response) => setTimeout(() => works(request, response), 50)
    const calls = Array.from({ length: 20 }, () => http.getJson(`${origin}/token`))
    expect(await Promise.all(calls)).toHaveLength(20)
  })

  it('F03 counts hung calls, and refuses the ones after them at once', async () => {
    handler = () => undefined
    const http = outgoing()
    await Promise.all(Array.from({ length: 5 }, () => fail(http, 1)))
    const startedAt = performance.now()
    await fail(http, 1)
    // A hung call takes the 500 ms of the deadline.
    expect(performance.now() - startedAt).toBeLessThan(400)
  })

  it('asks nobody any more once it is closed', async () => {
    const http = outgoing({ failures: 1 })
    await fail(http, 1)
    await http.close()
    await new Promise((resolve) => setTimeout(resolve, 1300))
    expect(asked).toHaveLength(1)
  })
})
