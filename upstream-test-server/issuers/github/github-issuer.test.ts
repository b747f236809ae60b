import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from '../../start.ts'
import {
  callback,
  codeOf,
  createTestBrowser,
  ownConnection,
  startForTest,
} from '../../test-support/test-browser.ts'
import { githubPeople } from './github-people.ts'

const credentials = { client_id: 'github-like', client_secret: 's3cret' }
const clients = [{ clientId: 'github-like', clientSecret: 's3cret', redirectUris: [callback] }]

let server: RunningUpstreamTestServer
let base: string
beforeAll(async () => {
  const issuers = { 'github-like': { kind: 'github', clients, people: githubPeople } } as const
  server = await startForTest({ issuers })
  base = `${server.issuer}/github-like`
})
afterAll(() => server.close())

const verifier = 'v'.repeat(43)
const code_challenge = createHash('sha256').update(verifier).digest('base64url')
const pkce = { code_challenge, code_challenge_method: 'S256' }

function authorizeUrl(parameters: Record<string, string> = {}): string {
  const { client_id } = credentials
  const all = { client_id, redirect_uri: callback, state: 'a state', scope: 'user:email', ...pkce }
  return `${base}/login/oauth/authorize?${new URLSearchParams({ ...all, ...parameters }).toString()}`
}

async function signIn(parameters: Record<string, string> = {}, username = 'testuser') {
  const browser = createTestBrowser(server.url)
  const page = await browser.open(authorizeUrl(parameters))
  return browser.submit(page, { username, password: 'password' })
}

async function redeem(fields: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ ...credentials, code_verifier: verifier, ...fields })
  const url = `${base}/login/oauth/access_token`
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...ownConnection, ...headers },
  })
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    text: await answer.text(),
  }
}

const redeemForJson = async (fields: Record<string, string>) =>
  JSON.parse((await redeem(fields, { accept: 'application/json' })).text) as Record<string, string>

async function api(path: string, token: string, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${token}`
  const all = { ...ownConnection, 'user-agent': 'test', authorization, ...headers }
  const answer = await fetch(`${base}${path}`, { headers: all })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

const tokenFor = async (parameters: Record<string, string> = {}, username = 'testuser') =>
  (await redeemForJson({ code: codeOf(await signIn(parameters, username)) }))['access_token'] ?? ''

describe('the way there and back', () => {
  it('brings a code and the state to the callback', async () => {
    const { url } = await signIn()
    expect(`${url.origin}${url.pathname}`).toBe(callback)
    expect([...url.searchParams.keys()]).toEqual(['code', 'state'])
    expect(url.searchParams.get('state')).toBe('a state')
  })

  it('does not ask again who is signed in, unless to choose the account', async () => {
    const browser = createTestBrowser(server.url)
    const page = await browser.open(authorizeUrl())
    await browser.submit(page, { username: 'ada', password: 'password' })
    expect(codeOf(await browser.open(authorizeUrl()))).not.toBe('')
    const asked = await browser.open(authorizeUrl({ prompt: 'select_account', login: 'nora' }))
    expect(asked.body).toContain('value="nora"')
  })

  it('says so when the password is wrong, or the person cancels', async () => {
    const browser = createTestBrowser(server.url)
    const page = await browser.open(authorizeUrl())
    const again = await browser.submit(page, { username: 'ada', password: 'wrong' })
    expect(again.status).toBe(400)
    expect(again.body).toContain('The user name or the password is wrong.')
    const { url } = await browser.submit(again, { action: 'cancel' })
    expect(url.searchParams.get('error')).toBe('access_denied')
  })

  it('leads nowhere else: an unknown app gets a page, another address is answered at the registered one', async () => {
    const browser = createTestBrowser(server.url)
    expect((await browser.open(authorizeUrl({ client_id: 'nobody' }))).status).toBe(404)
    const { url } = await browser.open(authorizeUrl({ redirect_uri: 'http://127.0.0.1:9/other' }))
    expect(`${url.origin}${url.pathname}`).toBe(callback)
    expect(url.searchParams.get('error')).toBe('redirect_uri_mismatch')
    const plain = await browser.open(authorizeUrl({ code_challenge_method: 'plain' }))
    expect(plain.url.searchParams.get('error')).toBe('invalid_request')
  })

  it('a sign-in page of another browser is of no use', async () => {
    const page = await createTestBrowser(server.url).open(authorizeUrl())
    expect((await createTestBrowser(server.url).open(page.url)).status).toBe(400)
  })
})

describe('the token endpoint', () => {
  it('answers with a form, and with JSON to those who ask for it', async () => {
    const form = await redeem({ code: codeOf(await signIn({ scope: 'read:user,user:email' })) })
    expect(form.type).toContain('application/x-www-form-urlencoded')
    expect(Object.fromEntries(new URLSearchParams(form.text))).toEqual({
      access_token: expect.stringMatching(/^gho_/) as string,
      scope: 'read:user,user:email',
      token_type: 'bearer',
    })
    expect(await redeemForJson({ code: codeOf(await signIn()) })).toMatchObject({
      token_type: 'bearer',
    })
  })

  it.each([
    ['incorrect_client_credentials', { client_secret: 'wrong' }],
    ['bad_verification_code', { code: 'unknown' }],
    ['bad_verification_code', { code_verifier: 'w'.repeat(43) }],
    ['redirect_uri_mismatch', { redirect_uri: 'http://127.0.0.1:9/other' }],
  ])('says %s with status 200', async (error, wrong) => {
    const code = codeOf(await signIn())
    const { status, text } = await redeem({ code, ...wrong })
    expect(status).toBe(200)
    expect(new URLSearchParams(text).get('error')).toBe(error)
  })

  it('takes a code once', async () => {
    const code = codeOf(await signIn())
    const answers = await Promise.all([1, 2, 3].map(() => redeemForJson({ code })))
    expect(answers.filter(({ access_token }) => access_token !== undefined)).toHaveLength(1)
  })
})

describe('the API', () => {
  it('says who it is, with the address only where it is public', async () => {
    expect((await api('/user', await tokenFor())).body).toMatchObject({
      id: 583_231,
      login: 'testuser',
      name: 'Tess Tuser',
      email: null,
    })
    expect((await api('/user', await tokenFor({}, 'ada'))).body).toMatchObject({
      id: 583_232,
      email: 'ada@code.example.test',
    })
  })

  it('lists the addresses to those with the scope for it', async () => {
    const listed = await api('/user/emails', await tokenFor())
    expect(listed.body).toMatchObject([
      { email: 'tess@code.example.test', primary: true, verified: true, visibility: 'private' },
      { primary: false, verified: true },
    ])
    expect(await api('/user/emails', await tokenFor({ scope: '' }))).toEqual({
      status: 404,
      body: { message: 'Not Found' },
    })
  })

  it('refuses a wrong token', async () => {
    expect((await api('/user', 'gho_wrong')).status).toBe(401)
  })
})
