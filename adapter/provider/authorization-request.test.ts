// What the authorization endpoint accepts and refuses, and who learns of it: the app where its redirect URI is proven,
// the person otherwise.
import { describe, expect, it } from 'vitest'
import { claimsOf, type Parameters } from '../test-support/app.ts'
import { formOf, type Visit } from '../test-support/browser.ts'
import { useChain } from '../test-support/use-chain.ts'
import { redirectUriMutations } from '../test-support/redirect-uri-mutations.ts'

const NATIVE = 'http://127.0.0.1/callback'
const on = useChain({
  config: {
    upstreams: {
      'test-auth-server': {
        scope: 'openid profile email',
        claims: { email: 'email', email_verified: 'email_verified' },
      },
    },
    clients: {
      wide: {
        client_secret: 'wide-secret',
        redirect_uris: ['http://127.0.0.1:8082/callback'],
        scope: 'openid profile email address phone read',
      },
      native: { redirect_uris: [NATIVE], scope: 'openid' },
      phone: { redirect_uris: ['com.example.app:/callback'], scope: 'openid' },
      old: {
        client_secret: 'old-secret',
        pkce: 'optional',
        redirect_uris: ['http://127.0.0.1:8083/callback?tenant=1'],
        scope: 'openid',
      },
    },
  },
})

/** The endpoint's own answer, nothing followed. */
async function ask(parameters: Parameters): Promise<Response> {
  return fetch(on.chain.app.request(parameters).url, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  })
}

async function expectPage(response: Response, status = 400): Promise<void> {
  expect(response.status).toBe(status)
  expect(response.headers.get('location')).toBeNull()
  expect(response.headers.get('content-type')).toMatch(/^text\/html/)
  expect(await response.text()).toContain('This sign-in link does not work')
}

function errorOf(response: Response): Record<string, string> {
  expect(response.status).toBe(302)
  const url = new URL(response.headers.get('location') ?? '')
  expect(url.origin + url.pathname).toBe(on.chain.app.redirectUri)
  // An error of a response type that answers in the fragment is sent there.
  return Object.fromEntries(new URLSearchParams(url.search || url.hash.slice(1)))
}

async function login(parameters: Parameters = {}, changeUrl: (url: URL) => URL = (url) => url) {
  const request = on.chain.app.request(parameters)
  const visit = await on.chain.signIn(on.chain.newBrowser(), changeUrl(request.url))
  const answer = await on.chain.app.finish(visit, request)
  return {
    request,
    visit,
    answer,
    idToken: answer.status === 200 ? claimsOf(answer.body.id_token) : {},
  }
}

