// Access tokens of somebody signed in, in each form and for each audience.
import { describe, expect, it } from 'vitest'
import { claimsOf, headerOf } from '../../test-support/app.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { login, post, resigned, SECOND } from './test-support/token-calls.ts'

const API: readonly [string, string] = ['api', 'api-secret']
const scope = 'openid profile read jobs:read'
const on = useChain({
  config: {
    clients: {
      client: { scope, access_token: { typ: 'JWT' } },
      'second-client': { scope, access_token: { format: 'opaque', ttl: '2m' } },
      api: { client_secret: 'api-secret', grant_types: ['client_credentials'] },
    },
    resources: {
      'https://jobs.test': { scope: 'jobs:read', resource_server: 'api', access_token: {} },
      'https://people.test': {
        scope: 'openid profile jobs:read',
        access_token: { typ: 'at+jwt', format: 'jwt', ttl: '1m' },
      },
    },
  },
})
const introspect = async (token: string, credentials?: readonly [string, string]) =>
  (await post(on.chain, '/oauth2/introspect', { token }, credentials)).body

describe('typ: JWT', () => {
  it('is what the header says, and userinfo and introspection take it', async () => {
    const { access_token: token } = await login(on.chain)
    expect(headerOf(token)['typ']).toBe('JWT')
    expect((await on.chain.app.userinfo(token)).status).toBe(200)
    expect(await introspect(token)).toMatchObject({ active: true })
  })

  it('A18 an ID token, of the same type, is no access token; the access token is no hint', async () => {
    const { access_token, id_token } = await login(on.chain)
    expect((await on.chain.app.userinfo(id_token)).status).toBe(401)
    expect(await introspect(id_token)).toEqual({ active: false })
    const hinted = await fetch(`${on.chain.url}/connect/logout?id_token_hint=${access_token}`)
    expect(hinted.status).toBe(400)
    const request = on.chain.app.request({ prompt: 'none', id_token_hint: access_token })
    const { url } = await on.chain.newBrowser().open(request.url)
    expect(url.searchParams.get('error')).toBe('invalid_request')
  })

  it('A18 for other clients and audiences it is no type of an access token', async () => {
    const { access_token: token } = await login(on.chain)
    const moved = await resigned(on.chain, token, { client_id: 'second-client' })
    expect((await on.chain.app.userinfo(moved)).status).toBe(401)
  })
})

describe('format: opaque', () => {
  const loginSecond = (parameters = {}, browser = on.chain.newBrowser()) =>
    login(on.chain, { scope, ...parameters }, browser, on.chain.secondApp)

  it('says nothing by itself; userinfo and introspection say all', async () => {
    const { access_token: token, expires_in } = await loginSecond()
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(expires_in).toBe(120)
    const userinfo = await on.chain.secondApp.userinfo(token)
    expect([userinfo.status, await userinfo.json()]).toEqual([
      200,
      expect.objectContaining({ sub: 'testuser', preferred_username: 'testuser' }),
    ])
    expect(await introspect(token, SECOND)).toMatchObject({
      active: true,
      sub: 'testuser',
      aud: 'second-client',
      client_id: 'second-client',
      scope,
      authorities: ['ROLE_USER'],
      auth_time: expect.any(Number) as unknown,
    })
    expect(await introspect(token)).toEqual({ active: false })
  })

  it('nothing of it is in the store to be presented', async () => {
    const { access_token: token } = await loginSecond()
    expect(await on.chain.driver.get(`AccessToken:${token}`)).toBeUndefined()
    expect((await on.chain.secondApp.userinfo(token.slice(0, -1))).status).toBe(401)
    expect((await on.chain.secondApp.userinfo(`${token}x`)).status).toBe(401)
  })

  it('A52 revoked it is over, and the other token of the grant lives', async () => {
    const browser = on.chain.newBrowser()
    const first = await loginSecond({}, browser)
    const request = on.chain.secondApp.request({ scope })
    const second = await on.chain.secondApp.finish(await browser.open(request.url), request)
    await post(on.chain, '/oauth2/revoke', { token: first.access_token })
    expect((await on.chain.secondApp.userinfo(first.access_token)).status).toBe(200)
    await post(on.chain, '/oauth2/revoke', { token: first.access_token }, SECOND)
    expect((await on.chain.secondApp.userinfo(first.access_token)).status).toBe(401)
    expect(await introspect(first.access_token, SECOND)).toEqual({ active: false })
    expect(await introspect(second.body.access_token, SECOND)).toMatchObject({ active: true })
  })

  it('A52 after logout it is over at once', async () => {
    const browser = on.chain.newBrowser()
    const { access_token, id_token } = await loginSecond({}, browser)
    const page = await browser.open(`${on.chain.url}/connect/logout?id_token_hint=${id_token}`)
    await browser.submit(page, { logout: 'yes' })
    expect((await on.chain.secondApp.userinfo(access_token)).status).toBe(401)
    expect(await introspect(access_token, SECOND)).toEqual({ active: false })
  })
})

describe('resources', () => {
  it('A18 a token for one service is none for another, nor for userinfo', async () => {
    const { access_token: token } = await login(on.chain, { scope, resource: 'https://jobs.test' })
    expect(claimsOf(token)).toMatchObject({
      aud: 'https://jobs.test',
      scope: 'jobs:read',
      sub: 'testuser',
    })
    expect(headerOf(token)['typ']).toBe('JWT')
    expect((await on.chain.app.userinfo(token)).status).toBe(401)
    expect(await introspect(token, API)).toMatchObject({ active: true, sub: 'testuser' })
    expect(await introspect(token, SECOND)).toEqual({ active: false })
  })

  it('who a person is goes into its tokens where its scope has it', async () => {
    const { access_token: token } = await login(on.chain, {
      scope,
      resource: 'https://people.test',
    })
    expect(headerOf(token)['typ']).toBe('at+jwt')
    expect(claimsOf(token)).toMatchObject({
      aud: 'https://people.test',
      scope: 'openid profile jobs:read',
      preferred_username: 'testuser',
    })
    expect((await on.chain.app.userinfo(token)).status).toBe(401)
  })

  it('two at the sign-in: the token request names one of them, and no third', async () => {
    const request = on.chain.app.request({ scope, resource: 'https://jobs.test' })
    request.url.searchParams.append('resource', 'https://people.test')
    const sign = async () =>
      (await on.chain.signIn(on.chain.newBrowser(), request.url)).url.searchParams.get('code') ?? ''
    const { verifier } = request
    const one = await on.chain.app.redeem(await sign(), {
      verifier,
      form: { resource: 'https://people.test' },
    })
    expect(claimsOf(one.body.access_token)['aud']).toBe('https://people.test')
    const third = await on.chain.app.redeem(await sign(), {
      verifier,
      form: { resource: 'https://nothing.test' },
    })
    expect([third.status, third.body['error']]).toEqual([400, 'invalid_target'])
  })

  it('an unknown one: invalid_target at the app', async () => {
    const request = on.chain.app.request({ resource: 'https://nothing.test' })
    const { url } = await on.chain.newBrowser().open(request.url)
    expect(url.origin).toBe('http://127.0.0.1:8080')
    expect(url.searchParams.get('error')).toBe('invalid_target')
  })
})
