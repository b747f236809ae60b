// How strong and how recent a sign-in is, through the whole chain: asked by the app, translated for the upstream, proven by
// its ID token, and told to the app as it was.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startEvilIdp, type Behaviour, type EvilIdp } from '../../upstream/test-support/evil-idp.ts'
import { claimsOf, type App, type Parameters } from '../../test-support/app.ts'
import type { Browser, Visit } from '../../test-support/browser.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'

const MFA = 'urn:example:mfa'
const PASSWORD = 'urn:example:password'
const UNMET = 'unmet_authentication_requirements'
let table: EvilIdp
let plain: EvilIdp
const clock = useClock()
const on = useChain(async () => {
  ;[table, plain] = await Promise.all([startEvilIdp(), startEvilIdp()])
  const acr = {
    [MFA]: {
      acr_values: 'phrh phr',
      params: { claims: '{"id_token":{"amr":null}}', prompt: 'consent' },
      proven_by: { acr: ['phr', 'phrh'], amr_all: ['mfa'], amr_any: ['otp', 'hwk'] },
    },
    'urn:example:hardware': { params: { authn: 'key' }, proven_by: { amr_any: ['hwk'] } },
    [PASSWORD]: { proven_by: { amr_any: ['pwd', 'otp', 'hwk'] } },
  }
  return {
    upstreams: { table: table.issuer, plain: plain.issuer },
    config: {
      default_upstream: 'table',
      upstreams: {
        table: { context: { acr, forward: ['login_hint', 'hd', 'display'] } },
        plain: { authorization_params: { claims: '{"userinfo":{"groups":null}}' } },
      },
    },
  }
})
afterAll(() => Promise.all([table.close(), plain.close()]))
afterEach(() => {
  for (const idp of [table, plain]) {
    idp.behaviour = {}
    idp.requests.length = 0
  }
})

const says = (claims: Record<string, unknown>): Behaviour => ({
  claims: (own) => ({ ...own, ...claims }),
})
const STRONG = { acr: 'phr', amr: ['pwd', 'otp', 'mfa'] }
const WEAK = { acr: 'pwd', amr: ['pwd'] }

interface Outcome {
  visit: Visit
  answer: Record<string, string>
  idToken: Record<string, unknown>
  accessToken: Record<string, unknown>
  /** What the upstream was sent, if it was asked. */
  asked: URLSearchParams | undefined
  trips: number
}

async function login(
  parameters: Parameters = {},
  { browser = on.chain.newBrowser(), app = on.chain.app }: { browser?: Browser; app?: App } = {},
): Promise<Outcome> {
  const request = app.request(parameters)
  const visit = await browser.open(request.url)
  const trips = visit.hops.filter(({ url }) => url.pathname === '/authorize')
  const answer = Object.fromEntries(visit.url.searchParams)
  if (answer['code'] === undefined)
    expect(answer).toMatchObject({ state: request.state, iss: on.chain.issuer })
  const tokens = answer['code'] ? (await app.finish(visit, request)).body : undefined
  return {
    visit,
    answer,
    idToken: tokens ? claimsOf(tokens.id_token) : {},
    accessToken: tokens ? claimsOf(tokens.access_token) : {},
    asked: trips[0]?.url.searchParams,
    trips: trips.length,
  }
}

const essential = (acr: object) =>
  JSON.stringify({ id_token: { acr: { essential: true, ...acr } } })

