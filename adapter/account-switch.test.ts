// Another person signs in at the upstream than this browser's session knows, through the chain: the old session and all that
// hangs on it end, its apps are told, and the new one is nobody else's.
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf, type App, type Parameters, type TokenAnswer } from './test-support/app.ts'
import { formOf, type Browser, type Visit } from './test-support/browser.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const OFFLINE = 'openid profile read offline_access'
const FRAME = 'http://127.0.0.1:8081/logout/frontchannel'
let receiver: LogoutReceiver
let idp: EvilIdp
const on = useChain(async () => {
  ;[receiver, idp] = await Promise.all([startLogoutReceiver(), startEvilIdp()])
  return {
    storage: 'sqlite',
    upstreams: { other: idp.issuer },
    config: {
      session: { idle: '8h', absolute: '12h' },
      upstreams: { other: { context: { prompt_none: true } } },
      clients: {
        client: { scope: OFFLINE, refresh: {}, backchannel_logout_uri: receiver.uri },
        'second-client': { scope: OFFLINE, refresh: {}, frontchannel_logout_uri: FRAME },
      },
    },
  }
})
const clock = useClock()
afterAll(() => Promise.all([receiver.close(), idp.close()]))
beforeEach(() => void (receiver.tokens.length = 0))
afterEach(() => void (idp.behaviour = {}))

type Tokens = TokenAnswer['body'] & { refresh_token: string }

/** Whom the second upstream signs in from now on, without a page. */
const nowIs = (sub: string) =>
  void (idp.behaviour = { claims: (claims) => ({ ...claims, sub, preferred_username: sub }) })
const answerOf = ({ url }: Visit) => Object.fromEntries(url.searchParams)

async function tokensFor(app: App, browser: Browser, parameters: Parameters = {}): Promise<Tokens> {
  const request = app.request({ scope: OFFLINE, ...parameters })
  return (await app.finish(await browser.open(request.url), request)).body as Tokens
}

async function signedIn(username = 'testuser'): Promise<{ browser: Browser; tokens: Tokens }> {
  const browser = on.chain.newBrowser()
  const request = on.chain.app.request({ scope: OFFLINE })
  const visit = await on.chain.signIn(browser, request.url, username)
  return { browser, tokens: (await on.chain.app.finish(visit, request)).body as Tokens }
}

/** Signed in without a page by the second upstream. */
async function passed(sub: string): Promise<{ browser: Browser; tokens: Tokens }> {
  const browser = on.chain.newBrowser()
  nowIs(sub)
  return { browser, tokens: await tokensFor(on.chain.app, browser, { upstream: 'other' }) }
}

/** The page between two persons, and what follows: also the one with the frames of apps. */
async function throughTheSwitch(browser: Browser, page: Visit): Promise<Visit> {
  expect(formOf(page).action.pathname).toBe('/connect/logout/confirm')
  const next = await browser.submit(page)
  const [, href] = /<a class="button" href="([^"]+)"/.exec(next.body) ?? []
  return href === undefined ? next : browser.open(href.replaceAll('&amp;', '&'))
}

async function refreshed({ clientId, redeem }: App, refresh_token: string): Promise<unknown> {
  const form = { grant_type: 'refresh_token', code: undefined, refresh_token }
  const { status, body } = await redeem('', { redirectUri: undefined, form })
  return status === 200 ? `200 ${clientId}` : body['error']
}

const isAlive = async (token: string) => (await on.chain.app.userinfo(token)).status === 200
const sidOf = ({ id_token }: Tokens) => String(claimsOf(id_token)['sid'])
async function whoIs(browser: Browser): Promise<unknown> {
  const request = on.chain.app.request({ prompt: 'none' })
  const visit = await browser.open(request.url)
  if (!visit.url.searchParams.has('code')) return visit.url.searchParams.get('error')
  return claimsOf((await on.chain.app.finish(visit, request)).body.id_token)['sub']
}

