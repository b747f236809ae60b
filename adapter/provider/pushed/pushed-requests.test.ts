// Pushed authorization requests: the same checks as at the authorization endpoint, bound to who pushed, answered once.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { claimsOf, headerOf, type Parameters } from '../../test-support/app.ts'
import type { Browser } from '../../test-support/browser.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from '../../upstream/test-support/evil-idp.ts'
import { CLIENT, post, SECOND, type Answer } from '../endpoints/test-support/token-calls.ts'

const PUBLIC = 'public-client'
const PUBLIC_URI = 'http://127.0.0.1:8099/callback'
let idp: EvilIdp
const on = useChain(async () => {
  idp = await startEvilIdp()
  return {
    upstreams: { other: idp.issuer },
    config: {
      upstreams: { other: { context: { prompt_none: true } } },
      clients: {
        client: { refresh: {}, scope: 'openid profile read offline_access' },
        'second-client': { require_pushed_authorization_requests: true },
        [PUBLIC]: { redirect_uris: [PUBLIC_URI], scope: 'openid email' },
      },
    },
  }
})
afterAll(() => idp.close())
afterEach(() => void (idp.behaviour = {}))
const clock = useClock()

const formOf = (url: URL) => Object.fromEntries(url.searchParams)
const push = (
  form: Record<string, string>,
  credentials: readonly [string, string] | null = CLIENT,
) => post(on.chain, '/oauth2/par', form, credentials)

async function pushed(parameters: Parameters = {}) {
  const request = on.chain.app.request(parameters)
  const answer = await push(formOf(request.url))
  expect(answer.text).toContain('request_uri')
  return { ...request, answer, url: bringing(String(answer.body['request_uri'])) }
}

function bringing(requestUri: string, parameters: Record<string, string> = {}): URL {
  const url = new URL('/oauth2/authorize', on.chain.url)
  url.search = new URLSearchParams({
    client_id: 'client',
    request_uri: requestUri,
    ...parameters,
  }).toString()
  return url
}

/** What the app, or the person, is told; nothing is followed. */
async function told(url: URL, browser?: Browser): Promise<Record<string, string>> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: { accept: 'text/html', ...(browser && { cookie: browser.cookieHeader(url) }) },
  })
  const location = response.headers.get('location')
  if (location === null) return { status: String(response.status), page: await response.text() }
  return Object.fromEntries(new URL(location, on.chain.url).searchParams)
}

const fault = ({ status, body, headers }: Answer) => [
  status,
  body['error'],
  headers.get('content-type')?.split(';')[0],
]

describe('a pushed request', () => {
  it('is answered as if it had come with the browser', async () => {
    const { answer, ...request } = await pushed()
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toEqual({
      request_uri: expect.stringMatching(
        /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/,
      ) as unknown,
      expires_in: 60,
    })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    expect(visit.url.searchParams.get('state')).toBe(request.state)
    const { status, body } = await on.chain.app.finish(visit, request)
    expect(status).toBe(200)
    expect(headerOf(body.access_token)['typ']).toBe('at+jwt')
    expect(claimsOf(body.id_token)['nonce']).toBe(request.nonce)
    expect(body['scope']).toBe('openid profile read')
  })

  it('whatever stands beside it does not count', async () => {
    const request = await pushed({ scope: 'openid' })
    request.url.searchParams.set('scope', 'openid profile read')
    request.url.searchParams.set('state', 'another')
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    expect(visit.url.searchParams.get('state')).toBe(request.state)
    expect((await on.chain.app.finish(visit, request)).body['scope']).toBe('openid')
  })

  it('C32 is there again while the sign-in lasts, and C31 over with its answer', async () => {
    const request = await pushed()
    const browser = on.chain.newBrowser()
    expect((await browser.open(request.url)).url.pathname).toBe('/login')
    const visit = await on.chain.signIn(browser, request.url)
    expect(visit.url.searchParams.has('code')).toBe(true)
    expect(await told(request.url, browser)).toMatchObject({ status: '400' })
  })

  it('C31 is over after its minute', async () => {
    const { url } = await pushed()
    clock.advance(61)
    expect((await told(url))['status']).toBe('400')
  })

  it('C31 of two sign-ins that began in time one is answered, also when the minute is over', async () => {
    const request = await pushed()
    const [one, two] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const pages = [await one.open(request.url), await two.open(request.url)] as const
    clock.advance(120)
    const person = { username: 'testuser', password: 'password' }
    const first = await one.submit(pages[0], person)
    expect(first.url.searchParams.has('code')).toBe(true)
    const second = await two.submit(pages[1], person)
    expect(second.url.searchParams.has('code')).toBe(false)
  })

  it('C30 is bound to the app that pushed it', async () => {
    const { answer } = await pushed()
    const uri = String(answer.body['request_uri'])
    expect(await told(bringing(uri, { client_id: 'second-client' }))).toMatchObject({
      status: '400',
    })
  })

  it.each(['urn:ietf:params:oauth:request_uri:unknown', 'urn:ietf:params:oauth:request_uri:'])(
    'one that is not there: %s',
    async (uri) => expect((await told(bringing(uri)))['status']).toBe('400'),
  )

  it.each([undefined, 'second-client'])('names the app that pushes it, not %s', async (id) => {
    const { client_id: _, ...form } = formOf(on.chain.app.request().url)
    const answer = await push({ ...form, ...(id && { client_id: id }) } as Record<string, string>)
    expect(fault(answer)).toEqual([400, 'invalid_request', 'application/json'])
  })
})

