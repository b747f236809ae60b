// The clock of the machine jumps, as after a suspended night or a wrong NTP answer: what was over stays over, what goes on goes
// on, and nobody is let in for it.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { claimsOf, type TokenAnswer } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { useChain, useClock } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const OFFLINE = 'openid profile read offline_access'
const HOUR = 3600
const DAY = 24 * HOUR
let idp: EvilIdp
const on = useChain(async () => {
  idp = await startEvilIdp()
  return {
    storage: 'sqlite',
    upstreams: { other: idp.issuer },
    config: {
      clients: { client: { scope: OFFLINE, refresh: { rotation: 'always', grace: '0s' } } },
    },
  }
})
const clock = useClock()
afterAll(() => idp.close())
afterEach(() => void (idp.behaviour = {}))

type Tokens = TokenAnswer['body'] & { refresh_token: string }

async function signedIn() {
  const browser = on.chain.newBrowser()
  const request = on.chain.app.request({ scope: OFFLINE })
  const visit = await on.chain.signIn(browser, request.url)
  const tokens = (await on.chain.app.finish(visit, request)).body as Tokens
  return { browser, request, visit, tokens }
}

const isAlive = async (token: string) => (await on.chain.app.userinfo(token)).status === 200
const refresh = (refresh_token: unknown) =>
  post(on.chain, '/oauth2/token', {
    grant_type: 'refresh_token',
    refresh_token: String(refresh_token),
  })
async function isSignedIn(browser: Browser): Promise<boolean> {
  const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return url.searchParams.has('code')
}
const headingOf = ({ body }: Visit) => /<h1>([^<]*)/.exec(body)?.[1]
async function verify(token: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token, audience: 'client' })
  return (await fetch(`${on.chain.url}/verify`, { method: 'POST', headers, body })).json()
}

describe('F68 forward', () => {
  it('an hour, in the middle of a login: it took too long, and the next one works', async () => {
    const browser = on.chain.newBrowser()
    const form = await browser.open(on.chain.app.request().url)
    clock.advance(HOUR)
    const late = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect(late.status).toBe(400)
    expect(late.url.origin).not.toBe(new URL(on.chain.app.redirectUri).origin)
    expect(await isSignedIn(browser)).toBe(false)
    const request = on.chain.app.request()
    const again = await browser.open(request.url)
    const done =
      again.url.pathname === '/login'
        ? await browser.submit(again, { username: 'testuser', password: 'password' })
        : again
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
  })

  it('an hour: the session goes on, the token of five minutes is over and can be refreshed', async () => {
    const { browser, tokens } = await signedIn()
    clock.advance(HOUR)
    expect(await isSignedIn(browser)).toBe(true)
    expect(await isAlive(tokens.access_token)).toBe(false)
    const { body } = await refresh(tokens.refresh_token)
    expect(await isAlive(String(body['access_token']))).toBe(true)
  })

  it('a day: the session and its token are over, offline access is not', async () => {
    const { browser, tokens } = await signedIn()
    clock.advance(DAY)
    expect([await isSignedIn(browser), await isAlive(tokens.access_token)]).toEqual([false, false])
    expect((await refresh(tokens.refresh_token)).status).toBe(200)
  })

  it('while the upstream answers: no timeout, for it took no longer', async () => {
    idp.behaviour = { beforeSigning: () => clock.advance(25) }
    const request = on.chain.app.request({ upstream: 'other' })
    const visit = await on.chain.newBrowser().open(request.url)
    expect((await on.chain.app.finish(visit, request)).status).toBe(200)
  })
})

describe('F68 an hour back', () => {
  it('what was ended, used or revoked stays so', async () => {
    const { browser, visit, request, tokens } = await signedIn()
    const copy = on.chain.newBrowser()
    copy.cookies = structuredClone(browser.cookies)
    const callback = visit.hops.find(
      ({ url }) => url.pathname === '/login/oauth2/code/test-auth-server',
    )
    const { body: next } = await refresh(tokens.refresh_token)
    await browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' })
    clock.advance(-HOUR)
    expect(await isSignedIn(copy)).toBe(false)
    for (const each of [tokens.access_token, String(next['access_token'])])
      expect(await isAlive(each)).toBe(false)
    for (const each of [tokens.refresh_token, next['refresh_token']])
      expect((await refresh(each)).body['error']).toBe('invalid_grant')
    expect((await on.chain.app.finish(visit, request)).body['error']).toBe('invalid_grant')
    const replayed = await copy.open(callback?.url ?? '')
    expect([replayed.status, replayed.url.searchParams.has('code')]).toEqual([400, true])
    expect(headingOf(replayed)).toBe('This sign-in was not started here, or is over')
  })

  it('after an hour forward, in which its record would have gone: a revoked token stays revoked', async () => {
    const { tokens } = await signedIn()
    await post(on.chain, '/oauth2/revoke', { token: tokens.access_token })
    clock.advance(HOUR)
    const { hashed } = await import('./storage/provider/artefact-key.ts')
    const key = `RevokedToken:${hashed(String(claimsOf(tokens.access_token)['jti']))}`
    expect(await on.chain.driver.get(key)).toBeDefined()
    clock.advance(-HOUR)
    expect(await verify(tokens.access_token)).toEqual({ valid: false, error: 'revoked' })
  })

  it('a token from the future is refused: after 61 seconds back, not after 55', async () => {
    const { tokens } = await signedIn()
    const { access_token: token } = tokens
    clock.advance(-55)
    expect(await isAlive(token)).toBe(true)
    clock.advance(-10)
    expect(await isAlive(token)).toBe(false)
    expect((await post(on.chain, '/oauth2/introspect', { token })).body['active']).toBe(false)
    const until = new Date(Number(claimsOf(token)['iat']) * 1000).toISOString()
    expect(await verify(token)).toEqual({ valid: false, error: 'not_yet_valid', until })
    const { body } = await refresh(tokens.refresh_token)
    expect(await isAlive(String(body['access_token']))).toBe(true)
  })
})
