// For tests: a browser as far as redirects, cookies and forms go, and the client's side of a login.
import { createHash, randomBytes } from 'node:crypto'
import { createLog } from '../../service/log.ts'
import { startUpstreamTestServer } from '../start.ts'
import type { RunningUpstreamTestServer, StartOptions } from '../start.ts'
import { cookieHeader, withSetCookie } from './test-cookies.ts'
import type { Cookie } from './test-cookies.ts'

export const callback = 'http://127.0.0.1:9/callback'
export const afterLogout = 'http://127.0.0.1:9/signed-out'
// A kept connection may be one that a server which is restarting has just closed.
export const ownConnection = { connection: 'close' }
const basic = `Basic ${Buffer.from('test-client:test-secret').toString('base64')}`

/** As small as argon2id allows: these tests are about what follows the hash. */
export const cheapCost = { memoryKib: 8, passes: 1, parallelism: 1 }

export function startForTest(
  options: Partial<StartOptions> = {},
  lines: string[] = [],
): Promise<RunningUpstreamTestServer> {
  return startUpstreamTestServer({
    databaseFile: ':memory:',
    passwordCost: cheapCost,
    log: createLog({
      level: 'trace',
      pretty: false,
      destination: { write: (line) => lines.push(line) },
    }),
    clients: [
      {
        clientId: 'test-client',
        clientSecret: 'test-secret',
        redirectUris: [callback],
        postLogoutRedirectUris: [afterLogout],
      },
    ],
    ...options,
  })
}

export interface Page {
  url: URL
  status: number
  headers: Headers
  body: string
}

export interface TestBrowser {
  cookies: Cookie[]
  /** Redirects of the last navigation: status and target. */
  hops: { status: number; location: string }[]
  /** Follows redirects within `origin`; stops at the first that leaves it. */
  open(url: string | URL, form?: Record<string, string>): Promise<Page>
  /** Submits the only form of the page with its hidden fields and these. */
  submit(page: Page, fields: Record<string, string>): Promise<Page>
}

const attribute = (tag: string, name: string) =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll('&amp;', '&') ?? ''

function hiddenFields(body: string): Record<string, string> {
  const tags = body.match(/<input type="hidden"[^>]*>/g) ?? []
  return Object.fromEntries(tags.map((tag) => [attribute(tag, 'name'), attribute(tag, 'value')]))
}

export function createTestBrowser(origin: string): TestBrowser {
  const browser: TestBrowser = { cookies: [], hops: [], open, submit }

  async function request(url: URL, form?: Record<string, string>): Promise<Response> {
    const headers = {
      ...ownConnection,
      accept: 'text/html',
      cookie: cookieHeader(browser.cookies, url.pathname),
    }
    const init = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    browser.cookies = response.headers.getSetCookie().reduce(withSetCookie, browser.cookies)
    return response
  }

  async function open(start: string | URL, form?: Record<string, string>): Promise<Page> {
    browser.hops = []
    let url = new URL(start, origin)
    let response = await request(url, form)
    while (response.headers.has('location')) {
      const location = response.headers.get('location') ?? ''
      browser.hops.push({ status: response.status, location })
      url = new URL(location, url)
      if (url.origin !== origin)
        return { url, status: response.status, headers: response.headers, body: '' }
      response = await request(url)
    }
    return { url, status: response.status, headers: response.headers, body: await response.text() }
  }

  async function submit(page: Page, fields: Record<string, string>): Promise<Page> {
    const action = attribute(/<form [^>]*>/.exec(page.body)?.[0] ?? '', 'action')
    return open(new URL(action, page.url), { ...hiddenFields(page.body), ...fields })
  }

  return browser
}

export interface AuthorizationRequest {
  url: string
  state: string
  nonce: string
  verifier: string
}

const random = () => randomBytes(32).toString('base64url')

/** What test-client would ask for; an undefined parameter is left out. */
export function authorizationRequest(
  issuer: string,
  parameters: Record<string, string | undefined> = {},
): AuthorizationRequest {
  const [state, nonce, verifier] = [random(), random(), random()]
  const url = new URL(`${issuer}/oauth2/authorize`)
  const all = {
    client_id: 'test-client',
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid profile',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  }
  for (const [name, value] of Object.entries(all))
    if (value !== undefined) url.searchParams.set(name, value)
  return { url: url.href, state, nonce, verifier }
}

export interface TokenResponse {
  status: number
  body: {
    access_token?: string
    id_token?: string
    refresh_token?: string
    token_type?: string
    error?: string
  }
}

export async function redeem(
  issuer: string,
  code: string,
  verifier: string | undefined,
  more: Record<string, string> = {},
): Promise<TokenResponse> {
  const proof = verifier === undefined ? {} : { code_verifier: verifier }
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { ...ownConnection, authorization: basic },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      ...proof,
      ...more,
    }),
  })
  return { status: response.status, body: (await response.json()) as TokenResponse['body'] }
}

export const codeOf = (page: Page): string => page.url.searchParams.get('code') ?? ''

export function claimsOf(token: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >
}

/** From the authorization request to the callback. */
export async function signIn(
  browser: TestBrowser,
  request: AuthorizationRequest,
  username = 'testuser',
): Promise<Page> {
  return browser.submit(await browser.open(request.url), { username, password: 'password' })
}