describe('an acr of the table', () => {
  it('is asked for in the words of the upstream, proven by its ID token, and told in the words of the app', async () => {
    table.behaviour = says(STRONG)
    const { asked, idToken, accessToken } = await login({ acr_values: `urn:other ${MFA}` })
    expect(asked?.get('acr_values')).toBe('phrh phr')
    expect(asked?.get('claims')).toBe('{"id_token":{"amr":null}}')
    const told = { acr: MFA, amr: STRONG.amr, auth_time: idToken['auth_time'] }
    expect(idToken).toMatchObject(told)
    expect(idToken['auth_time']).toBeGreaterThan(Date.now() / 1000 - 60)
    // RFC 9068, section 2.2.1: https://www.rfc-editor.org/rfc/rfc9068#section-2.2.1
    expect(accessToken).toMatchObject(told)
  })

  it('is no claim of userinfo', async () => {
    table.behaviour = says(STRONG)
    const request = on.chain.app.request({ acr_values: MFA })
    const visit = await on.chain.newBrowser().open(request.url)
    const { body } = await on.chain.app.finish(visit, request)
    const userinfo = (await (await on.chain.app.userinfo(body.access_token)).json()) as object
    expect(Object.keys(userinfo)).not.toEqual(expect.arrayContaining(['acr']))
    expect(userinfo).toMatchObject({ sub: 'table:testuser' })
  })

  const TOO_WEAK: [name: string, claims: Record<string, unknown>][] = [
    ['a weaker acr', { ...STRONG, acr: 'pwd' }],
    ['no acr', { ...STRONG, acr: undefined }],
    ['the asked acr echoed, in the words of the app', { ...STRONG, acr: MFA }],
    ['an acr that is a list', { ...STRONG, acr: ['phr'] }],
    ['no amr', { acr: 'phr' }],
    ['one amr of two', { acr: 'phr', amr: ['otp'] }],
    ['none of the amr of which one is needed', { acr: 'phr', amr: ['mfa', 'pwd'] }],
    ['an amr that is a text', { acr: 'phr', amr: 'mfa otp' }],
  ]
  it.each(TOO_WEAK)(`A49 ${UNMET} for %s (CVE-2024-45042)`, async (_name, claims) => {
    table.behaviour = says(claims)
    for (const parameters of [{ acr_values: MFA }, { claims: essential({ value: MFA }) }]) {
      const browser = on.chain.newBrowser()
      const { answer, trips } = await login(parameters, { browser })
      expect(answer).toMatchObject({ error: UNMET })
      expect(answer).not.toHaveProperty('code')
      expect(trips).toBe(1)
      expect((await login({ prompt: 'none' }, { browser })).answer['error']).toBe('login_required')
    }
    expect(on.chain.events('login.failed').at(-1)).toMatchObject({ code: 'context_unmet' })
  })

  it('A19 of userinfo proves nothing', async () => {
    table.behaviour = { ...says(WEAK), userinfo: (claims) => ({ ...claims, ...STRONG }) }
    expect((await login({ acr_values: MFA })).answer['error']).toBe(UNMET)
  })

  it('that is in no table is refused before the upstream is asked', async () => {
    const { answer, trips } = await login({ acr_values: 'urn:other constructor' })
    expect([answer['error'], trips]).toEqual([UNMET, 0])
  })

  it('is told though nobody asked: the first in the table that is proven', async () => {
    table.behaviour = says(STRONG)
    expect((await login()).idToken['acr']).toBe(MFA)
    table.behaviour = says(WEAK)
    expect((await login()).idToken).toMatchObject({ acr: PASSWORD, amr: ['pwd'] })
    table.behaviour = says({ acr: 'phr' })
    expect((await login()).idToken).not.toHaveProperty('acr')
  })

  it('is listed in our metadata', async () => {
    const metadata = await fetch(`${on.chain.issuer}/.well-known/openid-configuration`)
    expect(await metadata.json()).toMatchObject({
      acr_values_supported: [MFA, 'urn:example:hardware', PASSWORD],
      claims_supported: expect.arrayContaining(['acr', 'amr', 'auth_time']) as unknown,
    })
  })
})

