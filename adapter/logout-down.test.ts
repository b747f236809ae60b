// What apps hear when a person signs out, through the chain: their servers by logout tokens, their pages in frames.
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimsOf, type App } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

let receivers: [LogoutReceiver, LogoutReceiver]
const on = useChain(async () => {
  receivers = [await startLogoutReceiver(), await startLogoutReceiver()]
  const [one, two] = receivers
  return {
    storage: 'sqlite',
    config: {
      clients: {
        client: { backchannel_logout_uri: one.uri },
        'second-client': { backchannel_logout_uri: two.uri, subject: 'pairwise' },
        'framed-client': {
          client_secret: 'framed-secret',
          redirect_uris: ['http://127.0.0.1:8082/callback'],
          frontchannel_logout_uri: 'http://127.0.0.1:8082/signed-out',
        },
        'person-client': {
          client_secret: 'person-secret',
          redirect_uris: ['http://127.0.0.1:8083/callback'],
          backchannel_logout_uri: two.uri,
          backchannel_logout_session_required: false,
        },
      },
    },
  }
})
const clock = useClock()
afterAll(() => Promise.all(receivers.map((receiver) => receiver.close())))
beforeEach(async () => {
  await on.chain.driver.drop('logout-deliveries')
  for (const receiver of receivers) Object.assign(receiver, { answer: 200 })
  for (const { tokens } of receivers) tokens.length = 0
})

async function idToken(app: App, browser: Browser, isFirst = false): Promise<string> {
  const request = app.request()
  const visit = isFirst
    ? await on.chain.signIn(browser, request.url)
    : await browser.open(request.url)
  return (await app.finish(visit, request)).body.id_token
}

async function signOut(browser: Browser) {
  const page = await browser.open(`${on.chain.url}/connect/logout`)
  return browser.submit(page, { logout: 'yes' })
}

async function verified(token: string, audience: string) {
  const response = await fetch(`${on.chain.url}/oauth2/jwks`)
  const jwks = (await response.json()) as JSONWebKeySet
  const expected = { issuer: on.chain.issuer, audience, typ: 'logout+jwt' }
  return (await jwtVerify(token, createLocalJWKSet(jwks), expected)).payload
}

async function otherApp(id: string, port: number): Promise<App> {
  const { createApp } = await import('./test-support/app.ts')
  const [name] = id.split('-')
  return createApp({
    issuer: on.chain.url,
    clientId: id,
    secret: `${name}-secret`,
    redirectUri: `http://127.0.0.1:${port}/callback`,
  })
}