describe('requests that are answered', () => {
  it('C08 without nonce: no nonce comes back', async () => {
    const { answer, idToken } = await login({ nonce: undefined })
    expect(answer.status).toBe(200)
    expect(idToken).not.toHaveProperty('nonce')
  })

  it('has no state in the answer to a request without one', async () => {
    const { visit } = await login({ state: undefined })
    expect([...visit.url.searchParams.keys()].sort()).toEqual(['code', 'iss'])
  })

  it.each([
    ['openid', []],
    ['openid profile', ['name', 'preferred_username']],
    ['openid read', []],
  ])('C09 scope "%s" releases %j and what openid does', async (scope, released) => {
    const { answer, idToken } = await login({ scope })
    const userinfo = (await (
      await on.chain.app.userinfo(answer.body.access_token)
    ).json()) as object
    const context = ['acr', 'amr', 'auth_time']
    const identity = ['authorities', 'sub', 'test_auth_server_sub', ...released].sort()
    expect(Object.keys(userinfo).sort()).toEqual(identity)
    expect(
      Object.keys(idToken)
        .filter((name) => !['iss', 'aud', 'exp', 'iat', 'nonce', ...context].includes(name))
        .sort(),
    ).toEqual(identity)
    const protocol = ['iss', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope', ...context]
    expect(
      Object.keys(claimsOf(answer.body.access_token))
        .filter((name) => !protocol.includes(name))
        .sort(),
    ).toEqual(identity)
    expect(answer.body['scope']).toBe(scope)
  })

  it('A48 a scope that nobody may have is left out', async () => {
    const { answer, idToken } = await login({ scope: 'openid offline_access admin phone_number' })
    expect(answer.body['scope']).toBe('openid')
    expect(claimsOf(answer.body.access_token)['scope']).toBe('openid')
    expect(idToken).not.toHaveProperty('email')
  })

  it('A48 the claims parameter releases nothing that no scope of the client would', async () => {
    const { idToken, answer } = await login({
      scope: 'openid',
      claims: JSON.stringify({
        id_token: { email: null, name: { essential: true } },
        userinfo: { email: null, name: null },
      }),
    })
    expect(idToken).toHaveProperty('name', 'testuser')
    expect(idToken).not.toHaveProperty('email')
    expect(await (await on.chain.app.userinfo(answer.body.access_token)).json()).not.toHaveProperty(
      'email',
    )
  })

  it('C10 order of scopes and of parameters does not matter', async () => {
    const { answer } = await login({ scope: 'read profile openid' }, (url) => {
      url.search = new URLSearchParams([...url.searchParams].reverse()).toString()
      return url
    })
    expect(answer.status).toBe(200)
    expect(claimsOf(answer.body.access_token)).toMatchObject({ sub: 'testuser', name: 'testuser' })
  })

  it.each([
    { display: 'popup' },
    { ui_locales: 'se de-CH' },
    { claims_locales: 'se' },
    { login_hint: 'testuser' },
    { acr_values: 'urn:mace:incommon:iap:silver 2' },
    { login_hint: 'a@b.test', display: 'touch', ui_locales: 'pl', acr_values: '1' },
  ])('C11 hints are no error: %j', async (hints) => {
    const { answer } = await login(hints)
    expect(answer.status).toBe(200)
  })

  it('C11 hints that mean something to the upstream reach it', async () => {
    const hints = { login_hint: 'ada', ui_locales: 'pl', acr_values: '1 2' }
    const { visit } = await login(hints)
    const upstream = visit.hops.find(
      ({ url }) => url.pathname === '/oauth2/authorize' && url.origin === on.chain.upstreamIssuer,
    )
    expect(Object.fromEntries(upstream?.url.searchParams ?? [])).toMatchObject(hints)
  })

  it('C17 an unknown parameter is ignored', async () => {
    expect((await login({ extra: 'foobar', 'x-y': '1' })).answer.status).toBe(200)
  })

  it('C26 essential claims succeed', async () => {
    const { idToken } = await login({
      claims:
        '{"userinfo":{"name":{"essential":true}},"id_token":{"auth_time":{"essential":true}}}',
    })
    expect(idToken['auth_time']).toEqual(expect.any(Number))
  })

  it.each([64, 384])('C40 state and nonce of %i characters come back whole', async (length) => {
    const [state, nonce] = ['s'.repeat(length), 'n'.repeat(length)] as [string, string]
    const { visit, idToken } = await login({ state, nonce })
    expect(visit.url.searchParams.get('state')).toBe(state)
    expect(idToken['nonce']).toBe(nonce)
  })

  it('A39 state of any characters comes back as it was, in one header', async () => {
    const state = 'a b&c=d;e%0d%0aSet-Cookie: x=1\r\nX-Evil: 1\u2028"<script>'
    const { visit } = await login({ state })
    expect(visit.url.searchParams.get('state')).toBe(state)
    expect(visit.headers.has('x-evil')).toBe(false)
    expect(
      visit.hops
        .flatMap(({ setCookies }) => setCookies)
        .filter((cookie) => cookie.startsWith('x=')),
    ).toEqual([])
  })

  it('form_post: a page with a form to the app, sent on by itself, for this app only', async () => {
    const request = on.chain.app.request({ response_mode: 'form_post' })
    const page: Visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    expect(page.status).toBe(200)
    const form = formOf(page)
    expect(form.action.href).toBe(on.chain.app.redirectUri)
    expect(form.fields).toEqual({
      code: expect.any(String) as unknown,
      state: request.state,
      iss: on.chain.issuer,
    })
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/script-src 'report-sample' 'sha256-[\w+/=]+'/)
    expect(policy).toContain(`form-action 'self' ${new URL(on.chain.app.redirectUri).origin};`)
    expect(
      (await on.chain.app.redeem(form.fields['code'] as string, { verifier: request.verifier }))
        .status,
    ).toBe(200)
  })

  it('form_post carries errors too', async () => {
    const request = on.chain.app.request({ response_mode: 'form_post', prompt: 'none' })
    const page = await on.chain.newBrowser().open(request.url)
    expect(formOf(page).fields).toMatchObject({
      error: 'login_required',
      state: request.state,
      iss: on.chain.issuer,
    })
  })
})

