// When a person is asked again and when not, and that nothing is asked for twice: what the upstream can not give ends in
// one OAuth error after a handful of redirects.
import { describe, expect, it } from 'vitest'
import { startEvilIdp, type EvilIdp } from '../upstream/test-support/evil-idp.ts'
import { claimsOf, type Parameters } from '../test-support/app.ts'
import type { Browser, Visit } from '../test-support/browser.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'

const AUTH_TIME = JSON.stringify({ id_token: { auth_time: { essential: true } } })
const answerOf = ({ url }: Visit) => Object.fromEntries(url.searchParams)

describe('prompt and max_age', () => {
  const on = useChain()
  const clock = useClock()

  /** A browser that is signed in, and when that was. */
  async function signedIn(): Promise<{
    browser: Browser
    authTime: number
    sub: unknown
    idToken: string
  }> {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request({ claims: AUTH_TIME })
    const { body } = await on.chain.app.finish(await on.chain.signIn(browser, request.url), request)
    const claims = claimsOf(body.id_token)
    return {
      browser,
      authTime: Number(claims['auth_time']),
      sub: claims['sub'],
      idToken: body.id_token,
    }
  }

  async function again(browser: Browser, parameters: Parameters, isAsked: boolean) {
    const request = on.chain.app.request(parameters)
    const visit = isAsked
      ? await on.chain.signIn(browser, request.url)
      : await browser.open(request.url)
    const answer = answerOf(visit)
    const tokens = answer['code'] ? await on.chain.app.finish(visit, request) : undefined
    return { visit, answer, claims: tokens ? claimsOf(tokens.body.id_token) : {} }
  }

  it('C12 prompt=login: asked again, here and upstream, with a later auth_time', async () => {
    const { browser, authTime } = await signedIn()
    clock.advance(5)
    const { visit, claims } = await again(browser, { prompt: 'login', claims: AUTH_TIME }, true)
    const upstream = visit.hops.find(({ url }) => url.origin === on.chain.upstreamIssuer)
    expect(upstream?.url.searchParams.get('prompt')).toBe('login')
    expect(claims['auth_time']).toBeGreaterThanOrEqual(authTime + 5)
  })

  it('C13 prompt=none, not signed in: login_required at once and no page', async () => {
    const { visit, answer } = await again(
      on.chain.newBrowser(),
      { prompt: 'none', state: 's' },
      false,
    )
    expect(visit.hops).toHaveLength(1)
    expect(answer).toMatchObject({ error: 'login_required', state: 's', iss: on.chain.issuer })
  })

  it('C14 prompt=none, signed in: silent, the same sub', async () => {
    const { browser, sub } = await signedIn()
    const { visit, claims } = await again(browser, { prompt: 'none' }, false)
    expect(visit.hops).toHaveLength(1)
    expect(claims['sub']).toBe(sub)
  })

  it('C15 max_age=1 after 5 seconds: asked again, auth_time is there', async () => {
    const { browser, authTime } = await signedIn()
    clock.advance(5)
    const { visit, claims } = await again(browser, { max_age: '1' }, true)
    const upstream = visit.hops.find(({ url }) => url.origin === on.chain.upstreamIssuer)
    expect(upstream?.url.searchParams.get('max_age')).toBe('1')
    expect(claims['auth_time']).toBeGreaterThanOrEqual(authTime + 5)
  })

  it('C16 max_age=10000: silent, the same auth_time', async () => {
    const { browser, authTime } = await signedIn()
    clock.advance(5)
    const { claims } = await again(browser, { max_age: '10000' }, false)
    expect(claims['auth_time']).toBe(authTime)
  })

  it('max_age=0 asks again, and ends', async () => {
    const { browser } = await signedIn()
    clock.advance(1)
    const { answer } = await again(browser, { max_age: '0' }, true)
    expect(Object.keys(answer).sort()).toEqual(['code', 'iss', 'state'])
  })

  it('C18 id_token_hint with prompt=none: silent for the same person, login_required for another', async () => {
    const { browser, idToken, sub } = await signedIn()
    const same = await again(browser, { prompt: 'none', id_token_hint: idToken }, false)
    expect(same.claims['sub']).toBe(sub)
    const ada = on.chain.newBrowser()
    await on.chain.signIn(ada, on.chain.app.request().url, 'ada')
    const other = await again(ada, { prompt: 'none', id_token_hint: idToken }, false)
    expect(other.answer).toMatchObject({ error: 'login_required' })
  })

  it('C18 id_token_hint and another person signs in: login_required, and no session', async () => {
    const { idToken } = await signedIn()
    const ada = on.chain.newBrowser()
    const request = on.chain.app.request({ id_token_hint: idToken })
    expect(answerOf(await on.chain.signIn(ada, request.url, 'ada'))).toMatchObject({
      error: 'login_required',
      state: request.state,
    })
    expect(answerOf(await ada.open(on.chain.app.request({ prompt: 'none' }).url))).toMatchObject({
      error: 'login_required',
    })
    const same = on.chain.newBrowser()
    expect(answerOf(await on.chain.signIn(same, request.url))['code']).toBeTruthy()
  })

  it('A18 an access token is no id_token_hint', async () => {
    const { browser } = await signedIn()
    const request = on.chain.app.request()
    const { body } = await on.chain.app.finish(await browser.open(request.url), request)
    const { answer } = await again(
      browser,
      { prompt: 'none', id_token_hint: body.access_token },
      false,
    )
    expect(answer).toMatchObject({ error: 'invalid_request' })
    expect(answer).not.toHaveProperty('code')
  })

  it('prompt=consent: consent_required, for there is nothing to ask', async () => {
    const { browser } = await signedIn()
    const { visit, answer } = await again(browser, { prompt: 'consent' }, false)
    expect(answer).toMatchObject({ error: 'consent_required' })
    expect(visit.hops.length).toBeLessThanOrEqual(4)
  })

  it('a wanted sub that signs in as somebody else: one error', async () => {
    const request = on.chain.app.request({
      claims: JSON.stringify({ id_token: { sub: { value: 'somebody' } } }),
    })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    expect(answerOf(visit)).toMatchObject({
      error: 'login_required',
      state: request.state,
      iss: on.chain.issuer,
    })
  })
})

