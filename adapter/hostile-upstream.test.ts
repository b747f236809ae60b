// Several upstreams, one of which means harm to the others, to their people and to what is behind us.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { startChain, UPSTREAM, type Chain } from './test-support/chain.ts'
import { startEvilIdp, type Behaviour, type EvilIdp } from './upstream/test-support/evil-idp.ts'

type Json = Record<string, unknown>

let honest: EvilIdp
let evil: EvilIdp
let chain: Chain

beforeAll(async () => {
  ;[honest, evil] = await Promise.all([startEvilIdp(), startEvilIdp()])
})
afterAll(() => Promise.all([honest.close(), evil.close()]))

beforeEach(async () => {
  for (const idp of [honest, evil]) {
    idp.behaviour = {}
    idp.requests.length = 0
  }
  const settings = { userinfo: 'always', claims: { contact: 'email', groups: 'groups' } }
  chain = await startChain({
    storage: 'sqlite',
    upstreams: { honest: honest.issuer, evil: evil.issuer },
    config: { upstreams: { honest: settings, evil: settings } },
  })
})
afterEach(() => chain.close())

async function loginAt(upstream: string, browser = chain.newBrowser()) {
  const request = chain.app.request({ upstream })
  return { request, browser, visit: await browser.open(request.url) }
}

async function claimsAt(upstream: string): Promise<{ access: Json; id: Json }> {
  const { request, visit } = await loginAt(upstream)
  const { body } = await chain.app.finish(visit, request)
  return { access: claimsOf(body.access_token), id: claimsOf(body.id_token) }
}

const errorOf = ({ url }: Visit) => url.searchParams.get('error')
const isSignedIn = async (browser: Browser) =>
  (await browser.open(chain.app.request({ prompt: 'none' }).url)).url.searchParams.has('code')
const tokenRequests = () => [honest, evil].map((idp) => idp.count('POST /token'))

describe('A01 mix-up: an upstream whose metadata sends the browser to another one', () => {
  const sendingTo =
    (issuer: string, more: Json): NonNullable<Behaviour['discovery']> =>
    (document) => ({ ...document, authorization_endpoint: `${issuer}/authorize`, ...more })

  it.each([
    ['and promises to name itself', {}],
    ['and promises nothing', { authorization_response_iss_parameter_supported: undefined }],
  ])('%s: it is not given the code of the other', async (_name, more) => {
    evil.behaviour = { discovery: sendingTo(honest.issuer, more) }
    const { browser, visit } = await loginAt('evil')
    expect(honest.count('GET /authorize')).toBe(1)
    expect(errorOf(visit)).toBe('server_error')
    expect(tokenRequests()).toEqual([0, 0])
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('that names nobody in its answers: our callback for one is not registered at the other', async () => {
    const authorization_endpoint = `${chain.upstreamIssuer}/oauth2/authorize`
    evil.behaviour = { discovery: (document) => ({ ...document, authorization_endpoint }) }
    const { browser, visit } = await loginAt('evil')
    expect([visit.url.origin, visit.status]).toEqual([chain.upstreamIssuer, 400])
    expect(tokenRequests()).toEqual([0, 0])
    expect(await isSignedIn(browser)).toBe(false)
  })
})

describe('A14 account takeover by e-mail address (CVE-2023-3128, nOAuth)', () => {
  const email = 'testuser@example.com'
  const sayings: [name: string, claims: Json][] = [
    ['verified', { email, email_verified: true }],
    ['not verified', { email, email_verified: false }],
    ['verified as text', { email, email_verified: 'true' }],
    ['verified as a number', { email, email_verified: 1 }],
    ['without a word on it', { email }],
    ['in other case', { email: email.toUpperCase(), email_verified: true }],
  ]
  it.each(sayings)('the address of a person of another upstream, %s', async (_name, claims) => {
    const victim = await claimsAt('honest')
    expect(victim.access).toMatchObject({ sub: 'honest:testuser', contact: email })
    const whoever = { sub: 'mallory', ...claims }
    evil.behaviour = { claims: (own) => ({ ...own, ...whoever }), userinfo: () => whoever }
    const attacker = await claimsAt('evil')
    expect(attacker.access).toMatchObject({ sub: 'evil:mallory', contact: claims['email'] })
    expect(attacker.id['sub']).toBe('evil:mallory')
    expect((await claimsAt('honest')).access['sub']).toBe('honest:testuser')
  })
})

describe('A19 userinfo contradicts the ID token', () => {
  it('the ID token wins for every claim it has (CVE-2025-3879)', async () => {
    const signed = {
      name: 'Test User',
      roles: ['user'],
      groups: ['staff'],
      acr: 'low',
      amr: ['pwd'],
    }
    honest.behaviour = {
      claims: (own) => ({ ...own, ...signed }),
      userinfo: (own) => ({
        ...(own as Json),
        iss: evil.issuer,
        aud: 'somebody',
        name: 'Admin',
        roles: ['admin'],
        groups: ['admins'],
        acr: 'high',
        amr: ['hwk'],
        auth_time: 1,
      }),
    }
    const { access, id } = await claimsAt('honest')
    expect(access).toMatchObject({
      iss: chain.issuer,
      sub: 'honest:testuser',
      name: 'Test User',
      authorities: ['ROLE_USER'],
      groups: ['staff'],
      // Only here: what the ID token does not say.
      contact: 'testuser@example.com',
    })
    expect(JSON.stringify([access, id])).not.toMatch(/admin|"high"|hwk|somebody/i)
    expect(id['auth_time']).not.toBe(1)
  })
})

describe('A17 an upstream is taken out while people sign in there (CVE-2025-64717)', () => {
  it('its callback is refused, no code is redeemed, nobody is signed in', async () => {
    const browser = chain.newBrowser()
    const request = chain.app.request({ upstream: 'evil' })
    const { url } = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname === '/login/oauth2/code/evil',
    })
    delete chain.config.upstreams['evil']
    await chain.restart()
    const late = await browser.open(url)
    expect(late.status).toBe(404)
    expect(tokenRequests()).toEqual([0, 0])
    expect(await isSignedIn(browser)).toBe(false)
    // The same state brought to an upstream that is still there.
    const moved = await browser.open(url.href.replace('/code/evil', '/code/honest'))
    expect(moved.status).toBe(400)
    expect(tokenRequests()).toEqual([0, 0])
  })
})

