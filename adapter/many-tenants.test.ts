// An upstream of many tenants through the whole chain: whose people come in, and that they never share a subject.
import { afterAll, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const [ONE, TWO, THREE] = ['1', '2', '3'].map(
  (digit) => `${digit.repeat(8)}-2222-3333-4444-555555555555`,
) as [string, string, string]

let hub: EvilIdp
const hubSettings = () => ({
  issuer: `${hub.issuer}/{tenantid}/v2.0`,
  endpoints: { discovery: `${hub.issuer}/.well-known/openid-configuration` },
  allowed_tenants: [ONE, TWO],
  subject: 'hashed',
})
const on = useChain(async () => {
  hub = await startEvilIdp()
  const { issuer } = hubSettings()
  hub.behaviour.discovery = (document) => ({
    ...document,
    issuer,
    authorization_response_iss_parameter_supported: false,
  })
  return {
    upstreams: { hub: hub.issuer },
    config: {
      default_upstream: 'hub',
      upstreams: {
        [UPSTREAM]: { subject: 'prefixed' },
        hub: hubSettings(),
      },
    },
  }
})
afterAll(() => hub.close())

async function signIn(tid: string, browser = on.chain.newBrowser()) {
  hub.behaviour.response = (parameters) => parameters.delete('iss')
  hub.behaviour.claims = (claims) => ({ ...claims, tid, iss: `${hub.issuer}/${tid}/v2.0` })
  const request = on.chain.app.request()
  return { browser, request, visit: await browser.open(request.url) }
}

async function subOf({ visit, request }: Awaited<ReturnType<typeof signIn>>) {
  const { body } = await on.chain.app.finish(visit, request)
  return claimsOf(body.access_token)['sub']
}

describe('an upstream of many tenants', () => {
  it('A16 cross-upstream sub collision: the same sub in two tenants is two people', async () => {
    const [one, again, two] = [await signIn(ONE), await signIn(ONE), await signIn(TWO)]
    const subs = [await subOf(one), await subOf(again), await subOf(two)]
    expect(subs[0]).toMatch(/^[\w-]{43}$/)
    expect(subs[1]).toBe(subs[0])
    expect(subs[2]).not.toBe(subs[0])
  })

  it('is vouched for: the next authorization needs no upstream', async () => {
    const { browser } = await signIn(ONE)
    hub.requests.length = 0
    const request = on.chain.app.request({ prompt: 'none' })
    const visit = await browser.open(request.url)
    expect(await on.chain.app.finish(visit, request)).toMatchObject({ status: 200 })
    expect(hub.requests).toEqual([])
  })

  it('A14 account takeover: nobody of a tenant that is not listed, whatever they say of themselves', async () => {
    const { visit, browser } = await signIn(THREE)
    expect(visit.url.searchParams.get('error')).toBe('server_error')
    const silent = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(silent.url.searchParams.get('error')).toBe('login_required')
    const [failed] = on.chain.events('login.failed')
    expect(JSON.stringify(failed)).toContain('tid: expected one of allowed_tenants')
  })

  it('a test login with an unchanged draft sees no other subject', async () => {
    const { adminUrl } = on.chain
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
    const redirect_uris = ['http://127.0.0.1:8080/login/oauth2/code/auth-adapter']
    const settings = {
      upstreams: {
        hub: {
          kind: 'oidc',
          client_id: 'test-client',
          client_secret: 'test-secret',
          ...hubSettings(),
        },
      },
      clients: { client: { client_secret: 'x', redirect_uris, scope: 'openid' } },
    }
    const body = JSON.stringify({
      upstream: 'hub',
      client: 'client',
      settings,
      source: { file: 'draft.yaml', lines: {} },
    })
    const opened = await fetch(`${adminUrl}/api/upstream-tests`, { method: 'POST', headers, body })
    const test = (await opened.json()) as { id: string; url: string }
    hub.behaviour.claims = (claims) => ({ ...claims, tid: ONE, iss: `${hub.issuer}/${ONE}/v2.0` })
    await on.chain.newBrowser().open(test.url)
    const answer = await fetch(`${adminUrl}/api/upstream-tests?id=${test.id}`, { headers })
    expect(await answer.json()).toMatchObject({
      result: { live: { subject: { isChanged: false } } },
    })
  })
})
