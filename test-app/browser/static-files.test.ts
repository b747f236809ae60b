import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStaticFiles, SOCKET_CLIENT_PATH } from './static-files.ts'
import { createTestBrowser } from '../testing/browser.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'

let app: RunningApp
const browser = createTestBrowser()
const SCRIPT = { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }

beforeAll(async () => {
  app = await startTestApp('http://127.0.0.1:9')
})
afterAll(() => app.stop())

describe('the static files', () => {
  it('are served from the root to anybody, each with its content type, and set no cookie', async () => {
    for (const path of createStaticFiles().paths) {
      const answer = await browser.open(app.url + path, { headers: SCRIPT })
      expect([path, answer.status]).toEqual([path, 200])
      expect(answer.headers['content-type']).toMatch(/^(text|image)\//)
      expect(answer.headers.etag).toBeUndefined()
      expect(answer.text.length).toBeGreaterThan(0)
    }
    expect(browser.setCookies).toEqual([])
  })

  it('hold the browser’s half of Socket.IO as a module that names no source map', async () => {
    const answer = await browser.open(app.url + SOCKET_CLIENT_PATH, { headers: SCRIPT })
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('max-age=300')
    expect(answer.text).toMatch(/export\s*\{/)
    expect(answer.text).not.toContain('sourceMappingURL')
  })

  it('answer exactly their paths, and GET and HEAD only', async () => {
    const others = [
      '/JS/socket.io.js',
      '/js/socket.io.js/',
      '/js//socket.io.js',
      '/js/%73ocket.io.js',
      '/static/js/socket.io.js',
      '/js/../browser/static-files.ts',
      '/js/..%2f..%2fmain.ts',
    ]
    for (const path of others) {
      const answer = await browser.open(app.url + path, { headers: SCRIPT })
      expect([path, answer.headers['content-type']?.includes('javascript')]).toEqual([path, false])
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
    const posted = await browser.open(app.url + SOCKET_CLIENT_PATH, { method: 'POST' })
    expect(posted.status).toBeGreaterThanOrEqual(400)
    const head = await browser.open(app.url + SOCKET_CLIENT_PATH, { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
  })

  it('run under a policy that lets only this app’s own files be scripts, and only its own sockets open', async () => {
    const { headers } = await browser.open(`${app.url}/`)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain(`connect-src 'self' ${app.url.replace('http', 'ws')};`)
    expect(policy).not.toMatch(/unsafe|\*/)
  })
})
