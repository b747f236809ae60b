// Refresh tokens that follow the upstream, through the whole chain: who is disabled there is out here, in the stated time.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf, type TokenAnswer } from './test-support/app.ts'
import { createBreaker } from './test-support/breakable-driver.ts'
import { slowDriver } from './test-support/slow-driver.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'

const settings = (refresh: object) => ({
  config: {
    upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access', timeout: '2s' } },
    clients: { client: { scope: OFFLINE, refresh: { rotation: 'always', ...refresh } } },
  },
})

type Tokens = TokenAnswer['body'] & { refresh_token: string }

function actions(on: ReturnType<typeof useChain>) {
  let person = ''
  let people = 0
  beforeEach(async () => {
    person = `person-${(people += 1)}`
    await on.chain.upstreamControl.reset()
    await on.chain.upstreamControl.putPerson(person, { roles: ['user'] })
  })
  async function signIn(scope = OFFLINE): Promise<Tokens> {
    const request = on.chain.app.request({ scope })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url, person)
    const { status, body } = await on.chain.app.finish(visit, request)
    expect(status).toBe(200)
    return body as Tokens
  }
  const refresh = (refresh_token: string) =>
    on.chain.app.redeem('', {
      redirectUri: undefined,
      form: { grant_type: 'refresh_token', code: undefined, refresh_token },
    })
  async function outcome(token: string): Promise<string> {
    const { status, body } = await refresh(token)
    return status === 200 ? '200' : `${status} ${String(body['error'])}`
  }
  const asked = async () => (await on.chain.upstreamControl.requests({ endpoint: 'token' })).length
  return { signIn, refresh, outcome, asked, person: () => person }
}

describe('coupling: strict', () => {
  const on = useChain(settings({ coupling: 'strict' }))
  const clock = useClock()
  const { signIn, refresh, outcome, asked, person } = actions(on)

  it('asks the upstream at each refresh, and maps claims and roles again', async () => {
    const { refresh_token } = await signIn()
    const before = await asked()
    await on.chain.upstreamControl.putPerson(person(), { roles: ['admin'], name: 'New Name' })
    const { status, body } = await refresh(refresh_token)
    expect(status).toBe(200)
    const told = { authorities: ['ROLE_ADMIN'], name: 'New Name', sub: person() }
    expect(claimsOf(body.access_token)).toMatchObject(told)
    expect(claimsOf(body.id_token)).toMatchObject(told)
    expect(await (await on.chain.app.userinfo(body.access_token)).json()).toMatchObject(told)
    expect(await asked()).toBe(before + 1)
    expect(await outcome(String(body['refresh_token']))).toBe('200')
    expect(await asked()).toBe(before + 2)
  })

  it('A17 who is disabled upstream is out at the next refresh: tokens, session and the app’s next visit', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request({ scope: OFFLINE })
    const visit = await on.chain.signIn(browser, request.url, person())
    const { body } = await on.chain.app.finish(visit, request)
    await on.chain.upstreamControl.disablePerson(person())
    expect(await outcome(String(body['refresh_token']))).toBe('400 invalid_grant')
    expect(await outcome(String(body['refresh_token']))).toBe('400 invalid_grant')
    expect((await on.chain.app.userinfo(body.access_token)).status).toBe(401)
    const again = await browser.open(on.chain.app.request().url)
    expect([again.url.origin, again.url.pathname]).toEqual([on.chain.upstreamIssuer, '/login'])
    expect(on.chain.events('lifecycle.ended')).toContainEqual(
      expect.objectContaining({ client_id: 'client', upstream: UPSTREAM }),
    )
  })

  it('an upstream that is down refuses nobody for good: 503, and the same token works afterwards', async () => {
    const { refresh_token } = await signIn()
    await on.chain.upstreamControl.failNext('token', { kind: 'status', status: 503 }, { times: 1 })
    expect(await outcome(refresh_token)).toBe('503 temporarily_unavailable')
    expect(await outcome(refresh_token)).toBe('200')
  })

  it('F49 an answer that gets lost on its way here does no harm where the upstream allows a retry', async () => {
    await on.chain.upstreamControl.setRefresh({ mode: 'rotating' })
    const { refresh_token } = await signIn()
    await on.chain.upstreamControl.failNext('token', { kind: 'drop' }, { username: person() })
    expect(await outcome(refresh_token)).toBe('503 temporarily_unavailable')
    expect(await outcome(refresh_token)).toBe('200')
  })

  it.each([-3600, -90, 3600])(
    'F68 A17 the clock is set by %s seconds: the upstream is asked all the same',
    async (seconds) => {
      const { refresh_token } = await signIn()
      const { body } = await refresh(refresh_token)
      await on.chain.upstreamControl.disablePerson(person())
      clock.advance(seconds)
      expect(await outcome(String(body['refresh_token']))).toBe('400 invalid_grant')
    },
  )

  it('C58 an ID token of somebody else ends it', async () => {
    const { refresh_token } = await signIn()
    await on.chain.upstreamControl.corruptNext({ kind: 'wrong_iss' }, { username: person() })
    expect(await outcome(refresh_token)).toBe('400 invalid_grant')
    expect(await outcome(refresh_token)).toBe('400 invalid_grant')
  })

  it.each(['static', 'rotating', 'one_time', 'reuse_revokes'] as const)(
    'goes on and on at an upstream whose refresh tokens are %s',
    async (mode) => {
      await on.chain.upstreamControl.setRefresh({ mode })
      let { refresh_token: token } = await signIn()
      for (let use = 0; use < 3; use += 1) {
        const { status, body } = await refresh(token)
        expect(status).toBe(200)
        token = String(body['refresh_token'])
      }
    },
  )

  it('gives no refresh token where the upstream gave none', async () => {
    await on.chain.upstreamControl.setRefresh({ issued: 'never' })
    expect((await signIn())['refresh_token']).toBeUndefined()
    expect(on.chain.events('lifecycle.not_coupled')).toHaveLength(1)
  })
})

