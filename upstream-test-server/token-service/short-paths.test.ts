import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from '../start.ts'
import { signerOf } from '../test-support/signer-of.ts'
import { callback, claimsOf, codeOf, createTestBrowser } from '../test-support/test-browser.ts'
import type { TestBrowser } from '../test-support/test-browser.ts'
import {
  gateway,
  gatewayCallback,
  get,
  post,
  postForm,
  postJson,
  startWithServices,
  worker,
} from '../test-support/token-service.ts'
import type { Fields } from '../test-support/token-service.ts'

let server: RunningUpstreamTestServer
let folder: string
const lines: string[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upstream-codes-'))
  server = await startWithServices({ databaseFile: join(folder, 'upstream.sqlite') }, lines)
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const own = { client_id: gateway.client_id, redirect_uri: gatewayCallback, state: 'state-canary' }
const at = (path: string) => `${server.issuer}${path}`
const authorizeUrl = (parameters: Fields) =>
  at(`/authorize?${new URLSearchParams(parameters).toString()}`)

const person = { username: 'testuser', password: 'password' }

async function signInAt(browser: TestBrowser, parameters: Fields = own) {
  return browser.submit(await browser.open(authorizeUrl(parameters)), person)
}

const freshCode = async (parameters: Fields = own) =>
  codeOf(await signInAt(createTestBrowser(server.issuer), parameters))

function storedCode(code: string) {
  const database = new DatabaseSync(join(folder, 'upstream.sqlite'), { readOnly: true })
  const hash = createHash('sha256').update(code).digest('base64url')
  const row = database.prepare('SELECT * FROM codes WHERE code = ?').get(hash)
  database.close()
  return row
}

const exchange = (code: string, more: Fields = {}) =>
  postForm(at('/token'), { ...gateway, code, redirect_uri: gatewayCallback, ...more })

describe('the code flow by its short names', () => {
  it('goes from /authorize by the form to the callback with code and state, and ends in an ID token', async () => {
    const browser = createTestBrowser(server.issuer)
    const form = await browser.open(authorizeUrl(own))
    expect(form.url.pathname).toBe('/login')
    const page = await browser.submit(form, person)
    expect(`${page.url.origin}${page.url.pathname}`).toBe(gatewayCallback)
    expect(page.url.searchParams.get('state')).toBe('state-canary')
    const { status, body, headers } = await exchange(codeOf(page))
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    const idToken = String(body['id_token'])
    expect(await signerOf(server.issuer, idToken)).toBeDefined()
    const { client_id: aud } = gateway
    const claims = { iss: server.issuer, aud, sub: 'testuser', preferred_username: 'testuser' }
    expect(claimsOf(idToken)).toMatchObject(claims)
  })

  it('keeps the code in the table codes, by whom and for whom, and not its value', async () => {
    const before = Date.now()
    const code = await freshCode()
    const row = storedCode(code)
    const { client_id } = gateway
    expect(row).toMatchObject({ username: 'testuser', client_id, scope: 'openid profile' })
    expect(Number(row?.['issued_at'])).toBeGreaterThanOrEqual(before)
    expect(JSON.stringify(row)).not.toContain(code)
  })

  it('shows the form again with what is wrong, for a wrong password', async () => {
    const browser = createTestBrowser(server.issuer)
    const form = await browser.open(authorizeUrl(own))
    const again = await browser.submit(form, { ...person, password: 'wrong' })
    expect(again.status).toBe(400)
    expect(again.body).toContain('The user name or the password is wrong.')
  })

  it('needs no form from who is signed in, at either name', async () => {
    const browser = createTestBrowser(server.issuer)
    await signInAt(browser)
    const page = await browser.open(authorizeUrl(own))
    expect((await exchange(codeOf(page))).status).toBe(200)
  })

  it('takes JSON at /token too', async () => {
    const code = await freshCode()
    const redirect_uri = gatewayCallback
    const answer = await postJson(at('/token'), { ...gateway, code, redirect_uri })
    expect(answer.status).toBe(200)
    expect(answer.body['id_token']).toBeDefined()
  })
})

describe('/authorize', () => {
  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a service', { client_id: worker.client_id }],
    ["another client's redirect_uri", { redirect_uri: callback }],
    ['a longer path', { redirect_uri: `${gatewayCallback}/more` }],
    ['a query added', { redirect_uri: `${gatewayCallback}?a=b` }],
    ['a fragment added', { redirect_uri: `${gatewayCallback}#a` }],
    ['another port', { redirect_uri: gatewayCallback.replace(':9/', ':10/') }],
    ['another case', { redirect_uri: gatewayCallback.toUpperCase() }],
  ])('A11 C21 shows a page and redirects nowhere, for %s', async (_name, more) => {
    const page = await createTestBrowser(server.issuer).open(authorizeUrl({ ...own, ...more }))
    expect(page.status).toBe(400)
    expect(page.url.origin).toBe(server.issuer)
    expect(page.headers.get('content-type')).toContain('text/html')
  })

  it.each([
    ['the implicit flow', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['no scope openid', { scope: 'profile' }, 'invalid_request'],
    ['PKCE by the plain method', { code_challenge: 'x'.repeat(43) }, 'invalid_request'],
    ['a foreign prompt', { prompt: 'select_account' }, 'invalid_request'],
  ])('goes back with error and state for %s', async (_name, more: Fields, error) => {
    const page = await createTestBrowser(server.issuer).open(authorizeUrl({ ...own, ...more }))
    expect(`${page.url.origin}${page.url.pathname}`).toBe(gatewayCallback)
    const said = page.url.hash ? new URLSearchParams(page.url.hash.slice(1)) : page.url.searchParams
    expect(said.get('error')).toBe(error)
    expect(said.get('state')).toBe('state-canary')
  })

  it('A48 leaves out a scope that does not exist', async () => {
    const code = await freshCode({ ...own, scope: 'openid admin' })
    const { body } = await exchange(code)
    expect(body['scope']).toBe('openid')
  })

  it('A13 still asks the client that has to know PKCE for it', async () => {
    const parameters = { client_id: 'test-client', redirect_uri: callback, state: 's' }
    const page = await createTestBrowser(server.issuer).open(authorizeUrl(parameters))
    expect(page.url.searchParams.get('error')).toBe('invalid_request')
    expect(page.url.searchParams.get('error_description')).toContain('PKCE')
  })
})

