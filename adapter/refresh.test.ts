// Refresh tokens through the whole chain: given, used, replaced, lost, stolen, and over with what they hang on.
import { afterEach, describe, expect, it } from 'vitest'
import { claimsOf, type TokenAnswer } from './test-support/app.ts'
import { createBreaker } from './test-support/breakable-driver.ts'
import { slowDriver } from './test-support/slow-driver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'
const MINUTE = 60
const DAY = 86_400
/** find, grant, identity, consume; then the successor and its place in the index. */
const OPERATIONS = 6

const settings = (client: object, second: object = client) => ({
  config: {
    clients: {
      client: { scope: OFFLINE, refresh: client },
      'second-client': { scope: OFFLINE, refresh: second },
    },
  },
})

type Tokens = TokenAnswer['body'] & { refresh_token: string }

/** What a test of this page does with a chain. */
function actions(on: ReturnType<typeof useChain>) {
  async function signIn(scope = OFFLINE): Promise<Tokens> {
    const request = on.chain.app.request({ scope })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const { status, body } = await on.chain.app.finish(visit, request)
    expect(status).toBe(200)
    return body as Tokens
  }
  const refresh = (refresh_token: string, form: Record<string, string> = {}) =>
    on.chain.app.redeem('', {
      redirectUri: undefined,
      form: { grant_type: 'refresh_token', code: undefined, refresh_token, ...form },
    })
  /** 200, or the error. */
  async function outcome(token: string): Promise<string> {
    const { status, body } = await refresh(token)
    return status === 200 ? '200' : String(body['error'])
  }
  return { signIn, refresh, outcome }
}

describe('refresh tokens that are replaced', () => {
  const on = useChain(settings({ rotation: 'always' }))
  const clock = useClock()
  const { signIn, refresh, outcome } = actions(on)

  it('C27 a refresh gives new tokens of the same person, and a new refresh token', async () => {
    const first = await signIn()
    const { status, headers, body } = await refresh(first.refresh_token)
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body['refresh_token']).toMatch(/^[\w-]{43}$/)
    expect(body['refresh_token']).not.toBe(first.refresh_token)
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'testuser',
      aud: 'client',
      test_auth_server_sub: 'testuser',
      authorities: ['ROLE_USER'],
      scope: OFFLINE,
    })
    expect(claimsOf(body.access_token)['jti']).not.toBe(claimsOf(first.access_token)['jti'])
    const before = claimsOf(first.id_token)
    const { iss, sub, aud, auth_time } = claimsOf(body.id_token)
    expect({ iss, sub, aud, auth_time }).toEqual({
      iss: before['iss'],
      sub: before['sub'],
      aud: before['aud'],
      auth_time: before['auth_time'],
    })
  })

  it('C27 the refresh token of another client is invalid_grant, and stays good for its own', async () => {
    const { refresh_token } = await signIn()
    const stolen = await on.chain.secondApp.redeem('', {
      redirectUri: undefined,
      form: { grant_type: 'refresh_token', code: undefined, refresh_token },
    })
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant'])
    expect(await outcome(refresh_token)).toBe('200')
  })

  it('A48 a refresh may ask for less than was granted, never for more', async () => {
    const { refresh_token } = await signIn('openid offline_access')
    const wider = await refresh(refresh_token, { scope: 'openid profile offline_access' })
    expect([wider.status, wider.body['error']]).toEqual([400, 'invalid_scope'])
    const narrower = await refresh(refresh_token, { scope: 'openid' })
    expect(claimsOf(narrower.body.access_token)['scope']).toBe('openid')
  })

  it('F49 a lost answer: the used token gives the same successor again, which then works', async () => {
    const { refresh_token } = await signIn()
    const lost = await refresh(refresh_token)
    clock.advance(30)
    const again = await refresh(refresh_token)
    expect(again.status).toBe(200)
    expect(again.body['refresh_token']).toBe(lost.body['refresh_token'])
    expect(await outcome(String(again.body['refresh_token']))).toBe('200')
  })

  it('F49 A21 after the grace, reuse ends the family: the successor too, and what it would give', async () => {
    const { refresh_token } = await signIn()
    const { body } = await refresh(refresh_token)
    clock.advance(62)
    expect(await outcome(refresh_token)).toBe('invalid_grant')
    expect(await outcome(String(body['refresh_token']))).toBe('invalid_grant')
    expect((await on.chain.app.userinfo(body.access_token)).status).toBe(401)
  })

  it('A21 within the grace, a token whose successor has been used is reuse: the family ends', async () => {
    const { refresh_token: first } = await signIn()
    const second = String((await refresh(first)).body['refresh_token'])
    const third = String((await refresh(second)).body['refresh_token'])
    expect(await outcome(first)).toBe('invalid_grant')
    expect([await outcome(second), await outcome(third)]).toEqual([
      'invalid_grant',
      'invalid_grant',
    ])
  })

  it('a refresh token lives 14 days unused, and 30 days in all', async () => {
    const idle = await signIn()
    let { refresh_token: used } = await signIn()
    for (let day = 13; day <= 26; day += 13) {
      clock.advance(13 * DAY)
      used = String((await refresh(used)).body['refresh_token'])
    }
    expect(used).toMatch(/^[\w-]{43}$/)
    expect(await outcome(idle.refresh_token)).toBe('invalid_grant')
    clock.advance(3 * DAY)
    used = String((await refresh(used)).body['refresh_token'])
    clock.advance(DAY + MINUTE)
    expect(await outcome(used)).toBe('invalid_grant')
  })

  it('takes prompt=consent beside offline_access, as libraries send it, for what the configuration has said', async () => {
    const request = on.chain.app.request({ scope: OFFLINE, prompt: 'consent' })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const { body } = await on.chain.app.finish(visit, request)
    expect(await outcome(String(body['refresh_token']))).toBe('200')
  })

  it('waits for the storage at most 5 times', async () => {
    const { refresh_token } = await signIn()
    await refresh(refresh_token)
    const [last] = on.chain.events('request.done').slice(-1)
    expect(last).toMatchObject({ path: '/oauth2/token', status: 200 })
    const { round_trips: trips } = (last as { storage: { round_trips: number } }).storage
    expect(trips).toBeGreaterThan(0)
    expect(trips).toBeLessThanOrEqual(5)
  })

  it('without offline_access there is none, and the grant type is refused with nothing to show', async () => {
    expect((await signIn('openid profile'))['refresh_token']).toBeUndefined()
    expect(await outcome('a'.repeat(43))).toBe('invalid_grant')
    expect(await outcome('')).toBe('invalid_request')
    expect(await outcome('x'.repeat(65_000))).not.toBe('200')
  })
})