describe('an acr and a session that is there', () => {
  it('step-up: one trip upstream, and each app is told the acr it asked for', async () => {
    const browser = on.chain.newBrowser()
    table.behaviour = says(WEAK)
    await login({}, { browser })
    table.behaviour = says(STRONG)
    const second = await login({ acr_values: MFA }, { browser, app: on.chain.secondApp })
    expect([second.trips, second.idToken['acr']]).toEqual([1, MFA])
    expect(second.asked?.get('acr_values')).toBe('phrh phr')
    for (const acr of [PASSWORD, MFA]) {
      const silent = await login({ acr_values: acr }, { browser })
      expect([silent.trips, silent.idToken['acr']]).toEqual([0, acr])
      const demand = await login({ claims: essential({ values: [acr] }) }, { browser })
      expect([demand.trips, demand.idToken['acr']]).toEqual([0, acr])
    }
  })

  it('A49 a step-up that the upstream does not give: one error, the session stays, and is still weak', async () => {
    const browser = on.chain.newBrowser()
    table.behaviour = says(WEAK)
    await login({}, { browser })
    const refused = await login({ acr_values: MFA }, { browser })
    expect([refused.answer['error'], refused.trips]).toEqual([UNMET, 1])
    expect((await login({ prompt: 'none' }, { browser })).idToken['acr']).toBe(PASSWORD)
    expect((await login({ prompt: 'none', acr_values: MFA }, { browser })).answer['error']).toBe(
      'login_required',
    )
  })

  it('A49 acr_values beside it do not soften an essential acr', async () => {
    table.behaviour = says(WEAK)
    const demand = { acr_values: PASSWORD, claims: essential({ value: MFA }) }
    expect((await login(demand)).answer['error']).toBe(UNMET)
    const browser = on.chain.newBrowser()
    await login({}, { browser })
    expect((await login(demand, { browser })).answer['error']).toBe(UNMET)
  })

  it.each([
    { value: ['x'] },
    { value: '' },
    { values: MFA },
    { values: [1] },
    { values: { a: 1 } },
    { values: [] },
    { values: [''] },
  ])(
    'A49 a demand that can not be read, or names nothing, is refused and not dropped: %j',
    async (acr) => {
      expect((await login({ claims: essential(acr) })).answer['error']).toBe('invalid_request')
    },
  )
})

describe('an upstream without a table', () => {
  const at = { upstream: 'plain' }

  it('is sent acr_values as they came, and its own acr is told', async () => {
    plain.behaviour = says({ acr: 'bronze', amr: ['pwd'] })
    const { asked, idToken } = await login({ ...at, acr_values: 'gold silver' })
    expect(asked?.get('acr_values')).toBe('gold silver')
    expect(idToken).toMatchObject({ acr: 'bronze', amr: ['pwd'] })
  })

  it('an essential acr is sent too, and must be met', async () => {
    plain.behaviour = says({ acr: 'bronze' })
    const wanted = { ...at, claims: essential({ values: ['gold', 'silver'] }) }
    const refused = await login(wanted)
    expect(refused.asked?.get('acr_values')).toBe('gold silver')
    expect([refused.answer['error'], refused.trips]).toEqual([UNMET, 1])
    plain.behaviour = says({ acr: 'silver' })
    expect((await login(wanted)).idToken['acr']).toBe('silver')
  })

  it('a wish is worth one trip, and none with prompt=none', async () => {
    const browser = on.chain.newBrowser()
    plain.behaviour = says({ acr: 'bronze' })
    await login(at, { browser })
    const wish = { ...at, acr_values: 'gold' }
    const asked = await login(wish, { browser })
    expect([asked.trips, asked.idToken['acr']]).toEqual([1, 'bronze'])
    const silent = await login({ ...wish, prompt: 'none' }, { browser })
    expect([silent.trips, silent.idToken['acr']]).toEqual([0, 'bronze'])
  })
})

