// The whole way of a person through the chain, hop by hop and claim by claim, as the design has it.
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headerOf, type TokenAnswer } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { startChain, type Chain } from './test-support/chain.ts'

const RANDOM = /^[\w-]{43}$/
/** Of the sign-in upstream. */
const CONTEXT = {
  amr: ['pwd'],
  auth_time: expect.any(Number) as unknown,
}
const nameOf = (setCookie: string) => setCookie.split('=')[0]

describe('the chain, hop by hop', () => {
  let chain: Chain
  let browser: Browser
  let visit: Visit
  let request: ReturnType<Chain['app']['request']>
  let tokens: TokenAnswer

  beforeAll(async () => {
    chain = await startChain({ storage: 'sqlite' })
    browser = chain.newBrowser()
    request = chain.app.request()
    visit = await chain.signIn(browser, request.url)
    tokens = await chain.app.finish(visit, request)
  })
  afterAll(() => chain.close())

  it('takes the hops of the design, each answered with 302', () => {
    const shown = visit.hops.map(
      ({ method, url, status }) =>
        `${method} ${url.origin === chain.issuer ? 'adapter' : 'upstream'} ${url.pathname.replace(/[\w-]{20,}$/, '*')} ${status}`,
    )
    expect(shown).toEqual([
      'GET adapter /oauth2/authorize 302',
      'GET adapter /oauth2/authorization/test-auth-server 302',
      'GET upstream /oauth2/authorize 302',
      'GET upstream /login 200',
      'POST upstream /login 302',
      'GET upstream /oauth2/authorize/* 302',
      'GET adapter /login/oauth2/code/test-auth-server 302',
      'GET adapter /oauth2/authorize/* 302',
    ])
  })

  it('asks the upstream for exactly what the design says, with state, nonce and PKCE of its own', () => {
    const url = visit.hops[2]?.url as URL
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'test-client',
      redirect_uri: `${chain.issuer}/login/oauth2/code/test-auth-server`,
      response_type: 'code',
      scope: 'openid profile',
      state: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/) as unknown,
      nonce: expect.stringMatching(RANDOM) as unknown,
      code_challenge: expect.stringMatching(RANDOM) as unknown,
      code_challenge_method: 'S256',
    })
    expect(url.searchParams.get('nonce')).not.toBe(request.nonce)
    expect(url.searchParams.get('state')).not.toContain(request.state)
    expect(url.searchParams.get('code_challenge')).not.toBe(
      request.url.searchParams.get('code_challenge'),
    )
  })

  it('comes back to the adapter with code, state and iss of the upstream, and to the app with its own', () => {
    const callback = visit.hops[6]?.url as URL
    expect([...callback.searchParams.keys()].sort()).toEqual(['code', 'iss', 'state'])
    expect(callback.searchParams.get('iss')).toBe(chain.upstreamIssuer)
    expect(visit.url.origin + visit.url.pathname).toBe(chain.app.redirectUri)
    expect(Object.fromEntries(visit.url.searchParams)).toEqual({
      code: expect.stringMatching(RANDOM) as unknown,
      state: request.state,
      iss: chain.issuer,
    })
  })

  it('sets the cookies of the design, and only at their hop', () => {
    const names = visit.hops
      .filter(({ url }) => url.origin === chain.issuer)
      .map(({ setCookies }) =>
        setCookies.map((each) => nameOf(each)?.replace(/(LOGIN_).+$/, '$1*')).sort(),
      )
    expect(names).toEqual([
      [
        'AUTH_ADAPTER_INTERACTION',
        'AUTH_ADAPTER_INTERACTION.sig',
        'AUTH_ADAPTER_LOGIN_*',
        'AUTH_ADAPTER_RESUME',
        'AUTH_ADAPTER_RESUME.sig',
      ],
      [],
      [],
      [
        'AUTH_ADAPTER_RESUME',
        'AUTH_ADAPTER_RESUME.sig',
        'AUTH_ADAPTER_SESSION',
        'AUTH_ADAPTER_SESSION.sig',
      ],
    ])
    for (const header of visit.hops
      .filter(({ url }) => url.origin === chain.issuer)
      .flatMap(({ setCookies }) => setCookies)) {
      expect(header).toMatch(/; httponly/i)
      expect(header).toMatch(/; samesite=lax/i)
    }
    expect(browser.cookie('AUTH_ADAPTER_SESSION')).toMatchObject({ path: '/' })
  })

  it('mints the access token of the design, header and claims', async () => {
    expect(tokens.status).toBe(200)
    expect(headerOf(tokens.body.access_token)).toEqual({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.any(String) as unknown,
    })
    const { payload } = await verified(tokens.body.access_token)
    const { acr: _acr, ...claims } = payload
    expect(claims).toEqual({
      ...CONTEXT,
      iss: chain.issuer,
      aud: 'client',
      sub: 'testuser',
      test_auth_server_sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      authorities: ['ROLE_USER'],
      scope: 'openid profile read',
      client_id: 'client',
      iat: expect.any(Number) as unknown,
      exp: (payload.iat ?? 0) + 300,
      jti: expect.any(String) as unknown,
    })
    expect(tokens.body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid profile read',
    })
    expect(tokens.body).not.toHaveProperty('refresh_token')
    expect(tokens.headers.get('cache-control')).toBe('no-store')
  })

  it('C01 the ID token carries iss, aud, exp, iat, sub, nonce and the same identity; userinfo has the same sub', async () => {
    const { payload } = await verified(tokens.body.id_token)
    const { acr: _acr, ...claims } = payload
    expect(claims).toEqual({
      ...CONTEXT,
      iss: chain.issuer,
      aud: 'client',
      sub: 'testuser',
      nonce: request.nonce,
      test_auth_server_sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      authorities: ['ROLE_USER'],
      iat: expect.any(Number) as unknown,
      exp: (payload.iat ?? 0) + 300,
    })
    const userinfo = await chain.app.userinfo(tokens.body.access_token)
    expect(userinfo.status).toBe(200)
    expect(await userinfo.json()).toEqual({
      sub: 'testuser',
      test_auth_server_sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      authorities: ['ROLE_USER'],
    })
  })

  it('C05 both tokens are signed with RS256 by a key that the JWKS names', async () => {
    const jwks = await fetchJwks()
    for (const token of [tokens.body.access_token, tokens.body.id_token]) {
      const { alg, kid } = headerOf(token)
      expect(alg).toBe('RS256')
      expect(jwks.keys.map((key) => key.kid)).toContain(kid)
    }
  })

  it('logs the flow under one id from the app’s request to the token', () => {
    const flows = ['login.started', 'login.finished', 'code.issued', 'token.issued'].map(
      (event) => chain.events(event)[0]?.['flow_id'],
    )
    expect(flows[0]).toEqual(expect.any(String))
    expect(new Set(flows).size).toBe(1)
  })

  it('waits for the storage at most 14 times in a whole login', () => {
    const trips = chain.events('request.done').map(({ storage, path }) => ({
      path,
      n: (storage as { round_trips?: number } | undefined)?.round_trips ?? 0,
    }))
    const first = trips.slice(0, trips.findIndex(({ path }) => path === '/oauth2/token') + 1)
    expect(first.length).toBeGreaterThanOrEqual(5)
    expect(first.reduce((sum, { n }) => sum + n, 0)).toBeLessThanOrEqual(14)
  })

  it('signs a second app on without a trip to the upstream, with tokens for that app alone', async () => {
    const second = chain.secondApp.request()
    const there = await browser.open(second.url)
    expect(there.hops.map(({ url, status }) => `${url.pathname} ${status}`)).toEqual([
      '/oauth2/authorize 302',
    ])
    const answer = await chain.secondApp.finish(there, second)
    const { payload } = await verified(answer.body.access_token)
    expect(payload).toMatchObject({
      aud: 'second-client',
      client_id: 'second-client',
      sub: 'testuser',
      authorities: ['ROLE_USER'],
    })
  })

  it('carries the identity of each person and no other', async () => {
    const ada = chain.newBrowser()
    const asked = chain.app.request()
    const answer = await chain.app.finish(await chain.signIn(ada, asked.url, 'ada'), asked)
    const { payload } = await verified(answer.body.access_token)
    expect(payload).toMatchObject({
      sub: 'user-0002',
      test_auth_server_sub: 'user-0002',
      preferred_username: 'ada',
      name: 'Ada Admin',
      authorities: ['ROLE_ADMIN', 'ROLE_USER'],
    })
  })

  async function fetchJwks(): Promise<JSONWebKeySet> {
    return (await (await fetch(`${chain.issuer}/oauth2/jwks`)).json()) as JSONWebKeySet
  }

  async function verified(token: string) {
    return jwtVerify(token, createLocalJWKSet(await fetchJwks()), { issuer: chain.issuer })
  }
})