describe('requests that are refused', () => {
  const TO_THE_APP: [name: string, parameters: Parameters, error: string][] = [
    ['C04 response_type missing', { response_type: undefined }, 'invalid_request'],
    ['C41 response_type token', { response_type: 'token' }, 'invalid_request'],
    ['C41 response_type code id_token', { response_type: 'code id_token' }, 'invalid_request'],
    [
      'C41 response_type id_token in the query',
      { response_type: 'id_token', response_mode: 'query' },
      'invalid_request',
    ],
    ['C41 response_type none', { response_type: 'none' }, 'unsupported_response_type'],
    ['C24 request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['C24 request_uri', { request_uri: 'https://evil.test/r' }, 'request_uri_not_supported'],
    [
      'A13 no code challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['A13 method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    [
      'A13 method left out (plain by default)',
      { code_challenge_method: undefined },
      'invalid_request',
    ],
    ['A13 method without challenge', { code_challenge: undefined }, 'invalid_request'],
    ['A13 challenge of the wrong form', { code_challenge: 'short' }, 'invalid_request'],
    ['prompt none with another', { prompt: 'none login' }, 'invalid_request'],
    ['unknown prompt', { prompt: 'dance' }, 'invalid_request'],
    ['max_age no number', { max_age: 'soon' }, 'invalid_request'],
    ['claims no JSON', { claims: '{' }, 'invalid_request'],
    ['id_token_hint no token', { id_token_hint: 'x' }, 'invalid_request'],
    ['A48 a scope of another client', { scope: 'openid email' }, 'invalid_scope'],
    ['A48 another resource', { resource: 'https://api.test/' }, 'invalid_target'],
    [
      'A18 the name of our own default resource',
      { resource: 'urn:auth-adapter:other' },
      'invalid_target',
    ],
  ]
  it.each(TO_THE_APP)(
    '%s: the app is told, with its state and our iss',
    async (_name, parameters, error) => {
      const answer = errorOf(await ask({ state: 'the-state', ...parameters }))
      expect(answer).toMatchObject({ error, state: 'the-state', iss: on.chain.issuer })
      expect(answer).not.toHaveProperty('code')
    },
  )

  it.each(['fragment', 'web_message', 'jwt', 'query.jwt'])(
    'response_mode %s is not served',
    async (response_mode) => {
      const answer = errorOf(await ask({ response_mode, state: 's' }))
      expect(answer).toMatchObject({
        error: expect.stringMatching(/^(invalid_request|unsupported_response_mode)$/) as unknown,
        state: 's',
        iss: on.chain.issuer,
      })
    },
  )

  it('a request parameter sent twice is refused', async () => {
    const { url } = on.chain.app.request()
    const response = await fetch(`${url.href}&scope=openid`, { redirect: 'manual' })
    expect(response.status).toBe(302)
    expect(new URL(response.headers.get('location') ?? '').searchParams.get('error')).toBe(
      'invalid_request',
    )
  })

  const TO_THE_PERSON: [name: string, parameters: Parameters][] = [
    ['C21 a redirect URI that is not registered', { redirect_uri: 'https://evil.test/callback' }],
    [
      'C22 a query that was added',
      { redirect_uri: 'http://127.0.0.1:8080/login/oauth2/code/auth-adapter?x=1' },
    ],
    ['C22 a fragment', { redirect_uri: 'http://127.0.0.1:8080/login/oauth2/code/auth-adapter#x' }],
    [
      'C22 another query than the registered one',
      { client_id: 'old', redirect_uri: 'http://127.0.0.1:8083/callback?tenant=2' },
    ],
    [
      'C22 without the registered query',
      { client_id: 'old', redirect_uri: 'http://127.0.0.1:8083/callback' },
    ],
    ['C23 redirect URI missing, though one is registered', { redirect_uri: undefined }],
    ['C23 redirect URI empty', { redirect_uri: '' }],
    ['an unknown client', { client_id: 'nobody' }],
    ...['__proto__', 'constructor', 'toString', 'client\u0000', 'CLIENT'].map(
      (client_id): [string, Parameters] => [
        `A41 client ${JSON.stringify(client_id)}`,
        { client_id },
      ],
    ),
    ['client_id missing', { client_id: undefined }],
    ['A02 the redirect URI of another client', { client_id: 'second-client' }],
    [
      'A10 a wrong response type with a foreign redirect URI',
      { redirect_uri: 'https://evil.test/', response_type: 'token' },
    ],
  ]
  it.each(TO_THE_PERSON)('%s: a page, no redirect', async (_name, parameters) => {
    await expectPage(await ask(parameters))
  })

  it('a redirect URI sent twice is refused with a page', async () => {
    const { url } = on.chain.app.request()
    const response = await fetch(
      `${url.href}&redirect_uri=${encodeURIComponent('https://evil.test/')}`,
      { redirect: 'manual' },
    )
    expect(response.headers.get('location') ?? on.chain.app.redirectUri).toMatch(
      new RegExp(`^${on.chain.app.redirectUri}`),
    )
    expect(response.headers.get('location') ?? '').not.toContain('evil')
  })

  it('A11 of 200 mutations of a registered redirect URI none is accepted (CVE-2024-52289)', async () => {
    const mutations = redirectUriMutations(on.chain.app.redirectUri)
    expect(mutations.length).toBeGreaterThanOrEqual(200)
    for (const redirect_uri of mutations) {
      const response = await ask({ redirect_uri })
      expect(response.headers.get('location'), redirect_uri).toBeNull()
      expect(response.status, redirect_uri).toBe(400)
    }
  })

  it('A11 a native client may use any loopback port, and nothing else may differ', async () => {
    const native = { client_id: 'native', scope: 'openid' }
    expect((await ask({ ...native, redirect_uri: 'http://127.0.0.1:53211/callback' })).status).toBe(
      302,
    )
    for (const redirect_uri of [
      'http://127.0.0.1:53211/other',
      'http://localhost:53211/callback',
      'https://127.0.0.1:53211/callback',
      'http://127.0.0.2/callback',
      'http://127.0.0.1:1@evil.test/callback',
    ])
      await expectPage(await ask({ ...native, redirect_uri }))
  })

  it('form_post to a private-use scheme is refused by a redirect, without a fault of ours', async () => {
    const phone = {
      client_id: 'phone',
      redirect_uri: 'com.example.app:/callback',
      scope: 'openid',
      response_mode: 'form_post',
    }
    for (const parameters of [phone, { ...phone, prompt: 'none' }]) {
      const response = await ask(parameters)
      expect(response.status).toBe(302)
      expect(response.headers.get('location')).toMatch(
        /^com\.example\.app:\/callback\?.*error=invalid_request/,
      )
    }
  })

  it.each([
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    ' javascript:alert(1)',
    'jaVascript://127.0.0.1:8080/%0aalert(1)',
  ])('A12 script as redirect URI, %s: a page (CVE-2024-21637)', async (redirect_uri) => {
    await expectPage(await ask({ redirect_uri }))
    await expectPage(await ask({ redirect_uri, response_mode: 'form_post' }))
  })

  it('C29 a client with optional PKCE may leave it out, and not weaken it', async () => {
    const old = {
      client_id: 'old',
      redirect_uri: 'http://127.0.0.1:8083/callback?tenant=1',
      scope: 'openid',
    }
    const without = await ask({
      ...old,
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    expect(new URL(without.headers.get('location') ?? '', on.chain.url).pathname).toBe(
      '/oauth2/authorization/test-auth-server',
    )
    const plain = await ask({ ...old, code_challenge_method: 'plain' })
    expect(new URL(plain.headers.get('location') ?? '').searchParams.get('error')).toBe(
      'invalid_request',
    )
  })
})
