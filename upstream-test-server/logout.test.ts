import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from './start.ts'
import {
  afterLogout,
  authorizationRequest,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
  startForTest,
} from './test-support/test-browser.ts'

let server: RunningUpstreamTestServer
const lines: string[] = []
beforeAll(async () => {
  server = await startForTest({}, lines)
})
afterAll(() => server.close())

async function freshCode(parameters: Record<string, string | undefined> = {}) {
  const browser = createTestBrowser(server.issuer)
  const request = authorizationRequest(server.issuer, parameters)
  const page = await signIn(browser, request)
  return { browser, request, page, code: codeOf(page) }
}

const userinfo = (token: string | undefined) =>
  fetch(`${server.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

describe('end_session', () => {
  const logoutUrl = (parameters: Record<string, string>) => {
    const url = new URL('/connect/logout', server.issuer)
    url.search = new URLSearchParams(parameters).toString()
    return url
  }

  it('asks, signs out, goes where the client said, and the next request needs a sign-in', async () => {
    const { browser, request, code } = await freshCode()
    const { body } = await redeem(server.issuer, code, request.verifier)
    const hint = {
      id_token_hint: body.id_token ?? '',
      post_logout_redirect_uri: afterLogout,
      state: 's1',
    }
    const asked = await browser.open(logoutUrl(hint))
    expect(asked.body).toContain('You are signed in as')
    const done = await browser.submit(asked, { logout: 'yes' })
    expect(done.url.href).toBe(`${afterLogout}?state=s1`)
    expect((await browser.open(authorizationRequest(server.issuer).url)).url.pathname).toBe(
      '/login',
    )
  })

  it('stays signed in where the end-user says so', async () => {
    const { browser } = await freshCode()
    const asked = await browser.open(logoutUrl({}))
    await browser.submit(asked, { stay: 'yes' })
    expect(codeOf(await browser.open(authorizationRequest(server.issuer).url))).not.toBe('')
  })

  it('A37 signs nobody out without the form it showed', async () => {
    const { browser } = await freshCode()
    await browser.open(logoutUrl({}))
    const forged = await browser.open('/connect/logout/confirm', { logout: 'yes', xsrf: 'guessed' })
    expect(forged.status).toBe(400)
    expect(codeOf(await browser.open(authorizationRequest(server.issuer).url))).not.toBe('')
  })

  it('C61 an unregistered post_logout_redirect_uri gets a page', async () => {
    const { browser } = await freshCode()
    const page = await browser.open(
      logoutUrl({ client_id: 'test-client', post_logout_redirect_uri: 'https://evil.example/' }),
    )
    expect(page.status).toBe(400)
    expect(page.url.origin).toBe(server.issuer)
  })
})

describe('every page', () => {
  it.each([
    '/nothing-here',
    '/login',
    '/oauth2/authorize',
    '/oauth2/authorize/abc',
    '/connect/logout/success',
  ])(
    'A36 %s has the security headers, is never stored, and loads nothing from elsewhere',
    async (path) => {
      const { headers, body } = await createTestBrowser(server.issuer).open(path)
      expect(headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      )
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('content-type')).toContain('text/html')
      expect(body).toContain('test-auth-server')
      expect(body).not.toMatch(/(?:href|src)="https?:/)
    },
  )

  it('A40 shows a name as text', async () => {
    const browser = createTestBrowser(server.issuer)
    await signIn(browser, authorizationRequest(server.issuer), 'bobby')
    const { body } = await browser.open('/connect/logout')
    expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(body).not.toContain('<img')
  })
})

describe('the log', () => {
  it('A43 holds none of what was issued or typed', async () => {
    const browser = createTestBrowser(server.issuer)
    const request = authorizationRequest(server.issuer)
    const form = await browser.open(request.url)
    await browser.submit(form, { username: 'testuser', password: 'wrong-canary-password' })
    const interaction = form.url.searchParams.get('interaction') ?? ''
    const page = await browser.submit(form, { username: 'testuser', password: 'password' })
    const { body } = await redeem(server.issuer, codeOf(page), request.verifier)
    await redeem(server.issuer, codeOf(page), request.verifier)
    await userinfo(body.access_token)
    await browser.open(
      `/connect/logout?id_token_hint=${body.id_token}&post_logout_redirect_uri=https://evil.example`,
    )
    const { state, nonce, verifier } = request
    const secrets = [
      state,
      nonce,
      verifier,
      interaction,
      codeOf(page),
      body.access_token,
      body.id_token,
    ]
    const cookies = browser.cookies.map(({ value }) => value)
    const all = [...secrets, ...cookies, 'wrong-canary-password', 'test-secret']
    const output = lines.join('')
    expect(output).toContain('login.failed')
    expect(
      all.filter((secret) => secret === undefined || secret === '' || output.includes(secret)),
    ).toEqual([])
  })
})