describe('an upstream that always answers the same', () => {
  let idp: EvilIdp
  const on = useChain(async () => {
    idp = await startEvilIdp()
    return { upstreams: { evil: idp.issuer }, config: { default_upstream: 'evil' } }
  })

  const WANTED: [parameters: Parameters, error: string][] = [
    [{ prompt: 'consent' }, 'consent_required'],
    [
      { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'gold' } } }) },
      'unmet_authentication_requirements',
    ],
    [
      {
        claims: JSON.stringify({
          id_token: { acr: { essential: true, values: ['gold', 'silver'] } },
        }),
      },
      'unmet_authentication_requirements',
    ],
    [{ claims: JSON.stringify({ id_token: { sub: { value: 'somebody' } } }) }, 'login_required'],
  ]
  it.each(WANTED)('%j: one error, and few redirects', async (parameters, error) => {
    idp.requests.length = 0
    const request = on.chain.app.request(parameters)
    const visit = await on.chain.newBrowser().open(request.url)
    expect(answerOf(visit)).toMatchObject({ error, state: request.state, iss: on.chain.issuer })
    expect(answerOf(visit)).not.toHaveProperty('code')
    expect(visit.hops.length).toBeLessThanOrEqual(8)
    expect(idp.count('GET /authorize')).toBeLessThanOrEqual(1)
  })

  it('A49 max_age with an old auth_time is refused, never answered as if it were new', async () => {
    idp.behaviour = { claims: (claims) => ({ ...claims, auth_time: Number(claims['iat']) - 4000 }) }
    const request = on.chain.app.request({ max_age: '60' })
    const visit = await on.chain.newBrowser().open(request.url)
    idp.behaviour = {}
    expect(answerOf(visit)).toMatchObject({
      error: 'unmet_authentication_requirements',
      state: request.state,
    })
    expect(visit.hops.length).toBeLessThanOrEqual(8)
  })

  it('A49 an acr that was asked for is never echoed (CVE-2024-45042)', async () => {
    for (const said of [undefined, 'bronze']) {
      idp.behaviour = {
        claims: (claims) => ({
          ...claims,
          ...(said === undefined ? {} : { acr: said, amr: ['pwd'] }),
        }),
      }
      const request = on.chain.app.request({
        acr_values: 'gold',
        claims: JSON.stringify({ id_token: { acr: null, amr: null } }),
      })
      const visit = await on.chain.newBrowser().open(request.url)
      const { body } = await on.chain.app.finish(visit, request)
      expect(claimsOf(body.id_token)['sub']).toBe('evil:testuser')
      expect([said, undefined]).toContain(claimsOf(body.id_token)['acr'])
      expect(JSON.stringify([claimsOf(body.access_token), claimsOf(body.id_token)])).not.toContain(
        'gold',
      )
    }
    idp.behaviour = {}
  })

  it('an essential acr that the upstream reaches is answered with a code', async () => {
    idp.behaviour = { claims: (claims) => ({ ...claims, acr: 'gold' }) }
    const request = on.chain.app.request({
      claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'gold' } } }),
    })
    const visit = await on.chain.newBrowser().open(request.url)
    idp.behaviour = {}
    expect(Object.keys(answerOf(visit)).sort()).toEqual(['code', 'iss', 'state'])
  })

  it('no session and prompt=login: asked once', async () => {
    idp.requests.length = 0
    const request = on.chain.app.request({ prompt: 'login' })
    const visit = await on.chain.newBrowser().open(request.url)
    expect(answerOf(visit)).toHaveProperty('code')
    expect(idp.count('GET /authorize')).toBe(1)
  })
})