describe('refresh tokens that stay the same', () => {
  const on = useChain(settings({ rotation: 'public_only', idle: '2d', absolute: '4d' }))
  const clock = useClock()
  const { signIn, refresh, outcome } = actions(on)

  it('of an app with a secret: each use gives the same one, and prolongs it up to the absolute end', async () => {
    const { refresh_token } = await signIn()
    for (let use = 0; use < 3; use += 1) {
      clock.advance(1.2 * DAY)
      const { status, body } = await refresh(refresh_token)
      expect([status, body['refresh_token']]).toEqual([200, refresh_token])
    }
    clock.advance(0.5 * DAY)
    expect(await outcome(refresh_token)).toBe('invalid_grant')
  })

  it('and ends unused', async () => {
    const { refresh_token } = await signIn()
    clock.advance(2 * DAY + MINUTE)
    expect(await outcome(refresh_token)).toBe('invalid_grant')
  })
})

describe('refresh tokens of an app without a secret', () => {
  const on = useChain({
    config: {
      clients: { client: { client_secret: undefined, scope: OFFLINE, refresh: {} } },
    },
  })

  it('are replaced without being told to (RFC 9700)', async () => {
    const request = on.chain.app.request({ scope: OFFLINE })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const post = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ client_id: 'client', ...form })
      const answer = await fetch(`${on.chain.issuer}/oauth2/token`, { method: 'POST', body })
      return (await answer.json()) as Record<string, string>
    }
    const { refresh_token: first = '' } = await post({
      grant_type: 'authorization_code',
      code: visit.url.searchParams.get('code') ?? '',
      redirect_uri: on.chain.app.redirectUri,
      code_verifier: request.verifier,
    })
    const use = () => post({ grant_type: 'refresh_token', refresh_token: first })
    const { refresh_token: second } = await use()
    expect(second).toMatch(/^[\w-]{43}$/)
    expect(second).not.toBe(first)
    expect((await use())['refresh_token']).toBe(second)
  })
})