describe('when it was', () => {
  const at = { upstream: 'plain' }
  const now = () => Math.floor(Date.now() / 1000)

  it('auth_time is that of the sign-in upstream, hours ago as it may be', async () => {
    plain.behaviour = says({ auth_time: now() - 7000 })
    const { idToken, accessToken } = await login(at)
    expect(idToken['auth_time']).toBeLessThanOrEqual(now() - 7000)
    expect(accessToken['auth_time']).toBe(idToken['auth_time'])
  })

  it('A49 C15 max_age that is not kept, or not proven to be: never a code', async () => {
    for (const auth_time of [now() - 4000, undefined]) {
      plain.behaviour = says({ auth_time })
      const { answer, asked, trips } = await login({ ...at, max_age: '60' })
      expect(asked?.get('max_age')).toBe('60')
      expect([answer['error'], trips]).toEqual([UNMET, 1])
    }
  })

  it('is left out where the upstream does not say; a limit on it is then asked of the upstream, without another sign-in', async () => {
    const browser = on.chain.newBrowser()
    plain.behaviour = says({ auth_time: undefined })
    const first = await login(at, { browser })
    expect(first.idToken).not.toHaveProperty('auth_time')
    expect(first.accessToken).not.toHaveProperty('auth_time')
    expect((await login({ ...at, prompt: 'none' }, { browser })).answer).toHaveProperty('code')

    plain.behaviour = says({ auth_time: now() - 500 })
    const limited = await login({ ...at, max_age: '1000' }, { browser })
    expect([limited.trips, limited.asked?.get('max_age')]).toEqual([1, '1000'])
    expect(limited.asked?.has('prompt')).toBe(false)
    expect(limited.idToken['auth_time']).toBeLessThanOrEqual(now() - 500)
    expect((await login({ ...at, max_age: '1000' }, { browser })).trips).toBe(0)
  })

  it('is asked of the upstream where the app asks for it, beside what the table asks', async () => {
    const claims = JSON.stringify({ id_token: { auth_time: { essential: true } } })
    const { asked } = await login({ claims, acr_values: MFA })
    expect(JSON.parse(asked?.get('claims') ?? '')).toEqual({
      id_token: { auth_time: { essential: true }, amr: null },
    })
  })

  it('is asked beside the claims that authorization_params ask for', async () => {
    const claims = JSON.stringify({ id_token: { auth_time: null } })
    const { asked } = await login({ ...at, claims })
    expect(JSON.parse(asked?.get('claims') ?? '')).toEqual({
      id_token: { auth_time: { essential: true } },
      userinfo: { groups: null },
    })
  })

  it('A49 C12 prompt=login and max_age=0: an upstream that lets an earlier sign-in pass is not believed', async () => {
    for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
      plain.behaviour = says({ auth_time: now() - 300 })
      const old = await login({ ...at, ...parameters })
      expect(old.asked?.get('prompt')).toBe('login')
      expect([old.answer['error'], old.trips]).toEqual([UNMET, 1])
      plain.behaviour = {}
      expect((await login({ ...at, ...parameters })).idToken['auth_time']).toBeGreaterThan(0)
    }
  })

  it('max_age=0 makes auth_time a must; prompt=login does not', async () => {
    plain.behaviour = says({ auth_time: undefined })
    expect((await login({ ...at, max_age: '0' })).answer['error']).toBe(UNMET)
    expect((await login({ ...at, prompt: 'login' })).idToken).not.toHaveProperty('auth_time')
  })

  it('max_age counts from the sign-in upstream, not from ours', async () => {
    const browser = on.chain.newBrowser()
    plain.behaviour = says({ auth_time: now() - 3000 })
    await login(at, { browser })
    clock.advance(5)
    const { trips, asked } = await login({ ...at, max_age: '3600' }, { browser })
    expect([trips, asked]).toEqual([0, undefined])
    plain.behaviour = {}
    const again = await login({ ...at, max_age: '1000' }, { browser })
    expect([again.trips, again.asked?.get('prompt')]).toEqual([1, 'login'])
    expect(again.idToken['auth_time']).toBeGreaterThan(now() - 10)
  })
})

describe('what else is passed on', () => {
  const SENT = { login_hint: 'ada', ui_locales: 'de', hd: 'example.com', display: 'popup' }
  const OTHERS = { resource_x: '1', id_token_hint_y: '2', kid: '3' }

  it('what the settings list, as it came, and nothing else', async () => {
    const { asked } = await login({ ...SENT, ...OTHERS })
    const { ui_locales: _unlisted, ...listed } = SENT
    expect(Object.fromEntries(asked ?? [])).toMatchObject(listed)
    for (const name of ['ui_locales', ...Object.keys(OTHERS)]) expect(asked?.has(name)).toBe(false)
  })

  it('without a list: login_hint and ui_locales', async () => {
    const { asked } = await login({ ...SENT, ...OTHERS, upstream: 'plain' })
    const own = ['claims', 'client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce']
    expect([...(asked?.keys() ?? [])].toSorted()).toEqual(
      [...own, 'code_challenge', 'code_challenge_method', 'login_hint', 'ui_locales'].toSorted(),
    )
  })

  it('prompt=select_account: asked for upstream, once; with login both are', async () => {
    const browser = on.chain.newBrowser()
    await login({ upstream: 'plain' }, { browser })
    for (const prompt of ['select_account', 'login select_account']) {
      const { asked, answer, trips } = await login({ upstream: 'plain', prompt }, { browser })
      expect(asked?.get('prompt')).toBe(prompt)
      expect([trips, Object.keys(answer)]).toEqual([1, ['code', 'state', 'iss']])
    }
  })
})
