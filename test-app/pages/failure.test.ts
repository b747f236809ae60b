import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { NextFunction, Request, Response } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBrowser } from '../testing/browser.ts'
import { createPages } from './handlers.ts'

const FACTS = {
  name: 'Test app',
  url: 'http://app.example',
  issuer: 'http://adapter.example',
  clientId: 'client',
  scope: 'openid',
  sessionCookie: 'TEST_APP_SESSION',
}
const pages = createPages({ app: FACTS, discoveryUrl: FACTS.issuer, now: Date.now })

let server: Server
let url: string
beforeAll(async () => {
  const app = express()
  app.use((_req, res, next) => {
    res.set('X-Request-Id', 'request-1234')
    next()
  })
  app.get('/', () => {
    throw new Error('the <cause> that nobody is told')
  })
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) =>
    pages.failure(req, res, error),
  )
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

describe('an error that nobody foresaw', () => {
  it('is a page with status 500 that names the request, and not the cause', async () => {
    const { status, text } = await createTestBrowser().open(url)
    expect(status).toBe(500)
    expect(text).toContain('<h1>Something went wrong</h1>')
    expect(text).toContain('Request <code>request-1234</code>')
    expect(text).not.toContain('nobody is told')
  })

  it('is JSON for a program', async () => {
    const { status, text } = await createTestBrowser().open(url, {
      headers: { accept: 'application/json' },
    })
    expect([status, JSON.parse(text)]).toEqual([500, { error: 'Something went wrong' }])
  })
})
