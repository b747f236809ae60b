import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestBrowser } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'

let provider: TestOpenidProvider
let app: RunningApp
let browser: TestBrowser

beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(() => provider.stop())
beforeEach(async () => {
  app = await startTestApp(provider.issuer)
  browser = createTestBrowser()
})
afterEach(() => app.stop())

const textOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
const whoLineOf = (markup: string) =>
  textOf(/<p class="who">(.*?)<\/p>/s.exec(markup)?.[1] ?? 'there is none')
const JSON_ASKED = { accept: 'application/json' }

describe('every page', () => {
  const PAGES = ['/', '/logout', '/device', '/sign-in/lost']

  it('says that nobody is signed in', async () => {
    for (const path of PAGES)
      expect(whoLineOf((await browser.open(app.url + path)).text)).toBe('Not signed in')
  })

  it('says who is signed in, by which way, and until when the token is good', async () => {
    await browser.go(`${app.url}/authenticated`)
    for (const path of [...PAGES, '/nowhere', '/authenticated']) {
      expect(whoLineOf((await browser.open(app.url + path)).text)).toMatch(
        /^Signed in as Test User by the adapter, token until \d\d:\d\d UTC$/,
      )
    }
  })

  it('marks itself in the navigation', async () => {
    for (const path of ['/', '/device', '/authenticated']) {
      const { text } = await browser.go(app.url + path)
      const marked = [...text.matchAll(/<a href="([^"]*)" aria-current="page">/g)]
      expect(marked.map(([, href]) => href)).toEqual([path])
    }
  })

  it('has an icon, which is there in both forms', async () => {
    const { text } = await browser.open(`${app.url}/`)
    expect(text).toContain('<link rel="icon" href="/favicon.svg" type="image/svg+xml" />')
    const svg = await browser.open(`${app.url}/favicon.svg`)
    expect([svg.status, svg.headers['content-type']]).toEqual([200, 'image/svg+xml'])
    const ico = await browser.open(`${app.url}/favicon.ico`)
    expect([ico.status, ico.headers['content-type']]).toEqual([200, 'image/x-icon'])
    expect(ico.text.startsWith('\u0000\u0000\u0001\u0000\u0002')).toBe(true)
  })
})

describe('/login.html', () => {
  it('is a plain file with the navigation of all pages', async () => {
    const links = async (path: string) => {
      const { text } = await browser.open(app.url + path)
      const [, list = ''] = /<nav aria-label="Main">(.*?)<\/nav>/s.exec(text) ?? []
      return [...list.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)</g)].map(([, href, name]) => [
        href,
        name,
      ])
    }
    expect(await links('/login.html')).toEqual(await links('/'))
  })

  it('never sends a password in an address, also without its script', async () => {
    const { text } = await browser.open(`${app.url}/login.html`)
    expect(text).toContain('method="post"')
    expect(text).not.toMatch(/<script(?! type="module" src="\/js\/)|<style| on[a-z]+=/)
  })

  it('learns who is signed in, and nothing that the pages would not show', async () => {
    const who = async () => JSON.parse((await browser.open(`${app.url}/who.json`)).text) as unknown
    expect(await who()).toEqual({ app: 'Test app', signed_in: false })
    await browser.go(`${app.url}/authenticated`)
    expect(await who()).toEqual({
      app: 'Test app',
      signed_in: true,
      name: 'Test User',
      way: 'by the adapter',
      token_until: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
  })
})

describe('/api/me', () => {
  it('says who, by which way and until when, and no token', async () => {
    await browser.go(`${app.url}/authenticated`)
    const { status, text } = await browser.open(`${app.url}/api/me`, { headers: JSON_ASKED })
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ sub: 'testuser', name: 'Test User', via: 'session' })
    expect(text).toMatch(/"access_token_expires_at":"\d{4}-\d\d-\d\dT/)
    expect(text).not.toContain('eyJ')
  })
})

describe('what is not there', () => {
  it('is a page with status 404 for a person, and JSON for a program', async () => {
    await browser.go(`${app.url}/authenticated`)
    const page = await browser.open(`${app.url}/nowhere`)
    expect([page.status, textOf(page.text)]).toEqual([
      404,
      expect.stringContaining('There is no such page'),
    ])
    const json = await browser.open(`${app.url}/nowhere`, { headers: JSON_ASKED })
    expect([json.status, JSON.parse(json.text)]).toEqual([404, { error: 'There is no such page' }])
  })

  it('is not to be looked for by robots anywhere', async () => {
    const { status, headers, text } = await browser.open(`${app.url}/robots.txt`)
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8'])
    expect(text).toBe('User-agent: *\nDisallow: /\n')
  })
})
