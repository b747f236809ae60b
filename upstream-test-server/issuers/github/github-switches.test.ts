import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createControlClient } from '../../control-client.ts'
import type { ControlClient } from '../../control-client.ts'
import type { RunningUpstreamTestServer } from '../../start.ts'
import {
  callback,
  codeOf,
  createTestBrowser,
  ownConnection,
  startForTest,
} from '../../test-support/test-browser.ts'
import type { TestBrowser } from '../../test-support/test-browser.ts'
import { githubPeople } from './github-people.ts'

const credentials = { client_id: 'github-like', client_secret: 's3cret' }
const clients = [{ clientId: 'github-like', clientSecret: 's3cret', redirectUris: [callback] }]

let server: RunningUpstreamTestServer
let control: ControlClient
let base: string
beforeAll(async () => {
  const issuers = { 'github-like': { kind: 'github', clients, people: githubPeople } } as const
  server = await startForTest({ issuers, controlPort: 0 })
  control = createControlClient(String(server.controlUrl), { issuer: 'github-like' })
  base = `${server.issuer}/github-like`
})
afterEach(() => control.reset())
afterAll(() => server.close())

const authorizeUrl = () => {
  const parameters = { client_id: 'github-like', redirect_uri: callback, state: 'a state' }
  return `${base}/login/oauth/authorize?${new URLSearchParams(parameters).toString()}`
}

async function signIn(browser: TestBrowser, username = 'testuser') {
  const page = await browser.open(authorizeUrl())
  return page.body === '' ? page : browser.submit(page, { username, password: 'password' })
}

async function tokenFor(browser: TestBrowser): Promise<string> {
  const body = new URLSearchParams({ ...credentials, code: codeOf(await signIn(browser)) })
  const headers = { ...ownConnection, accept: 'application/json' }
  const answer = await fetch(`${base}/login/oauth/access_token`, { method: 'POST', body, headers })
  return ((await answer.json()) as { access_token: string }).access_token
}

async function statusWith(token: string): Promise<number> {
  const headers = { ...ownConnection, 'user-agent': 'test', authorization: `Bearer ${token}` }
  return (await fetch(`${base}/user`, { headers })).status
}

describe('the switches at the GitHub-shaped issuer', () => {
  it('refuse people at the sign-in, at the consent, and each time', async () => {
    const browser = createTestBrowser(server.url)
    const errorOf = async () => (await signIn(browser)).url.searchParams.get('error')
    await control.refuseNext('login', { username: 'testuser' })
    expect(await errorOf()).toBe('access_denied')
    expect(await errorOf()).toBeNull()
    await control.refuseNext('consent', { error: 'temporarily_unavailable' })
    expect(await errorOf()).toBe('temporarily_unavailable')
    expect(await errorOf()).toBeNull()
    await control.putPerson('pat', { sub: '77', refused: 'access_denied' })
    const pat = await signIn(createTestBrowser(server.url), 'pat')
    expect(pat.url.searchParams.get('error')).toBe('access_denied')
  })

  it('end the session and the tokens of who is disabled, and keep them out until enabled', async () => {
    const browser = createTestBrowser(server.url)
    const token = await tokenFor(browser)
    expect(await statusWith(token)).toBe(200)
    expect((await control.sessions()).map(({ username }) => username)).toContain('testuser')
    await control.disablePerson('testuser')
    expect(await statusWith(token)).toBe(401)
    expect((await signIn(browser)).body).toContain('This account is disabled')
    await control.enablePerson('testuser')
    expect(await statusWith(token)).toBe(401)
    expect(codeOf(await signIn(browser))).not.toBe('')
  })

  it('revoke tokens and leave the session, and the clock ends both', async () => {
    const browser = createTestBrowser(server.url)
    const token = await tokenFor(browser)
    await control.revokeGrants('testuser')
    expect(await statusWith(token)).toBe(401)
    expect(codeOf(await browser.open(authorizeUrl()))).not.toBe('')
    await control.advance(9 * 3600)
    expect((await browser.open(authorizeUrl())).url.pathname).toBe('/github-like/login')
  })

  it('that only an OpenID Provider has are refused, not passed over', async () => {
    const message = 'this issuer is no OpenID Provider'
    const refused = [
      control.corruptNext({ kind: 'expired' }),
      control.rotateKeys(),
      control.setRefresh({ mode: 'static' }),
      control.setAuthentication({ acr: 'absent' }),
      control.sendLogoutToken({ to: base, sub: '1' }),
      control.failNext('token', { kind: 'drop' }, { username: 'testuser' }),
    ]
    for (const call of refused) await expect(call).rejects.toThrow(message)
  })
})
