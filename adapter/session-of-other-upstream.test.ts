// One person, one session, two upstreams of a subject_alias group, and apps that trust one of them each.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, type App } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { startChain, type Chain } from './test-support/chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

let idps: Record<'trusted' | 'other', EvilIdp>
let chain: Chain

beforeAll(async () => {
  const [trusted, other] = await Promise.all([startEvilIdp(), startEvilIdp()])
  idps = { trusted, other }
  for (const [name, idp] of Object.entries(idps))
    idp.behaviour = { claims: (usual) => ({ ...usual, sub: name, employee: 'E1', team: name }) }
  const upstream = {
    subject_alias: { group: 'staff', claim: 'employee' },
    claims: { team: 'team' },
  }
  chain = await startChain({
    upstreams: { trusted: trusted.issuer, other: other.issuer },
    config: {
      default_upstream: 'trusted',
      upstreams: {
        trusted: upstream,
        other: upstream,
        'test-auth-server': { subject: 'prefixed' },
      },
      clients: { client: { upstreams: ['trusted'] }, 'second-client': { upstreams: ['other'] } },
    },
  })
})
afterAll(async () => {
  await chain.close()
  await Promise.all(Object.values(idps).map((idp) => idp.close()))
})

async function codeFor(app: App, browser: Browser) {
  const request = app.request()
  return { visit: await browser.open(request.url), request }
}

const signIn = async (app: App, browser: Browser) => {
  const { visit, request } = await codeFor(app, browser)
  return (await app.finish(visit, request)).body
}

describe('A19 an upstream that an app does not trust says nothing to it', () => {
  it('by a session that came from the trusted one: its tokens are nobody’s until it is back', async () => {
    const browser = chain.newBrowser()
    const { access_token: token } = await signIn(chain.app, browser)
    expect(await (await chain.app.userinfo(token)).json()).toMatchObject({ team: 'trusted' })
    const { id_token } = await signIn(chain.secondApp, browser)
    expect(claimsOf(id_token)).toMatchObject({ sub: claimsOf(token)['sub'], team: 'other' })
    expect((await chain.app.userinfo(token)).status).toBe(401)
    expect(claimsOf((await signIn(chain.app, browser)).id_token)['team']).toBe('trusted')
  })

  it('nor in an ID token of a code that it got before', async () => {
    const browser = chain.newBrowser()
    const { visit, request } = await codeFor(chain.app, browser)
    await signIn(chain.secondApp, browser)
    const { status, body } = await chain.app.finish(visit, request)
    expect([status, body]).toMatchObject([400, { error: 'invalid_grant' }])
  })
})
