// prompt=none through the whole chain: asked of the upstream where the settings allow it, and never a page on the way.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startEvilIdp, type Behaviour, type EvilIdp } from '../../upstream/test-support/evil-idp.ts'
import { claimsOf, type AuthorizationRequest, type Parameters } from '../../test-support/app.ts'
import type { Browser, NavigateOptions, Visit } from '../../test-support/browser.ts'
import { useChain } from '../../test-support/use-chain.ts'

let idp: EvilIdp
let loud: EvilIdp
const on = useChain(async () => {
  ;[idp, loud] = await Promise.all([startEvilIdp(), startEvilIdp()])
  const acr = { strong: { acr_values: 'phr', proven_by: { acr: ['phr'] } } }
  return {
    upstreams: { silent: idp.issuer, loud: loud.issuer },
    config: {
      default_upstream: 'silent',
      upstreams: { silent: { context: { prompt_none: true, acr } } },
      clients: {
        chooses: {
          redirect_uris: ['http://127.0.0.1:8082/cb'],
          upstreams: ['loud', 'test-auth-server'],
          pkce: 'required',
        },
        native: { redirect_uris: ['http://127.0.0.1:8083/cb'], scope: 'openid' },
      },
    },
  }
})
afterAll(() => Promise.all([idp.close(), loud.close()]))
afterEach(() => {
  idp.behaviour = {}
  loud.behaviour = {}
})

interface Silent {
  request: AuthorizationRequest
  visit: Visit
  answer: Record<string, string>
  asked: URLSearchParams | undefined
  trips: number
}

async function silent(
  parameters: Parameters = {},
  { browser = on.chain.newBrowser(), ...options }: { browser?: Browser } & NavigateOptions = {},
): Promise<Silent> {
  const request = on.chain.app.request({ prompt: 'none', ...parameters })
  const visit = await browser.open(request.url, options)
  const trips = visit.hops.filter(({ url }) => url.pathname === '/authorize')
  expect(visit.hops.every(({ status }) => status === 302)).toBe(true)
  const answer = Object.fromEntries(visit.url.searchParams)
  expect(answer).toMatchObject({ state: request.state, iss: on.chain.issuer })
  return { request, visit, answer, asked: trips[0]?.url.searchParams, trips: trips.length }
}

const says = (claims: Record<string, unknown>): Behaviour => ({
  claims: (own) => ({ ...own, ...claims }),
})
const refuses = (error: string): Behaviour => ({
  response: (parameters) => {
    parameters.delete('code')
    parameters.set('error', error)
  },
})

