import AxeBuilder from '@axe-core/playwright'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooserPage } from './chooser-page.ts'
import { loggedOutPage, logoutPage } from './logout-page.ts'
import { MESSAGE_KINDS, type MessageKindName } from './message-kinds.ts'
import { messagePage } from './message-page.ts'
import { autoSubmitScriptHash, redirectFormPage } from './redirect-form-page.ts'
import { stylesheet } from './styles.ts'

const kinds = Object.keys(MESSAGE_KINDS) as MessageKindName[]
const options = {
  flowId: 'k3Jx81mQp0Zr',
  requestId: 'Qk20dLw8',
  clientName: 'A rather long name of an app for employees',
  clientUri: 'https://app.example/',
  upstreamName: 'test-auth-server',
  retryUrl: '/again',
  error: 'server_error',
  error_description: `unbroken-${'x'.repeat(120)}`,
}
const pages: Readonly<Record<string, string>> = {
  ...Object.fromEntries(kinds.map((kind) => [kind, messagePage(kind, options)])),
  logout: logoutPage({
    formHtml: '<form id="op.logoutForm" method="post" action="/sent"></form>',
    clientName: 'Test App',
  }),
  logged_out: loggedOutPage(options),
  redirect_form: redirectFormPage({
    action: '/sent',
    fields: { submit: 'a', iss: 'https://op.example' },
  }),
  chooser: chooserPage({
    choices: [
      { name: 'Company account', href: '/a' },
      { name: 'Guests', href: '/b' },
    ],
    emailForm: { action: '/sent', email: 'ada@nowhere.example', isUnknown: true },
    flowId: 'k3Jx81mQp0Zr',
  }),
}

const policy = (script: string) =>
  `default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; script-src ${script}; frame-ancestors 'none'`

let server: Server
let browser: Browser
let origin: string

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host.invalid')
    if (pathname === stylesheet.path) {
      response.writeHead(200, stylesheet.headers).end(stylesheet.body)
      return
    }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.setHeader(
      'content-security-policy',
      policy(searchParams.has('script') ? `'${autoSubmitScriptHash}'` : "'none'"),
    )
    response.end(pages[pathname.slice(1)] ?? `<title>sent</title>${request.method}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await chromium.launch({
    executablePath: process.env['AUTH_ADAPTER_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
})

const WIDTHS = [320, 1280]
const SCHEMES = ['light', 'dark'] as const
const VIEWS = WIDTHS.flatMap((width) => SCHEMES.map((colorScheme) => ({ width, colorScheme })))
// There is no stylesheet of another origin, and no frame to look into.
const AXE_OPTIONS = { preload: false }

async function violationsIn(page: Page, isFirstLook: boolean): Promise<{ id: string }[]> {
  // It stays in the page: bringing it in costs several times what a look does.
  if (!isFirstLook)
    return page.evaluate(
      `axe.run(${JSON.stringify(AXE_OPTIONS)}).then(({ violations }) => violations)`,
    )
  return (await new AxeBuilder({ page }).options(AXE_OPTIONS).setLegacyMode().analyze()).violations
}

async function faultsOf(page: Page, name: string): Promise<string[]> {
  await page.goto(`${origin}/${name}`)
  for (const summary of await page.locator('summary').all()) await summary.click()
  const faults: string[] = []
  for (const [index, { width, colorScheme }] of VIEWS.entries()) {
    await page.setViewportSize({ width, height: 800 })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const violations = await violationsIn(page, index === 0)
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    )
    faults.push(...violations.map(({ id }) => `${width} ${colorScheme}: ${id}`))
    if (overflow) faults.push(`${width} ${colorScheme}: scrolls sideways`)
  }
  return faults
}

describe('pages at 320 and 1280 pixels, in a light and in a dark browser', () => {
  it.each(Object.keys(pages).filter((each) => each !== 'redirect_form'))(
    '%s has no accessibility fault and does not scroll sideways',
    async (name) => {
      const page = await browser.newPage()
      expect(await faultsOf(page, name)).toEqual([])
      await page.close()
    },
  )
})

describe('pages under their Content-Security-Policy', () => {
  it('are styled and cause no report', async () => {
    const page = await browser.newPage()
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    await page.goto(`${origin}/server_error`)
    expect(await page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight")).toBe(
      '650',
    )
    expect(said).toEqual([])
    await page.close()
  })

  it('send the redirect form by themselves when its hash is allowed, also with a field named submit', async () => {
    const page = await browser.newPage()
    await page.goto(`${origin}/redirect_form?script`)
    await page.waitForURL(`${origin}/sent`)
    expect(await page.textContent('body')).toBe('POST')
    await page.close()
  })

  it('send the redirect form by its button when scripts are off, and have no accessibility fault', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`${origin}/redirect_form`)
    await page.getByRole('button', { name: 'Continue' }).click()
    expect(await page.textContent('body')).toBe('POST')
    await context.close()
    const stopped = await browser.newContext()
    expect(await faultsOf(await stopped.newPage(), 'redirect_form')).toEqual([])
    await stopped.close()
  })

  it('sign out and stay signed in by different buttons', async () => {
    const page = await browser.newPage()
    for (const [name, body] of [
      ['Sign out', 'logout=yes'],
      ['Stay signed in', null],
    ] as const) {
      await page.goto(`${origin}/logout`)
      const sent = page.waitForRequest((request) => request.method() === 'POST')
      await page.getByRole('button', { name }).click()
      expect((await sent).postData()).toBe(body)
    }
    await page.close()
  })
})