const verifier = 'v'.repeat(43)
const challenge = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
}

describe('/token', () => {
  it('takes a code with PKCE where it was begun with it', async () => {
    const code = await freshCode({ ...own, ...challenge })
    expect((await exchange(code, { code_verifier: verifier })).status).toBe(200)
  })

  it.each([
    ['another redirect_uri', {}, { redirect_uri: `${gatewayCallback}/more` }],
    ['no verifier for a challenge', challenge, {}],
    ['another verifier', challenge, { code_verifier: 'w'.repeat(43) }],
    ['a verifier without a challenge', {}, { code_verifier: verifier }],
    ['a code of its own making', {}, { code: 'made-up' }],
    ['another client', {}, { client_id: 'test-client', client_secret: 'test-secret' }],
  ])('A02 A13 refuses a code with %s', async (_name, asked, sent: Fields) => {
    const { status, body } = await exchange(await freshCode({ ...own, ...asked }), sent)
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    expect(body['id_token']).toBeUndefined()
  })

  it('C20 a code used again gets nothing, and takes what the first got with it', async () => {
    const code = await freshCode()
    const { body } = await exchange(code)
    expect((await exchange(code)).body['error']).toBe('invalid_grant')
    const authorization = `Bearer ${String(body['access_token'])}`
    expect((await fetch(at('/userinfo'), { headers: { authorization } })).status).toBe(401)
  })

  it('A20 of 20 exchanges at once one gets a token, at either name', async () => {
    const code = await freshCode()
    const fields = { ...gateway, code, redirect_uri: gatewayCallback }
    const long = { ...fields, grant_type: 'authorization_code' }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 ? postForm(at('/oauth2/token'), long) : postForm(at('/token'), fields),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it.each(['end', 'revokeGrants'] as const)(
    'A52 a code is worth nothing, and gone, after %s of its person',
    async (what) => {
      const code = await freshCode()
      server.issuers.get('')?.sessions[what]('testuser')
      expect((await exchange(code)).body['error']).toBe('invalid_grant')
      expect(storedCode(code)).toBeUndefined()
    },
  )

  it('A45 says the same of an unknown client and of a wrong secret', async () => {
    const wrong = await exchange('x', { client_secret: 'wrong' })
    const unknown = await exchange('x', { client_id: 'nobody' })
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client'])
    expect(unknown.body).toEqual(wrong.body)
    expect(unknown.status).toBe(wrong.status)
  })

  const form = 'application/x-www-form-urlencoded'
  it.each([
    ['nothing', form, '', 400],
    ['neither code nor grant type', form, new URLSearchParams(gateway).toString(), 400],
    ['a grant type that does not exist', form, 'grant_type=password&client_id=x', 401],
    ['a parameter twice', form, 'client_id=a&client_id=b&code=x', 400],
    ['JSON that is none', 'application/json', '{"code":', 400],
    ['a JSON list', 'application/json', '["code"]', 400],
    ['members that are no texts', 'application/json', '{"code":{"$gt":""}}', 400],
    ['another content type', 'text/plain', 'code=x', 415],
    ['no content type it knows', 'multipart/form-data; boundary=x', '--x--', 415],
    ['a body of a megabyte', form, `code=${'x'.repeat(1024 * 1024)}`, 413],
  ])('A30 refuses %s with an OAuth error', async (_name, type, body, status) => {
    const answer = await post(at('/token'), type, body)
    expect(answer.status).toBe(status)
    expect(answer.body['error']).toMatch(/^invalid_(request|client)$/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('answers the next request of a connection that stays open', async () => {
    const answers = []
    for (let round = 0; round < 3; round++) {
      const body = new URLSearchParams({ ...gateway, code: 'x', redirect_uri: gatewayCallback })
      answers.push((await fetch(at('/token'), { method: 'POST', body })).status)
    }
    expect(answers).toEqual([400, 400, 400])
  })

  it('goes wrong as switched for the long name, and is in its journal', async () => {
    const { faults, journal } = server.issuers.get('')?.scenario ?? {}
    faults?.armEndpoint({ endpoint: 'token', fault: { kind: 'status', status: 503 }, times: 1 })
    const body = new URLSearchParams({ code: 'x' })
    expect((await fetch(at('/token'), { method: 'POST', body })).status).toBe(503)
    expect(journal?.list({ endpoint: 'token' }).at(-1)?.status).toBe(503)
  })
})

describe('/logout', () => {
  it('A37 asks, ends the session, and the next /authorize shows the form', async () => {
    const browser = createTestBrowser(server.issuer)
    await signInAt(browser)
    const asked = await browser.open('/logout')
    expect(asked.body).toContain('You are signed in as')
    expect(codeOf(await browser.open(authorizeUrl(own)))).not.toBe('')
    const done = await browser.submit(await browser.open('/logout'), { logout: 'yes' })
    expect(done.body).toContain('You are signed out')
    expect((await browser.open(authorizeUrl(own))).url.pathname).toBe('/login')
  })

  it('goes nowhere that was not registered', async () => {
    const elsewhere = 'client_id=api-gateway&post_logout_redirect_uri=https://evil.example/'
    const page = await createTestBrowser(server.issuer).open(`/logout?${elsewhere}`)
    expect(page.status).toBe(400)
    expect(page.url.origin).toBe(server.issuer)
  })
})

describe('discovery', () => {
  it('names the long paths, one for each endpoint, and the grant of the services', async () => {
    const { body } = await get(at('/.well-known/openid-configuration'))
    expect(body).toMatchObject({
      authorization_endpoint: at('/oauth2/authorize'),
      token_endpoint: at('/oauth2/token'),
      end_session_endpoint: at('/connect/logout'),
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    })
  })

  it('A47 no other spelling of a path is taken for it', async () => {
    const spellings = ['/verify/', '/Verify', '/%76erify', '/verify;a=b', '/token/', '/TOKEN']
    for (const path of [...spellings, '/x/../verify/', '/verify%2f', '/test-token'])
      expect((await fetch(at(path), { method: 'POST' })).status, path).toBe(404)
    expect((await fetch(`${server.issuer}//verify`, { method: 'POST' })).status).toBe(400)
    for (const path of ['/authorize/', '/Authorize', '/logout/', '/%6cogout', '/test-token'])
      expect((await fetch(at(path))).status, path).toBe(404)
  })
})

describe('the log', () => {
  it('A43 holds no code, token, secret, state or password of the short names', async () => {
    const browser = createTestBrowser(server.issuer)
    const form = await browser.open(authorizeUrl(own))
    await browser.submit(form, { ...person, password: 'password-canary' })
    const code = codeOf(await browser.submit(form, person))
    const { body } = await exchange(code)
    await exchange(code)
    await exchange('code-canary', { client_secret: 'secret-canary' })
    await post(at('/token'), 'application/json', '{"code":"json-canary"')
    await post(at('/token'), 'text/plain', 'plain-canary')
    const issued = [code, ...['id_token', 'access_token'].map((name) => String(body[name]))]
    const cookies = browser.cookies.map(({ value }) => value)
    const secrets = [...issued, ...cookies, gateway.client_secret, 'canary']
    const output = lines.join('')
    expect(output).toContain('"path":"/token"')
    expect(secrets.filter((secret) => output.includes(secret))).toEqual([])
  })
})
