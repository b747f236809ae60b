import type { ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, UpstreamError } from '../errors.ts'
import { createOidcUpstream } from './oidc-upstream.ts'
import { refusal } from './test-support/expect-upstream-error.ts'
import { useEvilIdp } from './test-support/fixture.ts'

const fixture = useEvilIdp()
const { open, login } = fixture
const tokenRequests = () => fixture.idp.count('POST /token')

describe(createOidcUpstream, () => {
  it('sends the browser out with state, nonce and an S256 challenge, and with the hints that were given', async () => {
    const { upstream } = open({ config: { scope: 'openid email' } })
    const request = {
      redirect_uri: 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server',
      state: 'the-state',
      nonce: 'the-nonce',
      // RFC 7636 appendix B
      codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      prompt: 'login',
      max_age: 0,
      params: { ui_locales: 'de', acr_values: 'phr', state: 'another', scope: 'admin' },
      interaction_uid: 'ours alone',
    }
    const url = await upstream.authorizationUrl(request)
    expect(url.origin + url.pathname).toBe(`${fixture.idp.issuer}/authorize`)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'test-client',
      redirect_uri: 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server',
      response_type: 'code',
      scope: 'openid email',
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      prompt: 'login',
      max_age: '0',
      ui_locales: 'de',
      acr_values: 'phr',
    })
  })

  it('keeps the query that the authorization endpoint already has', async () => {
    fixture.idp.behaviour = {
      discovery: (document) => ({
        ...document,
        authorization_endpoint: `${fixture.idp.issuer}/authorize?policy=a`,
      }),
    }
    const { url } = await open().begin()
    expect(url.searchParams.get('policy')).toBe('a')
    expect(url.searchParams.get('response_type')).toBe('code')
  })

  it('C44 logs in with one token request, and one discovery and JWKS request for all logins', async () => {
    const { login: again } = open()
    await Promise.all([again(), again(), again()])
    await again()
    expect(tokenRequests()).toBe(4)
    expect(fixture.idp.count('GET /.well-known/openid-configuration')).toBe(1)
    expect(fixture.idp.count('GET /jwks')).toBe(1)
    expect(fixture.idp.count('GET /userinfo')).toBe(0)
  })

  it.each<[string, Parameters<typeof refusal>[1], (parameters: URLSearchParams) => void]>([
    ['without state', 'identity_invalid', (parameters) => parameters.delete('state')],
    [
      'with the state of another login',
      'identity_invalid',
      (parameters) => parameters.set('state', 'of-another-login'),
    ],
    [
      'with state twice',
      'identity_invalid',
      (parameters) => parameters.append('state', parameters.get('state') as string),
    ],
    [
      'with iss twice',
      'identity_invalid',
      (parameters) => parameters.append('iss', 'https://evil.example'),
    ],
    ['with code twice', 'identity_invalid', (parameters) => parameters.append('code', 'second')],
    ['without code', 'identity_invalid', (parameters) => parameters.delete('code')],
    ['with an empty code', 'identity_invalid', (parameters) => parameters.set('code', '')],
    [
      'A30 with a code of NUL, at which some servers fail, so that a circuit would open',
      'identity_invalid',
      (parameters) => parameters.set('code', 'a\0'),
    ],
    [
      'with a code that is not ASCII',
      'identity_invalid',
      (parameters) => parameters.set('code', 'ü'),
    ],
    [
      'with a code of two lines',
      'identity_invalid',
      (parameters) => parameters.set('code', 'a\r\nb'),
    ],
    [
      'with a wrong iss',
      'issuer_mismatch',
      (parameters) => parameters.set('iss', 'https://evil.example'),
    ],
    [
      'with an iss that differs by a slash',
      'issuer_mismatch',
      (parameters) => parameters.set('iss', `${parameters.get('iss')}/`),
    ],
    [
      'without the iss that the metadata promises',
      'issuer_mismatch',
      (parameters) => parameters.delete('iss'),
    ],
    [
      'with an error and a wrong iss',
      'issuer_mismatch',
      (parameters) => {
        parameters.set('error', 'access_denied')
        parameters.set('iss', 'https://evil.example')
      },
    ],
    [
      'with code and error',
      'authorization_error',
      (parameters) => parameters.set('error', 'access_denied'),
    ],
  ])('C56 refuses an answer %s without a token request', async (_name, code, response) => {
    await refusal(login({ response }), code)
    expect(tokenRequests()).toBe(0)
  })

  it('C56 accepts an answer without iss where the metadata promises none, but no wrong one', async () => {
    const discovery = (document: Record<string, unknown>) => ({
      ...document,
      authorization_response_iss_parameter_supported: false,
    })
    expect(
      await login({ discovery, response: (parameters) => parameters.delete('iss') }),
    ).toMatchObject({ sub: 'testuser' })
    await refusal(
      login({ discovery, response: (parameters) => parameters.set('iss', 'https://evil.example') }),
      'issuer_mismatch',
    )
  })

  it('ignores response parameters it does not know', async () => {
    const response = (parameters: URLSearchParams) => parameters.append('session_state', 'x')
    expect(await login({ response })).toMatchObject({ sub: 'testuser' })
  })

  it('names the setting when a scope is refused', async () => {
    const response = (parameters: URLSearchParams) => {
      parameters.delete('code')
      parameters.set('error', 'invalid_scope')
    }
    const error = await refusal(login({ response }), 'authorization_error')
    expect(error.message).toBe(
      'Authorization response: error invalid_scope: it refuses a scope of the setting `scope`',
    )
  })

  it.each([
    ['access_denied', 'access_denied'],
    ['login_required', 'login_required'],
    ['something_of_its_own', 'something_of_its_own'],
    ['x'.repeat(100), 'x'.repeat(64)],
    ['line\r\nbreak', 'server_error'],
    ['<script>"', 'server_error'],
    ['', 'server_error'],
  ])('F11 passes on the error %j as %j, never its description', async (sent, passed) => {
    const response = (parameters: URLSearchParams) => {
      parameters.delete('code')
      parameters.set('error', sent)
      parameters.set('error_description', 'description-of-the-upstream')
    }
    const error = await refusal(login({ response }), 'authorization_error')
    expect(error.oauthError).toBe(passed)
    expect(error.message).not.toContain('description-of-the-upstream')
    expect(tokenRequests()).toBe(0)
  })

  it('F12 says code_rejected when a code is used twice, and a new login works', async () => {
    const { upstream, begin, login: again } = open()
    const { url, expected } = await begin()
    const parameters = await fixture.idp.visit(url)
    await upstream.redeem(parameters, expected)
    const error = await refusal(upstream.redeem(parameters, expected), 'code_rejected')
    expect(error.oauthError).toBe('invalid_grant')
    expect(await again()).toMatchObject({ sub: 'testuser' })
  })

  it('says code_rejected when the verifier is another one', async () => {
    const { upstream, begin } = open()
    const { url, expected } = await begin()
    const parameters = await fixture.idp.visit(url)
    await refusal(
      upstream.redeem(parameters, { ...expected, codeVerifier: 'v'.repeat(43) }),
      'code_rejected',
    )
  })

  it('says client_rejected when the upstream does not take our secret', async () => {
    const error = await refusal(
      login({}, { config: { client_secret: 'not-the-secret' } }),
      'client_rejected',
    )
    expect(error.oauthError).toBe('invalid_client')
    expect(error.message).toContain('client_id, client_secret or client_auth_method')
  })

  it.each([
    [
      '401 with a challenge',
      401,
      { 'www-authenticate': 'Basic realm="x"' },
      '{"error":"invalid_client"}',
      'client_rejected',
    ],
    ['401 without one', 401, {}, '{"error":"invalid_request"}', 'client_rejected'],
    ['400 invalid_request', 400, {}, '{"error":"invalid_request"}', 'client_rejected'],
    ['400 temporarily_unavailable', 400, {}, '{"error":"temporarily_unavailable"}', 'unavailable'],
    [
      '400 with a page',
      400,
      { 'content-type': 'text/html' },
      '<h1>Bad Request</h1>',
      'unavailable',
    ],
    ['204', 204, {}, '', 'unavailable'],
  ] as const)('sorts a token response of %s', async (_name, status, headers, body, code) => {
    const answer = {
      '/token': (_request: unknown, response: ServerResponse) =>
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body),
    }
    await refusal(login({ answer }), code)
  })

  it.each([
    ['client_secret_post', { client_auth_method: 'client_secret_post' }],
    ['none', { client_auth_method: 'none', client_secret: undefined }],
  ])('authenticates by %s where configured', async (method, config) => {
    await open({ config })
      .login()
      .catch(() => {})
    const sent = fixture.idp.requests.find(({ line }) => line === 'POST /token')
    const form = new URLSearchParams(sent?.body)
    expect(sent?.headers.authorization).toBeUndefined()
    expect(form.get('client_id')).toBe('test-client')
    expect(form.get('client_secret')).toBe(method === 'none' ? null : 'test-secret')
  })

  it('refuses to be built without the secret that its method needs', () => {
    expect(() => open({ config: { client_secret: undefined } })).toThrow(ConfigError)
    expect(() => open({ config: { client_secret: undefined } })).toThrow(
      'upstreams.test-auth-server.client_secret',
    )
  })

  it('shows no code, state, nonce, verifier, token or secret in errors, their causes and the log', async () => {
    const { upstream, begin, log } = open({ config: { userinfo: 'always' } })
    const bends: (typeof fixture.idp.behaviour)[] = [
      {},
      { claims: (claims) => ({ ...claims, nonce: 'other' }) },
      { claims: (claims) => ({ ...claims, aud: 'other' }) },
      { idToken: (token) => `${token}x` },
      { token: ({ access_token, id_token }) => ({ access_token, id_token }) },
      { token: (body) => ({ ...body, expires_in: 'soon' }) },
      { token: (body) => ({ ...body, token_type: 'mac' }) },
      { userinfo: () => ({ sub: 'other' }) },
      { response: (parameters) => parameters.append('code', 'b') },
      { response: (parameters) => parameters.set('iss', 'b') },
      { answer: { '/token': (_request, response) => response.destroy() } },
    ]
    const secrets = new Set<string>(['test-secret', btoa('test-client:test-secret')])
    const seen: string[] = []
    for (const behaviour of bends) {
      fixture.idp.behaviour = behaviour
      const { url, expected } = await begin()
      const parameters = await fixture.idp.visit(url)
      for (const value of [
        expected.state,
        expected.nonce,
        expected.codeVerifier,
        parameters.get('code') as string,
      ])
        secrets.add(value)
      seen.push(
        await upstream.redeem(parameters, expected).then(
          () => '',
          (error: unknown) => everythingIn(error),
        ),
      )
    }
    seen.push(everythingIn(log.lines))
    expect(seen.filter((text) => text !== '')).toHaveLength(bends.length)
    const text = seen.join('\n')
    expect([...secrets].filter((secret) => text.includes(secret))).toEqual([])
    expect(text).not.toMatch(/access-code|refresh-code|eyJ[\w-]+\./)
  })

  it('throws nothing but UpstreamError, whatever the token endpoint answers', async () => {
    const bodies = [
      'null',
      '[]',
      '1',
      '""',
      '{}',
      '{"id_token":1}',
      '{"access_token":{},"token_type":1}',
      '\u0000',
    ]
    for (const body of bodies) {
      const answer = {
        '/token': (_request: unknown, response: ServerResponse) =>
          response.writeHead(200, { 'content-type': 'application/json' }).end(body),
      }
      const outcome = await login({ answer }).catch((error: unknown) => error)
      expect(outcome).toBeInstanceOf(UpstreamError)
    }
  })
})

/** All text of a value, hidden properties and causes too. */
function everythingIn(value: unknown): string {
  return inspect(value, {
    depth: Infinity,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  })
}
