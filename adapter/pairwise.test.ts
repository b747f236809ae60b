// Clients that each know a person by a pseudonym of their own, over the wire: every token, userinfo, hints, logout.
import { describe, expect, it } from 'vitest'
import { claimsOf, type App, type TokenAnswer } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { startChain } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'

const on = useChain({
  storage: 'sqlite',
  config: {
    upstreams: { 'test-auth-server': { claims: { test_auth_server_sub: { constant: '-' } } } },
    clients: {
      client: { subject: 'pairwise', sector: 'one.example' },
      'second-client': { subject: 'pairwise', sector: 'two.example' },
    },
  },
})

async function login(app: App, browser: Browser, parameters = {}): Promise<TokenAnswer['body']> {
  const request = app.request(parameters)
  const page = await browser.open(request.url)
  const isLogin = page.url.origin === on.chain.upstreamIssuer
  const fields = { username: 'testuser', password: 'password' }
  const visit = isLogin ? await browser.submit(page, fields) : page
  return (await app.finish(visit, request)).body
}

const subOf = (jwt: string) => String(claimsOf(jwt)['sub'])

describe('pairwise subjects', () => {
  it('ID token, access token and userinfo of one client agree, and differ from those of another', async () => {
    const browser = on.chain.newBrowser()
    const one = await login(on.chain.app, browser)
    const two = await login(on.chain.secondApp, browser)
    const userinfo = await on.chain.app.userinfo(one.access_token)
    expect(userinfo.status).toBe(200)
    const subjects = [subOf(one.id_token), subOf(one.access_token)]
    expect(subjects[0]).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(subjects[1]).toBe(subjects[0])
    expect(await userinfo.json()).toMatchObject({ sub: subjects[0] })
    expect(subOf(two.id_token)).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(subOf(two.id_token)).not.toBe(subjects[0])
  })

  it('two clients find nothing in their tokens of one session that is the same', async () => {
    const browser = on.chain.newBrowser()
    const values = (body: TokenAnswer['body']) =>
      [body.id_token, body.access_token].flatMap((jwt) =>
        Object.values(claimsOf(jwt))
          .filter((value) => typeof value === 'string')
          .flatMap((value) => value.split(/[.~]/)),
      )
    const one = values(await login(on.chain.app, browser))
    const two = new Set(values(await login(on.chain.secondApp, browser)))
    const shared = one.filter((value) => two.has(value) && value.length > 20)
    expect(shared).toEqual([])
  })

  it('are the same after a restart and in another browser', async () => {
    const before = subOf((await login(on.chain.app, on.chain.newBrowser())).id_token)
    await on.chain.restart()
    expect(subOf((await login(on.chain.app, on.chain.newBrowser())).id_token)).toBe(before)
  })

  it('an id_token_hint is recognised, before and after a sign-in; that of another client or person is not', async () => {
    const browser = on.chain.newBrowser()
    const { id_token: hint } = await login(on.chain.app, browser)
    const silent = await browser.open(
      on.chain.app.request({ prompt: 'none', id_token_hint: hint }).url,
    )
    expect(silent.url.searchParams.has('code')).toBe(true)
    const again = await login(on.chain.app, on.chain.newBrowser(), { id_token_hint: hint })
    expect(subOf(again.id_token)).toBe(subOf(hint))
    const asAda = on.chain.app.request({ id_token_hint: hint })
    const refused = await on.chain.signIn(on.chain.newBrowser(), asAda.url, 'ada')
    expect(refused.url.searchParams.get('error')).toBe('login_required')
  })

  it('logout with the hint ends the session', async () => {
    const browser = on.chain.newBrowser()
    const { id_token: hint, access_token } = await login(on.chain.app, browser)
    const url = new URL('/connect/logout', on.chain.issuer)
    url.searchParams.set('id_token_hint', hint)
    const page = await browser.open(url)
    await browser.submit(page, { logout: 'yes' })
    expect((await on.chain.app.userinfo(access_token)).status).toBe(401)
  })

  it('discovery offers both kinds', async () => {
    const metadata = await fetch(`${on.chain.url}/.well-known/openid-configuration`)
    expect(await metadata.json()).toMatchObject({ subject_types_supported: ['public', 'pairwise'] })
  })
})

describe('the same person at a pairwise and a public client', () => {
  const mixed = useChain({ config: { clients: { client: { subject: 'pairwise' } } } })

  it('the public one sees the sub as ever, each its userinfo, and one can not take the token of the other', async () => {
    const browser = mixed.chain.newBrowser()
    const request = mixed.chain.app.request()
    const own = await mixed.chain.app.finish(
      await mixed.chain.signIn(browser, request.url),
      request,
    )
    const second = mixed.chain.secondApp.request()
    const other = await mixed.chain.secondApp.finish(await browser.open(second.url), second)
    expect(subOf(other.body.id_token)).toBe('testuser')
    expect(subOf(own.body.id_token)).not.toBe('testuser')
    for (const { body } of [own, other]) {
      const userinfo = await mixed.chain.app.userinfo(body.access_token)
      expect(await userinfo.json()).toMatchObject({ sub: subOf(body.id_token) })
    }
  })
})

it('A28 no URL of a sector is asked: one that can not be reached does not keep the adapter from starting', async () => {
  const client = { subject: 'pairwise', sector: 'unreachable.invalid' }
  const chain = await startChain({ config: { clients: { client } } })
  const request = chain.app.request()
  const visit = await chain.signIn(chain.newBrowser(), request.url)
  const { body } = await chain.app.finish(visit, request)
  expect(subOf(body.id_token)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  await chain.close()
})
