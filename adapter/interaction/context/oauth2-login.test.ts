// A plain OAuth 2.0 upstream in GitHub's shape, from the app's request to the app's tokens: no ID token, no nonce, a number
// for a subject, and nothing said of how or when a person signed in.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startEvilIdp, type Behaviour, type EvilIdp } from '../../upstream/test-support/evil-idp.ts'
import { claimsOf, type Parameters } from '../../test-support/app.ts'
import type { Browser } from '../../test-support/browser.ts'
import { useChain } from '../../test-support/use-chain.ts'

const PROFILE = { id: 583_231, login: 'octo', name: 'Octo Cat', email: 'shown@evil.test' }
const ADDRESSES = [
  { email: 'old@example.com', primary: false, verified: true },
  { email: 'octo@example.com', primary: true, verified: true },
]
let hub: EvilIdp
const on = useChain(async () => {
  hub = await startEvilIdp()
  const settings = {
    kind: 'oauth2',
    scope: 'read:user user:email',
    client_auth_method: 'client_secret_basic',
    endpoints: {
      authorization: `${hub.issuer}/authorize`,
      token: `${hub.issuer}/token`,
      userinfo: `${hub.issuer}/userinfo`,
      emails: `${hub.issuer}/user/emails`,
    },
    claims: {
      test_auth_server_sub: { constant: 'none' },
      preferred_username: 'login',
      email: 'email',
      email_verified: 'email_verified',
    },
    context: { forward: ['login_hint', 'allow_signup'] },
  }
  return {
    upstreams: { hub: hub.issuer },
    config: {
      default_upstream: 'hub',
      upstreams: { hub: settings },
      clients: { client: { scope: 'openid profile email read' } },
    },
  }
})
afterAll(() => hub.close())
afterEach(() => void (hub.requests.length = 0))

/** As GitHub answers: no iss, no ID token; addresses at an endpoint of their own. */
const plain: Behaviour = {
  discovery: () => ({}),
  response: (parameters) => parameters.delete('iss'),
  token: ({ access_token }) => ({
    access_token,
    token_type: 'bearer',
    scope: 'read:user,user:email',
  }),
  userinfo: () => PROFILE,
  answer: {
    '/user/emails': (_request, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(ADDRESSES)),
  },
}

async function login(parameters: Parameters = {}, browser: Browser = on.chain.newBrowser()) {
  hub.behaviour = plain
  const request = on.chain.app.request({ scope: 'openid profile email read', ...parameters })
  const visit = await browser.open(request.url)
  const asked = visit.hops.find(({ url }) => url.pathname === '/authorize')?.url.searchParams
  const answer = Object.fromEntries(visit.url.searchParams)
  const tokens = answer['code'] ? (await on.chain.app.finish(visit, request)).body : undefined
  return { request, answer, asked, tokens, hops: visit.hops.length }
}

describe('kind: oauth2, through the chain', () => {
  it('the app gets its tokens: a prefixed subject, mapped claims, the verified address', async () => {
    const { request, asked, tokens } = await login()
    const protocol = ['client_id', 'redirect_uri', 'response_type', 'scope', 'state']
    expect([...(asked?.keys() ?? [])].toSorted()).toEqual(
      [...protocol, 'code_challenge', 'code_challenge_method'].toSorted(),
    )
    const identity = {
      iss: on.chain.issuer,
      aud: 'client',
      sub: 'hub:583231',
      preferred_username: 'octo',
      name: 'Octo Cat',
      email: 'octo@example.com',
      email_verified: true,
    }
    const idToken = claimsOf(tokens?.id_token ?? '')
    const accessToken = claimsOf(tokens?.access_token ?? '')
    expect(idToken).toMatchObject({ ...identity, nonce: request.nonce })
    expect(accessToken).toMatchObject(identity)
    const userinfo = await on.chain.app.userinfo(tokens?.access_token ?? '')
    expect(await userinfo.json()).toMatchObject({ sub: 'hub:583231', email: 'octo@example.com' })
    // Not said is not made up.
    for (const name of ['auth_time', 'acr', 'amr']) {
      expect(idToken).not.toHaveProperty(name)
      expect(accessToken).not.toHaveProperty(name)
    }
    expect(hub.count('GET /jwks') + hub.count('GET /.well-known/openid-configuration')).toBe(0)
  })

  it('single sign-on: the second app and prompt=none need no trip', async () => {
    const browser = on.chain.newBrowser()
    await login({}, browser)
    hub.requests.length = 0
    const { tokens, hops } = await login({ prompt: 'none' }, browser)
    expect([claimsOf(tokens?.id_token ?? '')['sub'], hops]).toEqual(['hub:583231', 1])
    const second = on.chain.secondApp.request()
    expect((await browser.open(second.url)).url.searchParams.has('code')).toBe(true)
    expect(hub.requests).toEqual([])
  })

  it('C13 prompt=none and nobody signed in: login_required at once', async () => {
    const { answer, hops } = await login({ prompt: 'none' })
    expect([answer['error'], hops]).toEqual(['login_required', 1])
  })

  const DEMANDS: [name: string, parameters: Parameters][] = [
    ['max_age', { max_age: '60' }],
    ['max_age=0', { max_age: '0' }],
    [
      'an essential acr',
      { claims: '{"id_token":{"acr":{"essential":true,"values":["gold","silver"]}}}' },
    ],
  ]
  it.each(DEMANDS)(
    'A49 %s can not be proven: unmet_authentication_requirements, signed in or not, and the upstream is not asked',
    async (_name, parameters) => {
      const browser = on.chain.newBrowser()
      for (let times = 0; times < 2; times += 1) {
        const { answer, request } = await login(parameters, browser)
        expect(answer).toMatchObject({
          error: 'unmet_authentication_requirements',
          state: request.state,
          iss: on.chain.issuer,
        })
        expect(hub.count('GET /authorize')).toBe(0)
        await login({}, browser)
        hub.requests.length = 0
      }
    },
  )

  it('a wish for an acr is no demand: a code, and no acr', async () => {
    const { asked, tokens } = await login({ acr_values: 'gold' })
    expect(asked?.has('acr_values')).toBe(false)
    expect(claimsOf(tokens?.id_token ?? '')).not.toHaveProperty('acr')
  })

  it('prompt and the listed parameters go on, others do not', async () => {
    const { asked } = await login({
      prompt: 'select_account',
      login_hint: 'octo',
      allow_signup: 'false',
      ui_locales: 'de',
    })
    expect(Object.fromEntries(asked ?? [])).toMatchObject({
      prompt: 'select_account',
      login_hint: 'octo',
      allow_signup: 'false',
    })
    expect(asked?.has('ui_locales')).toBe(false)
    const again = await login({ prompt: 'login' })
    expect(again.asked?.get('prompt')).toBe('login')
    expect(again.answer).toHaveProperty('code')
  })

  it('C39 the person refuses there: access_denied at the app', async () => {
    hub.behaviour = plain
    const request = on.chain.app.request()
    const browser = on.chain.newBrowser()
    hub.behaviour = {
      ...plain,
      response: (parameters) => {
        for (const name of ['iss', 'code']) parameters.delete(name)
        parameters.set('error', 'access_denied')
      },
    }
    const { url } = await browser.open(request.url)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: request.state,
    })
  })
})