describe('A08 another person, by prompt=login', () => {
  it('the old session ends with the tokens of every app in it, each is told by its way, and the new one is whole', async () => {
    const { browser, tokens } = await signedIn()
    const framed = await tokensFor(on.chain.secondApp, browser)
    const pending = on.chain.secondApp.request({ scope: OFFLINE })
    const notRedeemed = await browser.open(pending.url)

    const request = on.chain.app.request({ prompt: 'login', scope: OFFLINE })
    const page = await on.chain.signIn(browser, request.url, 'ada')
    const frames = await browser.submit(page)
    const told = new URL(FRAME)
    told.search = new URLSearchParams({ iss: on.chain.issuer, sid: sidOf(framed) }).toString()
    expect(frames.body).toContain(`<iframe src="${told.href.replaceAll('&', '&amp;')}"`)
    const [, way = ''] = /<a class="button" href="([^"]+)"/.exec(frames.body) ?? []
    const done = await browser.open(way)
    const ada = (await on.chain.app.finish(done, request)).body as Tokens
    expect(claimsOf(ada.id_token)).toMatchObject({ sub: 'user-0002', nonce: request.nonce })

    await receiver.received(1)
    expect(claimsOf(receiver.tokens[0] ?? '')).toMatchObject({
      aud: 'client',
      sub: 'testuser',
      sid: sidOf(tokens),
    })
    expect(sidOf(ada)).not.toBe(sidOf(tokens))
    for (const each of [tokens, framed]) expect(await isAlive(each.access_token)).toBe(false)
    expect(await refreshed(on.chain.app, tokens.refresh_token)).toBe('invalid_grant')
    expect(await refreshed(on.chain.secondApp, framed.refresh_token)).toBe('invalid_grant')
    expect((await on.chain.secondApp.finish(notRedeemed, pending)).body['error']).toBe(
      'invalid_grant',
    )
    expect(await isAlive(ada.access_token)).toBe(true)
    expect(await refreshed(on.chain.app, ada.refresh_token)).toBe('200 client')
    const second = await tokensFor(on.chain.secondApp, browser)
    expect(claimsOf(second.id_token)['sub']).toBe('user-0002')
    expect(receiver.tokens).toHaveLength(1)
  })

  it('the same person again: the session and its tokens go on, and nobody is told', async () => {
    const { browser, tokens } = await signedIn()
    const request = on.chain.app.request({ prompt: 'login', scope: OFFLINE })
    const visit = await on.chain.signIn(browser, request.url)
    const again = (await on.chain.app.finish(visit, request)).body as Tokens
    expect(sidOf(again)).toBe(sidOf(tokens))
    expect([await isAlive(tokens.access_token), await isAlive(again.access_token)]).toEqual([
      true,
      true,
    ])
    expect(await on.chain.driver.members('logout-deliveries')).toEqual([])
    expect(receiver.tokens).toEqual([])
  })

  it('with an id_token_hint of the one before: login_required, nothing ends, and that person can still come back', async () => {
    const { browser, tokens } = await signedIn()
    const hinted = { prompt: 'login', id_token_hint: tokens.id_token }
    const request = on.chain.app.request(hinted)
    const refused = await on.chain.signIn(browser, request.url, 'ada')
    expect(answerOf(refused)).toMatchObject({ error: 'login_required', state: request.state })
    expect(await isAlive(tokens.access_token)).toBe(true)
    expect(await whoIs(browser)).toBe('testuser')
    expect(receiver.tokens).toEqual([])
    const again = on.chain.app.request(hinted)
    const done = await on.chain.signIn(browser, again.url)
    expect((await on.chain.app.finish(done, again)).status).toBe(200)
  })

  it('with an id_token_hint of the one who comes: a clean switch', async () => {
    const ada = await signedIn('ada')
    const { browser, tokens } = await signedIn()
    const request = on.chain.app.request({ id_token_hint: ada.tokens.id_token })
    const done = await throughTheSwitch(browser, await on.chain.signIn(browser, request.url, 'ada'))
    const { body } = await on.chain.app.finish(done, request)
    expect(claimsOf(body.id_token)['sub']).toBe('user-0002')
    await receiver.received(1)
    expect([await isAlive(tokens.access_token), await isAlive(ada.tokens.access_token)]).toEqual([
      false,
      true,
    ])
  })

  it('the person who turns back at that page stays who they were', async () => {
    const { browser, tokens } = await signedIn()
    const request = on.chain.app.request({ prompt: 'login' })
    await on.chain.signIn(browser, request.url, 'ada')
    expect(await whoIs(browser)).toBe('testuser')
    expect(await isAlive(tokens.access_token)).toBe(true)
    expect(receiver.tokens).toEqual([])
  })
})