describe('coupling: lease', () => {
  const on = useChain(settings({ coupling: 'lease', lease: '5m', outage_grace: '1h' }))
  const clock = useClock()
  const { signIn, refresh, outcome, asked, person } = actions(on)
  const next = async (token: string) => String((await refresh(token)).body['refresh_token'])

  it('asks once per lease, at the cost of a refresh that asks nobody within it', async () => {
    const { refresh_token } = await signIn()
    const before = await asked()
    const second = await next(refresh_token)
    expect(await asked()).toBe(before)
    const [last] = on.chain.events('request.done').slice(-1)
    expect((last as { storage: { round_trips: number } }).storage.round_trips).toBeLessThanOrEqual(
      5,
    )
    clock.advance(301)
    const third = await next(second)
    await next(third)
    expect(await asked()).toBe(before + 1)
  })

  it('A17 who is disabled upstream is out at the first refresh after the lease', async () => {
    const { refresh_token } = await signIn()
    await on.chain.upstreamControl.disablePerson(person())
    const second = await next(refresh_token)
    clock.advance(301)
    expect(await outcome(second)).toBe('400 invalid_grant')
  })

  it('F68 A17 a clock that is set back by an hour does not make the lease an hour longer', async () => {
    const { refresh_token } = await signIn()
    await on.chain.upstreamControl.disablePerson(person())
    clock.advance(-3600)
    expect(await outcome(refresh_token)).toBe('400 invalid_grant')
  })

  it('an outage is borne for the grace, and no longer; nobody is out for good by it', async () => {
    let { refresh_token: token } = await signIn()
    const before = claimsOf((await signIn()).access_token)['authorities']
    await on.chain.upstreamControl.failNext('token', { kind: 'status', status: 503 }, { times: 2 })
    clock.advance(301)
    const borne = await refresh(token)
    expect([borne.status, claimsOf(borne.body.access_token)['authorities']]).toEqual([200, before])
    token = String(borne.body['refresh_token'])
    clock.advance(3600)
    expect(await outcome(token)).toBe('503 temporarily_unavailable')
    expect(await outcome(token)).toBe('200')
  })
})

describe('coupling: cached', () => {
  const on = useChain(settings({ coupling: 'cached', idle: '1h', absolute: '2h' }))
  const clock = useClock()
  const { signIn, refresh, outcome, asked, person } = actions(on)

  it('never asks: who is disabled upstream is out at the absolute end', async () => {
    let { refresh_token: token } = await signIn()
    const before = await asked()
    await on.chain.upstreamControl.disablePerson(person())
    for (let use = 0; use < 3; use += 1) {
      clock.advance(2300)
      const { status, body } = await refresh(token)
      expect(status).toBe(200)
      token = String(body['refresh_token'])
    }
    expect(await asked()).toBe(before)
    clock.advance(301)
    expect(await outcome(token)).toBe('400 invalid_grant')
  })
})

describe.each(['memory', 'sqlite'] as const)('with a slow %s store', (storage) => {
  const on = useChain({ storage, wrapDriver: slowDriver, ...settings({ coupling: 'strict' }) })
  const { signIn, refresh, outcome, asked } = actions(on)
  afterEach(() => on.chain.upstreamControl.reset())

  it('A21 50 parallel refreshes ask the upstream once, and all get the same successor', async () => {
    await on.chain.upstreamControl.setRefresh({ mode: 'reuse_revokes' })
    const { refresh_token } = await signIn()
    const before = await asked()
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)))
    const told = new Set(
      answers.map(({ status, body }) => `${status} ${String(body['refresh_token'])}`),
    )
    expect(told.size).toBe(1)
    expect(await asked()).toBeLessThanOrEqual(before + 3)
    const [one] = told
    expect(await outcome(String(one).slice(4))).toBe('200')
  })
})

describe('a store that fails for a moment', () => {
  const breaker = createBreaker()
  const on = useChain({ ...settings({ coupling: 'strict' }), wrapDriver: breaker.wrap })
  const clock = useClock()
  const { signIn, outcome } = actions(on)
  afterEach(() => breaker.mend())

  it.each(['static', 'one_time'] as const)(
    'F20 at whichever step of a refresh, upstream tokens %s: 503 or done, and the next try works',
    async (mode) => {
      await on.chain.upstreamControl.setRefresh({ mode })
      const seen = new Set<string>()
      for (let at = 1, isOver = false; !isOver; at += 1) {
        const { refresh_token } = await signIn()
        breaker.breakAt(at)
        seen.add(await outcome(refresh_token))
        isOver = breaker.count() < at
        breaker.mend()
        // A lease that could not be given back is over then.
        clock.advance(11)
        expect(await outcome(refresh_token), `after a failure at operation ${at}`).toBe('200')
      }
      expect(seen).toEqual(new Set(['200', '503 temporarily_unavailable']))
    },
  )
})