describe('A28 A29 nobody makes us connect to where they want', () => {
  let inner: Server
  let connections = 0
  const at = (path: string) => `http://127.0.0.1:${(inner.address() as AddressInfo).port}/${path}`

  beforeAll(async () => {
    inner = createServer((_request, response) => void response.end('{}'))
    inner.on('connection', () => (connections += 1))
    await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise((resolve) => inner.close(resolve)))
  beforeEach(() => void (connections = 0))

  it.each(['request_uri', 'jwks_uri', 'sector_identifier_uri', 'logo_uri', 'registration'])(
    'an app by %s in its request (CVE-2020-10770)',
    async (name) => {
      const request = chain.app.request({ [name]: at('request'), upstream: 'honest' })
      await chain.newBrowser().open(request.url)
      const form = { [name]: at('token'), backchannel_logout_uri: at('logout') }
      await chain.app.redeem('no-code', { form })
      expect(connections).toBe(0)
    },
  )

  it('an app cannot register itself with URLs of its own (CVE-2021-26715)', async () => {
    for (const path of ['/oauth2/register', '/reg', '/register', '/connect/register']) {
      const body = { redirect_uris: [at('cb')], logo_uri: at('logo'), jwks_uri: at('jwks') }
      const { status } = await fetch(chain.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      expect(status, path).toBe(404)
    }
    expect(connections).toBe(0)
  })

  it.each(['/.well-known/openid-configuration', '/jwks', '/token', '/userinfo'])(
    'an upstream by a redirect from its %s',
    async (path) => {
      for (const status of [301, 302, 303, 307, 308]) {
        evil.behaviour = {
          answer: {
            [path]: (_request, response) =>
              response.writeHead(status, { location: at('redirected') }).end(),
          },
        }
        const { browser, visit } = await loginAt('evil')
        expect(visit.status === 502 || errorOf(visit) !== null, `${status}`).toBe(true)
        expect(await isSignedIn(browser)).toBe(false)
      }
      expect(connections).toBe(0)
    },
  )

  it.each([
    ['jku', (url: string) => ({ jku: url })],
    ['x5u', (url: string) => ({ x5u: url })],
    ['kid', (url: string) => ({ kid: url })],
  ])('an upstream by %s in the header of its ID token', async (_name, more) => {
    evil.behaviour = { header: (own) => ({ ...own, ...more(at('keys')) }) }
    await loginAt('evil')
    expect(connections).toBe(0)
  })

  it('the control: who is connected to is counted', async () => {
    await fetch(at('control'))
    expect(connections).toBe(1)
  })
})

it('one upstream that does harm is no harm to a login at another', async () => {
  evil.behaviour = { idToken: () => 'x.y.z' }
  expect(errorOf((await loginAt('evil')).visit)).toBe('server_error')
  const request = chain.app.request({ upstream: UPSTREAM })
  const visit = await chain.signIn(chain.newBrowser(), request.url)
  expect((await chain.app.finish(visit, request)).status).toBe(200)
})