describe('A08 another person, by other ways', () => {
  it.each([
    ['prompt=select_account', { prompt: 'select_account' }],
    ['prompt=login select_account', { prompt: 'login select_account' }],
    ['max_age=0', { max_age: '0' }],
    ['max_age that is over', { max_age: '60' }],
  ])(
    '%s: a new session, the old one and its tokens are over, its app is told',
    async (_, asked) => {
      const { browser, tokens } = await passed('one')
      clock.advance(120)
      nowIs('two')
      const request = on.chain.app.request({ scope: OFFLINE, upstream: 'other', ...asked })
      const page = await browser.open(request.url)
      const done = await throughTheSwitch(browser, page)
      const { body } = await on.chain.app.finish(done, request)
      expect(claimsOf(body.id_token)['sub']).toBe('other:two')
      await receiver.received(1)
      expect(claimsOf(receiver.tokens[0] ?? '')).toMatchObject({
        sub: 'other:one',
        sid: sidOf(tokens),
      })
      expect(await isAlive(tokens.access_token)).toBe(false)
      expect(await refreshed(on.chain.app, tokens.refresh_token)).toBe('invalid_grant')
      expect(await whoIs(browser)).toBe('other:two')
    },
  )

  it('an expired session: no page between them, and nothing of the first for the second', async () => {
    const { browser, tokens } = await passed('one')
    clock.advance(8 * 3600 + 1)
    nowIs('two')
    const two = await tokensFor(on.chain.app, browser, { upstream: 'other' })
    expect(claimsOf(two.id_token)['sub']).toBe('other:two')
    expect(sidOf(two)).not.toBe(sidOf(tokens))
    expect(await isAlive(tokens.access_token)).toBe(false)
    expect(await whoIs(browser)).toBe('other:two')
  })

  it('a page between them that is sent twice, by a double click: one switch, and the app gets its person', async () => {
    const { browser } = await passed('one')
    nowIs('two')
    const request = on.chain.app.request({ prompt: 'select_account', upstream: 'other' })
    const page = await browser.open(request.url)
    const form = formOf(page)
    const first = await browser.open(form.action, { form: form.fields })
    const second = await browser.open(form.action, { form: form.fields })
    expect(second.status).toBe(400)
    await receiver.received(1)
    expect((await on.chain.app.finish(first, request)).status).toBe(200)
    expect(await whoIs(browser)).toBe('other:two')
  })
})

describe('prompt=none while the upstream has another person', () => {
  it('a session that appears here during the silent trip stays, and the app gets login_required, no page', async () => {
    const browser = on.chain.newBrowser()
    nowIs('one')
    const request = on.chain.app.request({ prompt: 'none', upstream: 'other' })
    const trip = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname === '/login/oauth2/code/other',
    })
    nowIs('two')
    await tokensFor(on.chain.app, browser, { upstream: 'other' })
    nowIs('one')
    const done = await browser.open(trip.url)
    expect(done.hops.every(({ status }) => status === 302)).toBe(true)
    expect(answerOf(done)).toMatchObject({ error: 'login_required', state: request.state })
    expect(await whoIs(browser)).toBe('other:two')
  })

  it('a session that appears between its last two steps: the same', async () => {
    const browser = on.chain.newBrowser()
    nowIs('one')
    const request = on.chain.app.request({ prompt: 'none', upstream: 'other' })
    const trip = await browser.open(request.url, {
      stopBefore: ({ origin, pathname }) =>
        origin === on.chain.url && pathname.startsWith('/oauth2/authorize/'),
    })
    nowIs('two')
    await tokensFor(on.chain.app, browser, { upstream: 'other' })
    const done = await browser.open(trip.url)
    expect(done.hops.every(({ status }) => status === 302)).toBe(true)
    expect(answerOf(done)).toMatchObject({
      error: 'login_required',
      state: request.state,
      iss: on.chain.issuer,
    })
    expect(await whoIs(browser)).toBe('other:two')
  })

  it('a session of the same person that appears during it: a code', async () => {
    const browser = on.chain.newBrowser()
    nowIs('one')
    const request = on.chain.app.request({ prompt: 'none', upstream: 'other' })
    const trip = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname === '/login/oauth2/code/other',
    })
    await tokensFor(on.chain.app, browser, { upstream: 'other' })
    const done = await browser.open(trip.url)
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
    expect(await whoIs(browser)).toBe('other:one')
  })
})
