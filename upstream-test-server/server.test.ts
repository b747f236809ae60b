import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from './start.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
  startForTest,
} from './test-support/test-browser.ts'

let server: RunningUpstreamTestServer
beforeAll(async () => {
  server = await startForTest()
})
afterAll(() => server.close())

async function freshCode(parameters: Record<string, string | undefined> = {}) {
  const browser = createTestBrowser(server.issuer)
  const request = authorizationRequest(server.issuer, parameters)
  const page = await signIn(browser, request)
  return { browser, request, page, code: codeOf(page) }
}

const openFresh = (parameters: Record<string, string | undefined>) =>
  createTestBrowser(server.issuer).open(authorizationRequest(server.issuer, parameters).url)

describe('the authorization request', () => {
  it('C21 an unknown client gets a page, not a redirect', async () => {
    const page = await openFresh({ client_id: 'nobody' })
    expect(page.status).toBe(400)
    expect(page.url.origin).toBe(server.issuer)
    expect(page.body).toContain('This application is not known here')
  })

  it.each([
    ['another path', `${callback}/more`],
    ['a query added', `${callback}?a=b`],
    ['a fragment added', `${callback}#a`],
    ['another port', callback.replace(':9/', ':10/')],
    ['another host', callback.replace('127.0.0.1', 'localhost')],
    ['another case', callback.toUpperCase()],
    ['none', undefined],
  ])(
    'A11 C22 C23 a redirect_uri with %s gets a page, not a redirect',
    async (_name, redirect_uri) => {
      const page = await openFresh({ redirect_uri })
      expect(page.status).toBe(400)
      expect(page.url.origin).toBe(server.issuer)
      expect(page.headers.get('content-type')).toContain('text/html')
    },
  )

  it.each([
    [
      'no code_challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no method, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
    ['the implicit flow', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['prompt=select_account', { prompt: 'select_account' }, 'invalid_request'],
  ])('A13 C29 C41 goes back with an error for %s', async (_name, parameters, error) => {
    const page = await openFresh(parameters)
    expect(`${page.url.origin}${page.url.pathname}`).toBe(callback)
    const answer = page.url.hash
      ? new URLSearchParams(page.url.hash.slice(1))
      : page.url.searchParams
    expect(answer.get('error')).toBe(error)
  })

  it('answers by form_post where it is asked for, with a script its policy allows by hash', async () => {
    const { page } = await freshCode({ response_mode: 'form_post' })
    expect(page.status).toBe(200)
    const script = /<script>([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? ''
    const hash = createHash('sha256').update(script).digest('base64')
    expect(page.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`)
    expect(page.headers.get('content-security-policy')).not.toContain('form-action')
    expect(page.body).toContain(`action="${callback}"`)
  })
})

describe('the token endpoint', () => {
  it('C20 a code used again takes the first access token with it', async () => {
    const { request, code } = await freshCode()
    const { body } = await redeem(server.issuer, code, request.verifier)
    expect((await redeem(server.issuer, code, request.verifier)).body.error).toBe('invalid_grant')
    expect((await userinfo(body.access_token)).status).toBe(401)
  })

  it.each([
    ['no verifier', undefined, {}],
    ['another verifier', 'x'.repeat(43), {}],
    ['an empty verifier', '', {}],
    ['another redirect_uri', 'own', { redirect_uri: `${callback}/more` }],
  ])('A02 A13 refuses a code with %s', async (_name, verifier, more) => {
    const { request, code } = await freshCode()
    const { status, body } = await redeem(
      server.issuer,
      code,
      verifier === 'own' ? request.verifier : verifier,
      more,
    )
    expect(status).toBe(400)
    expect(body.access_token).toBeUndefined()
  })

  it('refuses a wrong client secret, and says the same of an unknown client', async () => {
    const answers = await Promise.all(
      ['test-client:wrong', 'nobody:wrong'].map(async (pair) => {
        const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
        const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x' })
        const response = await fetch(`${server.issuer}/oauth2/token`, {
          method: 'POST',
          headers: { authorization },
          body,
        })
        return { status: response.status, body: await response.json() }
      }),
    )
    expect(answers[0]?.status).toBe(401)
    expect(answers[1]).toEqual(answers[0])
  })
})

const userinfo = (token: string | undefined) =>
  fetch(`${server.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })

describe('userinfo', () => {
  it('C06 says what the ID token says', async () => {
    const { request, code } = await freshCode({ scope: 'openid profile email' })
    const { body } = await redeem(server.issuer, code, request.verifier)
    const claims = (await (await userinfo(body.access_token)).json()) as Record<string, unknown>
    expect(claims).toMatchObject({
      sub: 'testuser',
      name: 'testuser',
      roles: ['user'],
      email: 'testuser@example.test',
    })
    expect(claimsOf(body.id_token)).toMatchObject(claims)
  })

  it('refuses a token it does not know', async () => {
    expect((await userinfo('nonsense')).status).toBe(401)
  })
})

interface RawResponse {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

function requestAs(host: string, port: number, path: string): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: '127.0.0.1', path, headers: { host } },
      (response) => {
        const { statusCode: status, headers } = response
        text(response).then((body) => resolve({ status, headers, body }), reject)
      },
    )
    request.on('error', reject).end()
  })
}

it('answers /ping', async () => {
  const answer = await fetch(`${server.issuer}/ping`)
  expect([answer.status, await answer.text()]).toEqual([200, 'pong'])
})

describe('discovery', () => {
  it('C03 C05 advertises what is served, and keys without private members', async () => {
    const metadata = (await (
      await fetch(`${server.issuer}/.well-known/openid-configuration`)
    ).json()) as Record<string, unknown>
    const at = (path: string) => `${server.issuer}${path}`
    expect(metadata).toMatchObject({
      issuer: server.issuer,
      authorization_endpoint: at('/oauth2/authorize'),
      token_endpoint: at('/oauth2/token'),
      jwks_uri: at('/oauth2/jwks'),
      userinfo_endpoint: at('/userinfo'),
      end_session_endpoint: at('/connect/logout'),
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'form_post'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    })
    const { keys } = (await (await fetch(at('/oauth2/jwks'))).json()) as {
      keys: Record<string, unknown>[]
    }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })

  it('A46 neither Host nor forwarded headers change a URL', async () => {
    const forwarded = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    }
    const response = await fetch(`${server.issuer}/.well-known/openid-configuration`, {
      headers: forwarded,
    })
    expect(await response.text()).not.toContain('evil.example')
    const { status } = await requestAs('evil.example', server.port, '/login')
    expect(status).toBe(421)
  })
})

describe('an https issuer', () => {
  it('A34 makes every cookie Secure and every URL https, also behind a proxy that speaks TLS', async () => {
    const secure = await startForTest({ issuer: 'https://login.example.test' })
    const request = authorizationRequest('https://login.example.test')
    const { pathname, search } = new URL(request.url)
    const { status, headers } = await requestAs(
      'login.example.test',
      secure.port,
      `${pathname}${search}`,
    )
    expect(status).toBe(302)
    expect(headers['set-cookie']).toHaveLength(5)
    for (const cookie of headers['set-cookie'] ?? [])
      expect(cookie.split('; ')).toEqual(expect.arrayContaining(['secure', 'httponly']))
    expect(headers['strict-transport-security']).toContain('max-age=')
    const metadata = await requestAs(
      'login.example.test',
      secure.port,
      '/.well-known/openid-configuration',
    )
    expect(metadata.body).not.toContain('http:')
    await secure.close()
  })
})
