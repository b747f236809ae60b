// The `claims` parameter through the chain: what is asked of userinfo and of the ID token, and what is not told all the same.
import { describe, expect, it } from 'vitest'
import { claimsOf, type Parameters } from '../../test-support/app.ts'
import type { Browser } from '../../test-support/browser.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { post } from '../endpoints/test-support/token-calls.ts'

const OPAQUE = ['opaque', 'opaque-secret'] as const
const URI = 'http://127.0.0.1:8082/callback'
const on = useChain({
  config: {
    upstreams: {
      'test-auth-server': {
        scope: 'openid profile email',
        claims: { email: 'email', email_verified: 'email_verified' },
      },
    },
    clients: {
      client: { refresh: { when: 'always' } },
      [OPAQUE[0]]: {
        client_secret: OPAQUE[1],
        redirect_uris: [URI],
        scope: 'openid profile',
        access_token: { format: 'opaque' },
      },
    },
  },
})

const asking = (claims: unknown, change: Parameters = {}) =>
  on.chain.app.request({ scope: 'openid', claims: JSON.stringify(claims), ...change })

async function tokens(claims: unknown, browser: Browser = on.chain.newBrowser()) {
  const request = asking(claims)
  const page = await browser.open(request.url)
  const person = { username: 'testuser', password: 'password' }
  const visit = page.url.pathname === '/login' ? await browser.submit(page, person) : page
  const { body } = await on.chain.app.finish(visit, request)
  const told = await userinfo(body.access_token)
  const refreshToken = String(body['refresh_token'])
  return { ...body, refreshToken, told, id: claimsOf(body.id_token) }
}

async function userinfo(token: string) {
  return (await (await on.chain.app.userinfo(token)).json()) as Record<string, unknown>
}

describe('the claims parameter', () => {
  it.each([
    null,
    {},
    { essential: true },
    { essential: false },
    { value: 'somebody else' },
    { values: ['a'] },
  ])('C26 name as %j: told as it is, where it was asked for', async (name) => {
    const { told, id } = await tokens({
      userinfo: { name },
      id_token: { preferred_username: name },
    })
    expect(told).toMatchObject({ sub: 'testuser', name: 'testuser' })
    expect(told).not.toHaveProperty('preferred_username')
    expect(id).toMatchObject({ sub: 'testuser', preferred_username: 'testuser' })
    expect(id).not.toHaveProperty('name')
  })

  it('C26 an essential claim that nobody has is left out, and is no error', async () => {
    const { told, id } = await tokens({
      userinfo: { phone_number: { essential: true } },
      id_token: { made_up: { essential: true } },
    })
    expect(told['sub']).toBe('testuser')
    expect(told).not.toHaveProperty('phone_number')
    expect(id).not.toHaveProperty('made_up')
  })

  it('A48 nothing beyond the scopes of the app, wherever it asks', async () => {
    const email = { email: { essential: true }, email_verified: null }
    const { told, id, access_token } = await tokens({ userinfo: email, id_token: email })
    for (const claims of [told, id, claimsOf(access_token)]) {
      expect(claims).not.toHaveProperty('email')
      expect(claims).not.toHaveProperty('email_verified')
    }
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'iss', 'aud', 'exp', 'upstream'])(
    'A41 a claim named %s is nothing of the person',
    async (name) => {
      const claims = `{"userinfo":{"${name}":null},"id_token":{"${name}":null}}`
      const request = on.chain.app.request({ scope: 'openid', claims })
      const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
      const { status, body } = await on.chain.app.finish(visit, request)
      expect(status).toBe(200)
      expect(Object.hasOwn(await userinfo(body.access_token), name)).toBe(false)
      expect(claimsOf(body.id_token)).toMatchObject({ iss: on.chain.issuer, aud: 'client' })
    },
  )

  it('A48 is asked for by one request, and not given to the next one of the session', async () => {
    const browser = on.chain.newBrowser()
    const first = await tokens({ userinfo: { name: null } }, browser)
    const second = await tokens({ userinfo: { preferred_username: null } }, browser)
    expect(first.told).toHaveProperty('name')
    expect(second.told).toHaveProperty('preferred_username')
    expect(second.told).not.toHaveProperty('name')
    expect(await userinfo(first.access_token)).not.toHaveProperty('preferred_username')
  })

  it('lasts with the refresh token of its request', async () => {
    const first = await tokens({ userinfo: { name: null }, id_token: { preferred_username: null } })
    const form = { grant_type: 'refresh_token', refresh_token: first.refreshToken }
    const { body } = await post(on.chain, '/oauth2/token', form)
    expect(await userinfo(String(body['access_token']))).toHaveProperty('name', 'testuser')
    expect(claimsOf(String(body['id_token']))).toHaveProperty('preferred_username', 'testuser')
  })

  it('F10 names that nobody has, or the app may not have, are not carried in its tokens', async () => {
    const made = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`made_up_${i}`, null]))
    const { access_token } = await tokens({ userinfo: { ...made, email: null, name: null } })
    expect(claimsOf(access_token)['userinfo_claims']).toEqual(['name'])
  })

  it('is remembered by opaque tokens too', async () => {
    const change = { client_id: OPAQUE[0], redirect_uri: URI }
    const request = asking({ userinfo: { name: null } }, change)
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const { body } = await on.chain.app.redeem(visit.url.searchParams.get('code') ?? '', {
      verifier: request.verifier,
      redirectUri: URI,
      credentials: { clientId: OPAQUE[0], secret: OPAQUE[1] },
    })
    expect(await userinfo(body.access_token)).toHaveProperty('name', 'testuser')
  })

  it('works pushed', async () => {
    const request = asking({ userinfo: { name: { essential: true } } })
    const pushed = await post(on.chain, '/oauth2/par', Object.fromEntries(request.url.searchParams))
    const url = new URL('/oauth2/authorize', on.chain.url)
    const query = { client_id: 'client', request_uri: String(pushed.body['request_uri']) }
    url.search = new URLSearchParams(query).toString()
    const visit = await on.chain.signIn(on.chain.newBrowser(), url)
    const { body } = await on.chain.app.finish(visit, request)
    expect(await userinfo(body.access_token)).toHaveProperty('name', 'testuser')
  })
})

describe('a certain person asked for (sub with a value)', () => {
  const only = (value: string) => ({ id_token: { sub: { value } } })

  it('is signed in, or found signed in', async () => {
    const browser = on.chain.newBrowser()
    expect((await tokens(only('testuser'), browser)).id['sub']).toBe('testuser')
    const again = await browser.open(asking(only('testuser')).url)
    expect(again.url.searchParams.has('code')).toBe(true)
  })

  it('is not somebody else: no code, no token, and no end of redirects', async () => {
    const browser = on.chain.newBrowser()
    const request = asking(only('somebody-else'))
    const page = await browser.open(request.url)
    const person = { username: 'testuser', password: 'password' }
    const visit = await browser.submit(page, person)
    expect(Object.fromEntries(visit.url.searchParams)).toMatchObject({
      error: 'login_required',
      state: request.state,
    })
    const silent = await browser.open(asking(only('somebody-else'), { prompt: 'none' }).url)
    expect(silent.url.searchParams.get('error')).toBe('login_required')
  })
})
