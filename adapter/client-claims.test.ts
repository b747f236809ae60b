// Claims that one app gets and another does not, over the wire and through one session.
import { describe, expect, it } from 'vitest'
import { claimsOf, type App } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { startChain, UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp } from './upstream/test-support/evil-idp.ts'

describe('claims of one client', () => {
  const on = useChain({
    config: {
      clients: {
        'second-client': {
          claims: {
            name: { template: 'Dr {name}' },
            team: { constant: 'blue', in: ['access_token'] },
            authorities: { from: 'roles', values: { admin: 'BOSS' } },
          },
        },
      },
    },
  })

  async function tokens(app: App, browser: Browser) {
    const request = app.request()
    const page = await browser.open(request.url)
    const isLogin = page.url.origin === on.chain.upstreamIssuer
    const fields = { username: 'testuser', password: 'password' }
    const visit = isLogin ? await browser.submit(page, fields) : page
    const { body } = await app.finish(visit, request)
    const userinfo = await app.userinfo(body.access_token)
    const shown = ({ name, team, authorities }: Record<string, unknown>) => ({
      name,
      team,
      authorities,
    })
    return [claimsOf(body.id_token), claimsOf(body.access_token), await userinfo.json()].map(
      (claims) => shown(claims as Record<string, unknown>),
    )
  }

  const plain = { name: 'testuser', authorities: ['ROLE_USER'] }
  const own = { name: 'Dr testuser' }

  it.each([
    ['after a sign-in of its own', 'second'],
    ['after a sign-in of the other app', 'first'],
  ])('go to it alone, %s', async (_name, first) => {
    const browser = on.chain.newBrowser()
    if (first === 'first')
      expect(await tokens(on.chain.app, browser)).toEqual([plain, plain, plain])
    const given = await tokens(on.chain.secondApp, browser)
    expect(given).toEqual([own, { ...own, team: 'blue' }, own])
    expect(await tokens(on.chain.app, browser)).toEqual([plain, plain, plain])
  })
})

it('userinfo: when_missing asks for what only a client wants', async () => {
  const idp = await startEvilIdp()
  const said = { name: 'Ada', preferred_username: 'ada', roles: ['user'] }
  idp.behaviour = { claims: (usual) => ({ ...usual, ...said }) }
  const claims = { mail: 'email' }
  const chain = await startChain({
    upstreams: { evil: idp.issuer },
    config: {
      default_upstream: 'evil',
      upstreams: { evil: { userinfo: 'when_missing' } },
      clients: { 'second-client': { claims, upstreams: ['evil'] } },
    },
  })
  const request = chain.secondApp.request()
  const { body } = await chain.secondApp.finish(await chain.newBrowser().open(request.url), request)
  expect(claimsOf(body.id_token)).toHaveProperty('mail', 'testuser@example.com')
  await chain.close()
  await idp.close()
})

describe('a claim that one client requires and the upstream does not send', () => {
  const on = useChain({
    config: { clients: { 'second-client': { claims: { badge: { required: true } } } } },
  })

  it('fails that client alone, also where the session is there already', async () => {
    const browser = on.chain.newBrowser()
    const { app, secondApp } = on.chain
    const request = app.request()
    await app.finish(await on.chain.signIn(browser, request.url), request)
    const failed = await browser.open(secondApp.request().url)
    expect(failed.url.origin + failed.url.pathname).toBe(secondApp.redirectUri)
    expect(failed.url.searchParams.get('error')).toBe('server_error')
    expect(on.chain.events('login.failed')).toEqual([
      expect.objectContaining({ upstream: UPSTREAM, code: 'identity_invalid' }),
    ])
    const still = await browser.open(app.request({ prompt: 'none' }).url)
    expect(still.url.searchParams.get('code')).toBeTruthy()
  })
})