describe('what must hold for a pushed request too', () => {
  const base = () => formOf(on.chain.app.request().url)
  const REFUSED: [name: string, change: Record<string, string>, error: string][] = [
    ['C29 method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['C29 no challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    [
      'a redirect URI that is not registered',
      { redirect_uri: 'https://evil.test/' },
      'invalid_request',
    ],
    ['response_type token', { response_type: 'token' }, 'invalid_request'],
    ['A48 a scope of another client', { scope: 'openid email' }, 'invalid_scope'],
    ['A48 a resource that is not its own', { resource: 'https://api.test/' }, 'invalid_target'],
    ['a request_uri in it', { request_uri: 'https://evil.test/r' }, 'request_uri_not_supported'],
    [
      'a request object of an app without keys',
      { request: 'eyJhbGciOiJub25lIn0.e30.' },
      'request_not_supported',
    ],
    ['an upstream that there is not', { idp_hint: 'nowhere' }, 'invalid_request'],
    ['unknown prompt', { prompt: 'dance' }, 'invalid_request'],
    ['a nonsense max_age', { max_age: 'soon' }, 'invalid_request'],
    ['claims no JSON', { claims: '{' }, 'invalid_request'],
  ]
  it.each(REFUSED)('%s', async (_name, change, error) => {
    const answer = await push({ ...base(), ...change })
    expect(fault(answer)).toEqual([400, error, 'application/json'])
  })

  it('a parameter given twice', async () => {
    const form = [...on.chain.app.request().url.searchParams, ['scope', 'openid']] as [
      string,
      string,
    ][]
    expect(fault(await post(on.chain, '/oauth2/par', form))).toEqual([
      400,
      'invalid_request',
      'application/json',
    ])
  })

  it.each([
    ['a wrong secret', ['client', 'wrong'] as const],
    ['an unknown app', ['nobody', 'secret'] as const],
    ['nobody', null],
  ])('%s pushes nothing', async (_name, credentials) => {
    const client_id = credentials?.[0] ?? 'client'
    const { status, body } = await push({ ...base(), client_id }, credentials)
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })

  it.each([17, 64])('%i kB are too much', async (kilobytes) => {
    const answer = await push({ ...base(), login_hint: 'x'.repeat(kilobytes * 1024) })
    expect(fault(answer)).toEqual([413, 'invalid_request', 'application/json'])
  })

  it('an error is JSON for a browser too, and nothing but POST is served', async () => {
    const headers = { accept: 'text/html' }
    const answer = await post(on.chain, '/oauth2/par', {}, CLIENT, headers)
    expect(fault(answer)).toEqual([400, 'invalid_request', 'application/json'])
    expect((await fetch(`${on.chain.url}/oauth2/par`)).status).toBe(404)
    expect((await fetch(`${on.chain.url}/oauth2/par/`, { method: 'POST' })).status).toBe(404)
  })

  it('an upstream hint leads where it says', async () => {
    const { url } = await pushed({ idp_hint: 'other' })
    const visit = await on.chain
      .newBrowser()
      .open(url, { stopBefore: ({ origin }) => origin === idp.issuer })
    expect(visit.url.origin).toBe(idp.issuer)
  })

  it('prompt=none is asked of the upstream without a page', async () => {
    const { url } = await pushed({ prompt: 'none', idp_hint: 'other' })
    const visit = await on.chain.newBrowser().open(url)
    const asked = visit.hops.find((hop) => hop.url.origin === idp.issuer)
    expect(asked?.url.searchParams.get('prompt')).toBe('none')
  })

  it('max_age=0 asks for a new sign-in upstream', async () => {
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    const visit = await browser.open((await pushed({ max_age: '0' })).url)
    expect(visit.url.pathname).toBe('/login')
    const asked = visit.hops.find(
      ({ url }) => url.origin === on.chain.upstreamIssuer && url.searchParams.has('client_id'),
    )
    expect(Object.fromEntries(asked?.url.searchParams ?? [])).toMatchObject({ prompt: 'login' })
  })

  it('offline_access is kept, with prompt=consent or without', async () => {
    const request = await pushed({ scope: 'openid offline_access' })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const { body } = await on.chain.app.finish(visit, request)
    expect(body['scope']).toBe('openid offline_access')
    expect(body['refresh_token']).toEqual(expect.any(String))
  })
})

describe('an app that must push', () => {
  it('a request that was not pushed is an invalid_request, and starts no sign-in', async () => {
    const { url } = on.chain.secondApp.request()
    const answer = await told(url)
    expect(answer).toMatchObject({ error: 'invalid_request', iss: on.chain.issuer })
    expect(answer).not.toHaveProperty('code')
  })

  it('one that was is answered', async () => {
    const { url } = on.chain.secondApp.request()
    const { body } = await push(formOf(url), SECOND)
    const bring = bringing(String(body['request_uri']), { client_id: 'second-client' })
    const visit = await on.chain.signIn(on.chain.newBrowser(), bring)
    expect(visit.url.searchParams.has('code')).toBe(true)
  })

  it('a public app pushes by its name alone', async () => {
    const form = {
      ...formOf(on.chain.app.request().url),
      client_id: PUBLIC,
      redirect_uri: PUBLIC_URI,
      scope: 'openid',
    }
    expect((await push(form, null)).status).toBe(201)
  })
})