describe('refresh tokens without offline_access', () => {
  const on = useChain(settings({ when: 'always', rotation: 'always' }))
  const clock = useClock()
  const { signIn, refresh, outcome } = actions(on)

  it('end with the session; those with it live on', async () => {
    const bound = await signIn('openid')
    const offline = await signIn()
    expect(await outcome(bound.refresh_token)).toBe('200')
    const second = String((await refresh(offline.refresh_token)).body['refresh_token'])
    clock.advance(9 * 3600)
    expect(await outcome(bound.refresh_token)).toBe('invalid_grant')
    const { status, body } = await refresh(second)
    expect(status).toBe(200)
    const userinfo = await on.chain.app.userinfo(body.access_token)
    expect([userinfo.status, await userinfo.json()]).toMatchObject([200, { sub: 'testuser' }])
  })
})

describe('a session that goes on', () => {
  const on = useChain(settings({ when: 'always', rotation: 'always' }))
  const clock = useClock()
  const { outcome } = actions(on)

  it('prolongs the grant that it uses again', async () => {
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request({ scope: 'openid' }).url)
    clock.advance(7 * 3600)
    const again = on.chain.app.request({ scope: 'openid' })
    const { body } = await on.chain.app.finish(await browser.open(again.url), again)
    clock.advance(2 * 3600)
    expect(await outcome(String(body['refresh_token']))).toBe('200')
  })
})

describe('with a grace of 0', () => {
  const on = useChain(settings({ rotation: 'always', grace: '0s' }))
  const { signIn, refresh, outcome } = actions(on)

  it('A21 any second use ends the family', async () => {
    const { refresh_token } = await signIn()
    const { body } = await refresh(refresh_token)
    expect(await outcome(refresh_token)).toBe('invalid_grant')
    expect(await outcome(String(body['refresh_token']))).toBe('invalid_grant')
  })
})

describe.each(['memory', 'sqlite'] as const)('with a slow %s store', (storage) => {
  const on = useChain({ storage, wrapDriver: slowDriver, ...settings({ rotation: 'always' }) })
  const { signIn, refresh, outcome } = actions(on)

  it('A21 50 parallel uses of one refresh token: all get the same successor, which works once more', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { refresh_token } = await signIn()
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)))
      const successors = new Set(
        answers.map(({ status, body }) => `${status} ${String(body['refresh_token'])}`),
      )
      expect(successors.size).toBe(1)
      const [successor] = successors
      expect(successor).toMatch(/^200 [\w-]{43}$/)
      expect(await outcome(String(successor).slice(4))).toBe('200')
    }
  })
})

describe('with a store that fails', () => {
  const store = createBreaker()
  const on = useChain({ wrapDriver: store.wrap, ...settings({ rotation: 'always' }) })
  const { signIn, refresh, outcome } = actions(on)
  afterEach(() => store.mend())

  it('F49 F21 at any one operation of a refresh: 503 without a token, and the same token works afterwards', async () => {
    for (let at = 1; at <= OPERATIONS; at += 1) {
      const { refresh_token } = await signIn()
      store.breakAt(at)
      const { status, body } = await refresh(refresh_token)
      store.mend()
      expect([at, status, body['error'], body['access_token']]).toEqual([
        at,
        503,
        'temporarily_unavailable',
        undefined,
      ])
      expect(await outcome(refresh_token)).toBe('200')
    }
  })

  it('A21 at any one operation of the end of a family: no token, and the next try ends it', async () => {
    for (let at = 1; at <= 7; at += 1) {
      const { refresh_token: first } = await signIn()
      const second = String((await refresh(first)).body['refresh_token'])
      await refresh(second)
      store.breakAt(at)
      const { status, body } = await refresh(first)
      store.mend()
      expect([at, status >= 400, body['access_token']]).toEqual([at, true, undefined])
      expect(await outcome(first)).toBe('invalid_grant')
      expect(await outcome(second)).toBe('invalid_grant')
    }
  })
})
