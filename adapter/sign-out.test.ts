// Signing out through the chain: what becomes of the session at the upstream.
import { afterAll, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import type { Chain } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const HOME = 'http://127.0.0.1:8080/'

async function login(chain: Chain, browser: Browser) {
  const request = chain.app.request()
  const visit = await chain.signIn(browser, request.url)
  return (await chain.app.finish(visit, request)).body
}

function logoutUrl(chain: Chain, parameters: Record<string, string>): URL {
  const url = new URL('/connect/logout', chain.url)
  url.search = new URLSearchParams(parameters).toString()
  return url
}

/** The question at the adapter, after a login. */
async function question(chain: Chain) {
  const browser = chain.newBrowser()
  const tokens = await login(chain, browser)
  const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME, state: 's' }
  const page = await browser.open(logoutUrl(chain, parameters))
  return { browser, page, tokens }
}

async function isSignedInUpstream(chain: Chain, browser: Browser): Promise<boolean> {
  const { url } = await browser.open(chain.app.request().url, {
    stopBefore: ({ pathname }) => pathname === '/login',
  })
  return url.pathname !== '/login'
}

describe('logout: ask', () => {
  const on = useChain()

  it('the question has a box for the upstream, and its form may lead there', async () => {
    const { page } = await question(on.chain)
    expect(page.body).toMatch(/type="checkbox"[^>]*name="upstream"/)
    expect(page.body).toContain('Sign out at test-auth-server too')
    expect(page.headers.get('content-security-policy')).toContain(on.chain.upstreamIssuer)
  })

  it('ticked: the upstream knows who is to leave, and the person comes back to the app', async () => {
    const { browser, page } = await question(on.chain)
    const there = await browser.submit(page, { logout: 'yes', upstream: 'yes' })
    expect(there.url.origin + there.url.pathname).toBe(`${on.chain.upstreamIssuer}/connect/logout`)
    const { id_token_hint: hint = '', ...sent } = Object.fromEntries(there.url.searchParams)
    expect(sent).toEqual({
      client_id: 'test-client',
      post_logout_redirect_uri: `${on.chain.issuer}/logout/callback/test-auth-server`,
      state: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(claimsOf(hint)).toMatchObject({ iss: on.chain.upstreamIssuer, sub: 'testuser' })
    const back = await browser.submit(there, { logout: 'yes' })
    expect(back.url.href).toBe(`${HOME}?state=s`)
    expect(await isSignedInUpstream(on.chain, browser)).toBe(false)
  })

  it('not ticked: the session there stays', async () => {
    const { browser, page } = await question(on.chain)
    const done = await browser.submit(page, { logout: 'yes' })
    expect(done.url.href).toBe(`${HOME}?state=s`)
    expect(await isSignedInUpstream(on.chain, browser)).toBe(true)
  })

  it('not ticked, and no app to go to: the last page says where the person may still be signed in', async () => {
    const browser = on.chain.newBrowser()
    await login(on.chain, browser)
    const page = await browser.open(logoutUrl(on.chain, {}))
    const done = await browser.submit(page, { logout: 'yes' })
    expect(done.body).toContain('You may still be signed in at test-auth-server.')
  })

  it('A04 the way back counts once, and in the browser that left', async () => {
    const { browser, page } = await question(on.chain)
    const there = await browser.submit(page, { logout: 'yes', upstream: 'yes' })
    const back = new URL(`${on.chain.url}/logout/callback/test-auth-server`)
    back.searchParams.set('state', there.url.searchParams.get('state') ?? '')
    const elsewhere = await on.chain.newBrowser().open(back)
    expect([elsewhere.status, elsewhere.url.href]).toEqual([200, back.href])
    expect((await browser.open(back)).url.href).toBe(`${HOME}?state=s`)
    const again = await browser.open(back)
    expect([again.status, again.url.href]).toEqual([200, back.href])
    expect(again.body).toContain('You are signed out')
  })

  it('the ID token of the upstream is stored sealed only', async () => {
    const { browser, page } = await question(on.chain)
    const stored: string[] = []
    const members = await on.chain.driver.members('sessions-of-upstream:test-auth-server')
    for (const member of members)
      stored.push(JSON.stringify((await on.chain.driver.get(`Identity:${member}`))?.value))
    expect(stored.join()).toContain('"idToken":"v1.')
    const there = await browser.submit(page, { logout: 'yes', upstream: 'yes' })
    const hint = there.url.searchParams.get('id_token_hint') ?? ''
    expect(hint.split('.')).toHaveLength(3)
    expect(stored.join()).not.toContain(hint.split('.')[2])
  })
})

describe('logout: always', () => {
  const on = useChain({ config: { upstreams: { 'test-auth-server': { logout: 'always' } } } })

  it('leads on without a box', async () => {
    const { browser, page } = await question(on.chain)
    expect(page.body).toContain('You will be signed out at test-auth-server too.')
    const there = await browser.submit(page, { logout: 'yes' })
    expect(there.url.origin).toBe(on.chain.upstreamIssuer)
  })

  it('A08 not where another person signed in: only the old session ends, and the app gets the new one', async () => {
    const browser = on.chain.newBrowser()
    await login(on.chain, browser)
    const request = on.chain.app.request({ prompt: 'login' })
    const page = await on.chain.signIn(browser, request.url, 'ada')
    const done = await browser.submit(page)
    expect((await on.chain.app.finish(done, request)).body.access_token).toBeTruthy()
  })
})

describe('logout: never', () => {
  const on = useChain({ config: { upstreams: { 'test-auth-server': { logout: 'never' } } } })

  it('says so, asks nobody, and keeps no ID token', async () => {
    const { browser, page } = await question(on.chain)
    expect(page.body).toContain('You may still be signed in at test-auth-server afterwards.')
    const [member = ''] = await on.chain.driver.members('sessions-of-upstream:test-auth-server')
    expect(JSON.stringify((await on.chain.driver.get(`Identity:${member}`))?.value)).not.toContain(
      'idToken',
    )
    const done = await browser.submit(page, { logout: 'yes', upstream: 'yes' })
    expect(done.url.href).toBe(`${HOME}?state=s`)
    expect(await isSignedInUpstream(on.chain, browser)).toBe(true)
  })
})

describe('an upstream without a logout', () => {
  let idp: EvilIdp
  const on = useChain(async () => {
    idp = await startEvilIdp()
    return {
      upstreams: { plain: idp.issuer },
      config: { default_upstream: 'plain', upstreams: { plain: { logout: 'always' } } },
    }
  })
  afterAll(() => idp.close())

  it('is said so before and after, and keeps nobody from signing out here', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    await on.chain.app.finish(await browser.open(request.url), request)
    const page = await browser.open(logoutUrl(on.chain, {}))
    expect(page.body).toContain('You may still be signed in at plain afterwards.')
    const done = await browser.submit(page, { logout: 'yes' })
    expect(done.body).toContain('You may still be signed in at plain.')
    const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(url.searchParams.get('error')).toBe('login_required')
  })
})