describe('prompt=none and nobody signed in here', () => {
  it('the upstream is asked with prompt=none, and a code comes back without a page', async () => {
    const { request, visit, asked, trips } = await silent()
    expect([asked?.get('prompt'), trips]).toEqual(['none', 1])
    const { body } = await on.chain.app.finish(visit, request)
    expect(claimsOf(body.id_token)).toMatchObject({ sub: 'silent:testuser', nonce: request.nonce })
  })

  it.each([
    'login_required',
    'interaction_required',
    'consent_required',
    'account_selection_required',
    'access_denied',
    'temporarily_unavailable',
  ])('%s of the upstream is the answer to the app', async (error) => {
    idp.behaviour = refuses(error)
    const { answer, trips } = await silent()
    expect([answer['error'], trips]).toEqual([error, 1])
    expect(answer).not.toHaveProperty('code')
  })

  it('C13 where the settings do not allow it: login_required at once, and no trip', async () => {
    const { answer, visit } = await silent({ upstream: 'loud' })
    expect([answer['error'], visit.hops.length]).toEqual(['login_required', 1])
  })

  it('where a person would have to choose: login_required at once', async () => {
    const { answer, visit } = await silent({
      client_id: 'chooses',
      redirect_uri: 'http://127.0.0.1:8082/cb',
      scope: 'openid',
    })
    expect([answer['error'], visit.hops.length]).toEqual(['login_required', 1])
  })

  it('in a frame of another site, where no cookie of ours is kept: login_required at once', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }
    const { answer, visit } = await silent({}, { headers })
    expect([answer['error'], visit.hops.length]).toEqual(['login_required', 1])
    const sameSite = { 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'iframe' }
    expect((await silent({}, { headers: sameSite })).answer).toHaveProperty('code')
    const topLevel = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }
    expect((await silent({}, { headers: topLevel })).answer).toHaveProperty('code')
  })

  it('a browser that keeps no cookies: login_required at the app, no page', async () => {
    const request = on.chain.app.request({ prompt: 'none' })
    const { url } = await on.chain.newBrowser().open(request.url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorization/'),
    })
    const answer = await fetch(url, { redirect: 'manual' })
    expect(answer.status).toBe(302)
    const app = new URL(answer.headers.get('location') ?? '')
    expect(app.origin + app.pathname).toBe(on.chain.app.redirectUri)
    expect(Object.fromEntries(app.searchParams)).toEqual({
      error: 'login_required',
      error_description: expect.any(String) as unknown,
      iss: on.chain.issuer,
      state: request.state,
    })
  })

  it('a login that is not silent still gets its page there', async () => {
    const { url } = await on.chain.newBrowser().open(on.chain.app.request().url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorization/'),
    })
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(400)
  })

  it('F02 the upstream fails: temporarily_unavailable at the app, no page', async () => {
    idp.behaviour = {
      answer: { '/token': (_request, response) => response.writeHead(503).end() },
    }
    expect((await silent()).answer['error']).toBe('temporarily_unavailable')
    idp.behaviour = {
      answer: {
        '/token': (_request, response) =>
          response
            .writeHead(400, { 'content-type': 'application/json' })
            .end('{"error":"invalid_grant"}'),
      },
    }
    expect((await silent()).answer['error']).toBe('temporarily_unavailable')
  })

  it('A49 a sign-in that is too weak or too old: login_required, since a page could help', async () => {
    const old = Math.floor(Date.now() / 1000) - 4000
    idp.behaviour = says({ acr: 'pwd', auth_time: old })
    expect((await silent({ acr_values: 'strong' })).answer['error']).toBe('login_required')
    expect((await silent({ max_age: '60' })).answer['error']).toBe('login_required')
    idp.behaviour = says({ acr: 'phr' })
    const { asked, answer } = await silent({ acr_values: 'strong', max_age: '60' })
    expect(asked?.get('acr_values')).toBe('phr')
    expect(answer).toHaveProperty('code')
  })

  it('a native app, whose person has to act: interaction_required (RFC 8252, section 8.6)', async () => {
    const native = {
      client_id: 'native',
      redirect_uri: 'http://127.0.0.1:8083/cb',
      scope: 'openid',
    }
    for (let times = 0; times < 2; times += 1)
      expect((await silent(native)).answer['error']).toBe('interaction_required')
    const browser = on.chain.newBrowser()
    await silent({}, { browser })
    expect((await silent(native, { browser })).answer['error']).toBe('interaction_required')
  })

  it('C18 another person than in id_token_hint: login_required, and no session', async () => {
    const { request, visit } = await silent()
    const { body } = await on.chain.app.finish(visit, request)
    idp.behaviour = { ...says({ sub: 'ada' }) }
    const browser = on.chain.newBrowser()
    const hinted = await silent({ id_token_hint: body.id_token }, { browser })
    expect(hinted.answer['error']).toBe('login_required')
    expect((await silent({ upstream: 'loud' }, { browser })).answer['error']).toBe('login_required')
  })

  it('prompt=none beside another prompt is refused as ever', async () => {
    const { answer } = await silent({ prompt: 'none login' })
    expect(answer['error']).toBe('invalid_request')
  })
})

describe('prompt=none and somebody signed in here', () => {
  it('C14 is answered here, without a trip', async () => {
    const browser = on.chain.newBrowser()
    await silent({}, { browser })
    const { trips, answer, visit } = await silent({}, { browser })
    expect([trips, visit.hops.length]).toEqual([0, 1])
    expect(answer).toHaveProperty('code')
  })

  it('a session too old is renewed without a page; of another person it is not', async () => {
    const browser = on.chain.newBrowser()
    idp.behaviour = says({ auth_time: Math.floor(Date.now() / 1000) - 4000 })
    await silent({}, { browser })
    idp.behaviour = {}
    const renewed = await silent({ max_age: '600' }, { browser })
    expect([renewed.trips, renewed.asked?.get('prompt')]).toEqual([1, 'none'])
    expect(renewed.answer).toHaveProperty('code')

    const other = on.chain.newBrowser()
    idp.behaviour = says({ auth_time: Math.floor(Date.now() / 1000) - 4000 })
    await silent({}, { browser: other })
    idp.behaviour = says({ sub: 'ada' })
    expect((await silent({ max_age: '600' }, { browser: other })).answer['error']).toBe(
      'login_required',
    )
    idp.behaviour = {}
    const { request, visit } = await silent({}, { browser: other })
    const { body } = await on.chain.app.finish(visit, request)
    expect(claimsOf(body.id_token)['sub']).toBe('silent:testuser')
  })
})

it('an app can not set what is ours: a marker of the request is dropped', async () => {
  const request = on.chain.app.request({
    upstream: 'loud',
    adapter_prompt_none: '1',
    adapter_max_age_zero: '1',
  })
  loud.behaviour = says({ auth_time: 1 })
  const visit = await on.chain.newBrowser().open(request.url)
  const trip = visit.hops.find(({ url }) => url.pathname === '/authorize')
  expect(['prompt', 'max_age'].filter((name) => trip?.url.searchParams.has(name))).toEqual([])
  expect(visit.url.searchParams.has('code')).toBe(true)
})
