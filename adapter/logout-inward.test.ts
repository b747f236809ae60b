// The upstream says that somebody signed out there, through the chain: which sessions here end, and what is refused.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain } from './test-support/use-chain.ts'

let receiver: LogoutReceiver
const on = useChain(async () => {
  receiver = await startLogoutReceiver()
  return { config: { clients: { client: { backchannel_logout_uri: receiver.uri } } } }
})
afterAll(() => receiver.close())
beforeEach(() => void (receiver.tokens.length = 0))

const backChannel = () => `${on.chain.url}/logout/backchannel/${UPSTREAM}`

async function upstreamSids(): Promise<string[]> {
  const sessions = await on.chain.upstreamControl.sessions()
  return sessions.flatMap(({ sids }) => Object.values(sids))
}

async function login(browser: Browser, username = 'testuser') {
  const before = new Set(await upstreamSids())
  const request = on.chain.app.request()
  const visit = await on.chain.signIn(browser, request.url, username)
  const { body } = await on.chain.app.finish(visit, request)
  const [sid = ''] = (await upstreamSids()).filter((known) => !before.has(known))
  return { tokens: body, sid, sub: String(claimsOf(body.id_token)['sub']) }
}

async function isAlive(accessToken: string): Promise<boolean> {
  return (await on.chain.app.userinfo(accessToken)).status === 200
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return url.searchParams.has('code')
}

describe('back-channel logout from the upstream', () => {
  it('by sid: that session ends with its tokens, its app is told; other sessions of the person stay', async () => {
    const [one, two] = [on.chain.newBrowser(), on.chain.newBrowser()]
    const [first, second] = [await login(one), await login(two)]
    const { sub, sid } = first
    const sent = await on.chain.upstreamControl.sendLogoutToken({ to: backChannel(), sub, sid })
    expect(sent.status).toBe(200)
    expect([await isAlive(first.tokens.access_token), await isSignedIn(one)]).toEqual([
      false,
      false,
    ])
    expect([await isAlive(second.tokens.access_token), await isSignedIn(two)]).toEqual([true, true])
    await receiver.received(1)
    expect(claimsOf(receiver.tokens[0] ?? '')['sid']).toBe(claimsOf(first.tokens.id_token)['sid'])
  })

  it('by sub: every session of the person ends, and nobody else’s', async () => {
    const [one, two, ada] = [on.chain.newBrowser(), on.chain.newBrowser(), on.chain.newBrowser()]
    await login(one)
    await login(two)
    await login(ada, 'ada')
    const order = { to: backChannel(), sub: 'testuser' }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(200)
    expect([await isSignedIn(one), await isSignedIn(two), await isSignedIn(ada)]).toEqual([
      false,
      false,
      true,
    ])
  })

  it('a sid with the sub of another person ends nothing', async () => {
    const browser = on.chain.newBrowser()
    const { sid } = await login(browser)
    const order = { to: backChannel(), sub: 'user-0002', sid }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('the answer is not to be kept, and a session that nobody knows is no error', async () => {
    const order = { to: backChannel(), sid: 'unknown' }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(200)
    const refused = await fetch(backChannel(), { method: 'POST', body: new URLSearchParams() })
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([400, 'no-store'])
  })

  it.each([
    'bad_signature',
    'unknown_kid',
    'alg_none',
    'alg_hs256',
    'wrong_iss',
    'wrong_aud',
    'missing_events',
    'other_event',
    'with_nonce',
    'expired',
    'future_iat',
    'without_sub_and_sid',
    'missing_jti',
    'wrong_typ',
  ] as const)('C60 a logout token with %s: 400, and the session stays', async (fault) => {
    const browser = on.chain.newBrowser()
    const { sub, sid } = await login(browser)
    const order = { to: backChannel(), sub, sid, fault }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
    expect(on.chain.events('logout.token_refused').length).toBeGreaterThan(0)
  })

  it('A38 a logout token counts once: a session that began since stays', async () => {
    const first = await on.chain.upstreamControl.sendLogoutToken({
      to: backChannel(),
      sub: 'testuser',
    })
    expect(first.status).toBe(200)
    const browser = on.chain.newBrowser()
    await login(browser)
    const replay = { to: backChannel(), sub: 'testuser', fault: 'replayed_jti' } as const
    expect((await on.chain.upstreamControl.sendLogoutToken(replay)).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('A38 A18 an ID token, ours or the upstream’s, is no logout token', async () => {
    const before = on.chain.newBrowser()
    await login(before)
    const question = await before.open(`${on.chain.url}/connect/logout`)
    const { url } = await before.submit(question, { logout: 'yes', upstream: 'yes' })
    const upstreamIdToken = url.searchParams.get('id_token_hint') ?? ''
    expect(claimsOf(upstreamIdToken)).toMatchObject({
      iss: on.chain.upstreamIssuer,
      sub: 'testuser',
    })
    const browser = on.chain.newBrowser()
    const { tokens } = await login(browser)
    for (const token of [
      upstreamIdToken,
      tokens.id_token,
      tokens.access_token,
      'a.b.c',
      '',
      'x'.repeat(60_000),
    ]) {
      const body = new URLSearchParams({ logout_token: token })
      expect((await fetch(backChannel(), { method: 'POST', body })).status).toBe(400)
    }
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('A38 F68 a token of two hours ago is refused, whatever it says of its end', async () => {
    const browser = on.chain.newBrowser()
    const { sub, sid } = await login(browser)
    await on.chain.upstreamControl.setClock(-7200)
    const order = { to: backChannel(), sub, sid }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(400)
    await on.chain.upstreamControl.setClock(0)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('F67 in the middle of a login that renews the session, it does not break that login', async () => {
    const browser = on.chain.newBrowser()
    const { sub, sid } = await login(browser)
    const request = on.chain.app.request({ prompt: 'login' })
    const form = await browser.open(request.url)
    const order = { to: backChannel(), sub, sid }
    expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(false)
    const done = await browser.submit(form, { username: 'ada', password: 'password' })
    const { body } = await on.chain.app.finish(done, request)
    expect(claimsOf(body.access_token)['preferred_username']).toBe('ada')
  })
})

describe('front-channel logout from the upstream', () => {
  const page = (parameters: Record<string, string>) =>
    fetch(
      `${on.chain.url}/logout/frontchannel/${UPSTREAM}?${new URLSearchParams(parameters).toString()}`,
    )

  it('with iss and sid that session ends, and the page may be framed', async () => {
    const browser = on.chain.newBrowser()
    const { sid } = await login(browser)
    const answer = await page({ iss: on.chain.upstreamIssuer, sid })
    expect([answer.status, answer.headers.get('x-frame-options')]).toEqual([200, null])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('A37 without them, or with another issuer, nothing ends', async () => {
    const browser = on.chain.newBrowser()
    const { sid } = await login(browser)
    const iss = on.chain.upstreamIssuer
    for (const wrong of [{}, { sid }, { iss }, { iss: 'https://other.test', sid }])
      expect((await page(wrong as Record<string, string>)).status).toBe(400)
    expect((await page({ iss, sid: 'another' })).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(true)
  })
})