describe('back-channel logout', () => {
  it('C62 every app of the session gets a logout token that holds; prompt=none is then login_required', async () => {
    const browser = on.chain.newBrowser()
    const one = claimsOf(await idToken(on.chain.app, browser, true))
    const two = claimsOf(await idToken(on.chain.secondApp, browser))
    await signOut(browser)
    await Promise.all(receivers.map((receiver) => receiver.received(1)))
    for (const [at, client, expected] of [
      [0, 'client', one],
      [1, 'second-client', two],
    ] as const) {
      const token = receivers[at].tokens[0] ?? ''
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'logout+jwt' })
      const claims = await verified(token, client)
      expect(claims).toEqual({
        iss: on.chain.issuer,
        aud: client,
        sub: expected['sub'],
        sid: expected['sid'],
        iat: expect.any(Number),
        exp: (claims.iat ?? 0) + 120,
        jti: expect.stringMatching(/^[\w-]{22}$/),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })
      expect(claims['sid']).toMatch(/^[\w-]{20,}$/)
    }
    expect(one['sub']).toBe('testuser')
    expect(two['sub']).not.toBe('testuser')
    expect(one['sid']).not.toBe(two['sid'])
    const asked = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(asked.url.searchParams.get('error')).toBe('login_required')
  })

  it('an app that wants no sid gets none, in no token', async () => {
    const browser = on.chain.newBrowser()
    const app = await otherApp('person-client', 8083)
    const request = app.request({ scope: 'openid' })
    const visit = await on.chain.signIn(browser, request.url)
    const { body } = await app.finish(visit, request)
    expect(claimsOf(body.id_token)).not.toHaveProperty('sid')
    await signOut(browser)
    await receivers[1].received(1)
    const claims = await verified(receivers[1].tokens[0] ?? '', 'person-client')
    expect(claims.sub).toBe('testuser')
    expect(claims).not.toHaveProperty('sid')
  })

  it('F73 an app that is silent does not delay the person, nor the other app', async () => {
    const browser = on.chain.newBrowser()
    await idToken(on.chain.app, browser, true)
    await idToken(on.chain.secondApp, browser)
    receivers[0].answer = 'silent'
    const since = performance.now()
    await signOut(browser)
    expect(performance.now() - since).toBeLessThan(2500)
    await receivers[1].received(1)
    await receivers[0].received(1)
  })

  it('F73 an app that is down is told later, also by a process that was started since', async () => {
    const browser = on.chain.newBrowser()
    await idToken(on.chain.app, browser, true)
    receivers[0].answer = 503
    await signOut(browser)
    await expect
      .poll(() => on.chain.events('backchannel.failed').at(-1))
      .toMatchObject({
        client_id: 'client',
        attempt: 1,
        reason: 'answered 503',
        gives_up: false,
      })
    await on.chain.restart()
    receivers[0].answer = 200
    await on.chain.adapter.logout.deliver.deliverDue()
    expect(receivers[0].tokens).toHaveLength(1)
    clock.advance(6)
    await on.chain.adapter.logout.deliver.deliverDue()
    expect(receivers[0].tokens).toHaveLength(2)
    expect(on.chain.events('backchannel.sent').at(-1)).toMatchObject({ attempt: 2 })
    clock.advance(3600)
    await on.chain.adapter.logout.deliver.deliverDue()
    expect(receivers[0].tokens).toHaveLength(2)
    expect(await on.chain.driver.members('logout-deliveries')).toEqual([])
  })

  it('F73 after an hour it is given up, and the log says so', async () => {
    const browser = on.chain.newBrowser()
    await idToken(on.chain.app, browser, true)
    receivers[0].answer = 500
    const failures = () => on.chain.events('backchannel.failed')
    const before = failures().length
    await signOut(browser)
    // Not only heard by the app: the adapter has noted how it went, before its clock is moved.
    await vi.waitFor(() => expect(failures().length).toBeGreaterThan(before))
    for (let minute = 0; minute < 65; minute += 5) {
      await on.chain.adapter.logout.deliver.deliverDue()
      clock.advance(300)
    }
    const last = failures().at(-1)
    expect(last).toMatchObject({ gives_up: true })
    expect(last?.['attempt']).toBeGreaterThanOrEqual(8)
    expect(await on.chain.driver.members('logout-deliveries')).toEqual([])
  })

  it('one delivery is tried by one process at a time', async () => {
    const browser = on.chain.newBrowser()
    await idToken(on.chain.app, browser, true)
    const { createLogoutDeliveries } = await import('./storage/logouts/logout-deliveries.ts')
    const parts = { driver: on.chain.driver, now: () => Date.now() }
    const processes = Array.from({ length: 50 }, () => createLogoutDeliveries(parts))
    const one = createLogoutDeliveries(parts)
    await one.add([{ clientId: 'client', accountId: 'testuser', sid: 'a-sid' }])
    const [id = ''] = await one.due()
    const claimed = await Promise.all(processes.map((deliveries) => deliveries.claim(id)))
    expect(claimed.filter(Boolean)).toHaveLength(1)
  })
})

describe('front-channel logout', () => {
  it('an app without a back-channel is told by a page in a frame, which its policy allows for that app only', async () => {
    const browser = on.chain.newBrowser()
    const app = await otherApp('framed-client', 8082)
    const request = app.request({ scope: 'openid' })
    const visit = await on.chain.signIn(browser, request.url)
    const { body } = await app.finish(visit, request)
    const sid = String(claimsOf(body.id_token)['sid'])
    const page = await signOut(browser)
    expect(page.status).toBe(200)
    const expected = new URL('http://127.0.0.1:8082/signed-out')
    expected.search = new URLSearchParams({ iss: on.chain.issuer, sid }).toString()
    expect(page.body).toContain(`<iframe src="${expected.href.replaceAll('&', '&amp;')}"`)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain('frame-src http://127.0.0.1:8082')
    expect(policy.match(/frame-src[^;]*/)?.[0]).toBe('frame-src http://127.0.0.1:8082')
    expect(page.body).toContain(`${on.chain.issuer}/connect/logout/success`)
  })

  it('metadata say what there is', async () => {
    const metadata = await (await fetch(`${on.chain.url}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
    })
  })
})
