import express, { type RequestHandler } from 'express'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { createLog } from './log.ts'
import { currentContext, noteFields } from './request-context.ts'
import { requestLog, shownPath } from './request-log.ts'
import { ask, withServer } from './serve-for-test.ts'
import { trustedProxies, type IsTrusted } from './trusted-proxies.ts'

function logged(handler: RequestHandler, trusted?: IsTrusted) {
  const lines: string[] = []
  const log = createLog({ destination: { write: (line) => void lines.push(line) } })
  const app = express()
  app.use(requestLog({ log, ...(trusted && { trusted }) }))
  app.get('/oauth2/authorization/:upstream', handler)
  app.use(handler)
  return { app, lines, first: () => JSON.parse(lines[0] ?? '{}') as Record<string, unknown> }
}

describe(requestLog, () => {
  it('writes one line with method, path, route, status, time and storage, and without the query', async () => {
    const { app, lines, first } = logged((_request, response) => {
      const context = currentContext()
      if (context) Object.assign(context.storage, { operations: 3, roundTrips: 2 })
      noteFields({ flow_id: 'f1' })
      response.status(302).end()
    })
    const { headers } = await withServer(app, (server) =>
      ask(server, '/oauth2/authorization/test-auth-server?state=canary&code=canary'),
    )
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('canary')
    expect(first()).toMatchObject({
      event: 'request.done',
      level: 'info',
      method: 'GET',
      path: '/oauth2/authorization/test-auth-server',
      route: '/oauth2/authorization/:upstream',
      status: 302,
      ms: expect.any(Number) as number,
      storage: { operations: 3, round_trips: 2 },
      flow_id: 'f1',
      request_id: headers['x-request-id'],
      ip: '127.0.0.1',
    })
    expect(first()).not.toHaveProperty('aborted')
  })

  it('writes a line for a request that the browser gave up', async () => {
    const { app, lines, first } = logged(() => {})
    await withServer(app, async (server) => {
      const socket = connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.destroy()
      await vi.waitFor(() => expect(lines).toHaveLength(1))
    })
    expect(first()).toMatchObject({ path: '/slow', aborted: true })
  })

  it('takes X-Request-Id from a trusted peer only, and only a well-formed one', async () => {
    const idOf = async (given: string, trusted?: IsTrusted) => {
      const { app } = logged((_request, response) => void response.end(), trusted)
      return (
        await withServer(app, (server) => ask(server, '/', { headers: { 'x-request-id': given } }))
      ).headers['x-request-id']
    }
    const loopback = trustedProxies(['127.0.0.1'])
    expect(await idOf('req-12345678', loopback)).toBe('req-12345678')
    expect(await idOf('req-12345678')).not.toBe('req-12345678')
    for (const bad of ['short', 'a b c d e f g h', '{"a":1}-----', 'x'.repeat(41)])
      expect(await idOf(bad, loopback)).not.toBe(bad)
  })
})

describe(shownPath, () => {
  it.each([
    [
      '/oauth2/authorize/V1StGXR8_Z5jdHi6B-myTV1StGXR8_Z5jdHi6B-myT0?a=b',
      '/oauth2/authorize/[redacted]',
    ],
    ['/oauth2/authorize/V1StGXR8_Z5jdHi6B-myT', '/oauth2/authorize/[redacted]'],
    [
      '/login/oauth2/code/a-very-long-name-of-an-upstream-2',
      '/login/oauth2/code/a-very-long-name-of-an-upstream-2',
    ],
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server'],
    ['/oauth2/device_authorization', '/oauth2/device_authorization'],
    ['/x/code=abc;state=def', '/x/code=[redacted]'],
  ])('%s', (url, path) => expect(shownPath(url)).toBe(path))
})
