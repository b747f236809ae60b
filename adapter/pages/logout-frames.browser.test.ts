import AxeBuilder from '@axe-core/playwright'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allowFrames, allowInlineScript, securityHeaders } from '../../service/security-headers.ts'
import { logoutFramesPage, logoutFramesScriptHash } from './logout-frames-page.ts'
import { logoutPage } from './logout-page.ts'
import { stylesheet } from './styles.ts'

let browser: Browser
let app: Server
let adapter: Server
let isSilent = false
let isUnframed = false
const loaded: string[] = []

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const headers = securityHeaders({ https: false })

beforeAll(async () => {
  app = await serve((request, response) => {
    loaded.push(request.url ?? '')
    if (isUnframed) response.setHeader('x-frame-options', 'DENY')
    if (!isSilent) response.end('signed out')
  })
  adapter = await serve((request, response) => {
    headers(request as never, response as never, () => undefined)
    if (request.url === stylesheet.path)
      return response.writeHead(200, stylesheet.headers).end(stylesheet.body)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    if (request.url === '/next') return response.end('the end')
    if (request.url === '/question') return response.end(question())
    const frames = [`${originOf(app)}/one?sid=1`, `${originOf(app)}/two?sid=2`]
    allowFrames(response, frames)
    allowInlineScript(response, logoutFramesScriptHash)
    return response.end(logoutFramesPage({ frames, next: `${originOf(adapter)}/next` }))
  })
  browser = await chromium.launch({
    executablePath: process.env['AUTH_ADAPTER_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
})
afterAll(async () => {
  await browser.close()
  for (const server of [app, adapter]) server.closeAllConnections()
  await Promise.all([app, adapter].map((server) => new Promise((done) => server.close(done))))
})
beforeEach(() => {
  loaded.length = 0
  isSilent = false
  isUnframed = false
})

function question(): string {
  const formHtml = '<form id="op.logoutForm" method="post" action="/sent"></form>'
  return logoutPage({ formHtml, upstream: { name: 'A provider', kind: 'ask' } })
}

async function msToTheEnd(options: { javaScriptEnabled?: boolean } = {}): Promise<number> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const since = performance.now()
  await page.goto(`${originOf(adapter)}/frames`, { waitUntil: 'commit' })
  await page.waitForURL(`${originOf(adapter)}/next`, { waitUntil: 'commit' })
  const took = performance.now() - since
  await context.close()
  return took
}

describe('the page that tells apps in frames', () => {
  it('loads each, and goes on as soon as they are there', async () => {
    expect(await msToTheEnd()).toBeLessThan(1900)
    expect(loaded.toSorted()).toEqual(['/one?sid=1', '/two?sid=2'])
  })

  it('goes on where an app lets nobody frame it', async () => {
    isUnframed = true
    expect(await msToTheEnd()).toBeLessThan(1900)
    expect(loaded).toHaveLength(2)
  })

  it('F73 does not wait for an app that is silent', async () => {
    isSilent = true
    expect(await msToTheEnd()).toBeLessThan(4000)
    expect(loaded.length).toBeGreaterThan(0)
  })

  it('goes on without scripts', async () => {
    expect(await msToTheEnd({ javaScriptEnabled: false })).toBeLessThan(4000)
  })

  it.each(['frames', 'question'])('%s: no accessibility fault', async (path) => {
    isSilent = path === 'frames'
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${originOf(adapter)}/${path}`, { waitUntil: 'commit' })
    await page.waitForSelector('h1')
    if (path === 'question') {
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect(violations.map(({ id }) => id)).toEqual([])
    } else expect(await page.getByRole('link', { name: 'Continue' }).isVisible()).toBe(true)
    await page.context().close()
  })
})
