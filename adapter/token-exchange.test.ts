// Our access token for the upstream's (RFC 8693), through the whole chain: who gets which, always fresh, and what is refused.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  forgeries,
  login,
  post,
  resigned,
  type Form,
} from './provider/endpoints/test-support/token-calls.ts'
import type { TokenAnswer } from './test-support/app.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { slowDriver } from './test-support/slow-driver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const FILES = 'https://files.test'
const OFFLINE = 'openid profile read offline_access'

type Credentials = readonly [string, string]
const CLIENT: Credentials = ['client', 'secret']
const SECOND: Credentials = ['second-client', 'second-secret']
const API: Credentials = ['api', 'api-secret']

const policy = (audience = FILES, scope = 'openid profile') => ({
  upstream_tokens: [{ upstream: UPSTREAM, audience, scope }],
})
const settings = {
  config: {
    upstreams: { [UPSTREAM]: { scope: 'openid profile email offline_access' } },
    clients: {
      client: { scope: OFFLINE, refresh: {}, exchange: policy() },
      'second-client': { access_token: { format: 'opaque' } },
      api: {
        client_secret: 'api-secret',
        grant_types: ['client_credentials'],
        scope: 'jobs:read',
        exchange: policy('https://mail.test', 'openid'),
      },
    },
    resources: { 'https://jobs.test': { scope: 'openid profile', resource_server: 'api' } },
  },
}

const on = useChain(settings)
const clock = useClock()
beforeEach(() => on.chain.upstreamControl.reset())

const exchange = (form: Record<string, string> = {}, credentials: Credentials | null = CLIENT) =>
  post(
    on.chain,
    '/oauth2/token',
    { grant_type: GRANT, subject_token_type: ACCESS_TOKEN, audience: FILES, ...form },
    credentials,
  )

const upstreamUserinfo = (token: unknown) =>
  fetch(`${on.chain.upstreamIssuer}/userinfo`, {
    headers: { authorization: `Bearer ${String(token)}` },
  })

/** At the upstream's token endpoint, since the last reset. */
const asked = async () => (await on.chain.upstreamControl.requests({ endpoint: 'token' })).length

async function signInAs(person: string, scope = OFFLINE): Promise<TokenAnswer['body']> {
  await on.chain.upstreamControl.putPerson(person, { roles: ['user'] })
  const request = on.chain.app.request({ scope })
  const visit = await on.chain.signIn(on.chain.newBrowser(), request.url, person)
  return (await on.chain.app.finish(visit, request)).body
}

describe('our access token for the upstream’s', () => {
  it('gives one that works there, with what RFC 8693 wants said', async () => {
    const { access_token: subject_token } = await login(on.chain)
    const { status, body, headers } = await exchange({ subject_token })
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).toEqual({
      access_token: expect.any(String) as unknown,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: expect.any(Number) as unknown,
      scope: 'openid profile',
    })
    const userinfo = await upstreamUserinfo(body['access_token'])
    expect(await userinfo.json()).toMatchObject({ sub: 'testuser' })
  })

  it('always a fresh one: each exchange asks the upstream, also long after the sign-in', async () => {
    const { access_token: subject_token } = await login(on.chain)
    const before = await asked()
    const first = await exchange({ subject_token })
    clock.advance(200)
    const second = await exchange({ subject_token })
    expect(await asked()).toBe(before + 2)
    expect(second.body['access_token']).not.toBe(first.body['access_token'])
    expect((await upstreamUserinfo(second.body['access_token'])).status).toBe(200)
  })

  it('A48 less scope where the app wants less, and the upstream gives no more', async () => {
    const { access_token: subject_token } = await login(on.chain)
    const { body } = await exchange({ subject_token, scope: 'openid' })
    expect(body['scope']).toBe('openid')
    const claims = (await (await upstreamUserinfo(body['access_token'])).json()) as object
    expect(Object.keys(claims)).toEqual(['sub'])
  })

  it('the service that a token is for may exchange it by its own policy, and by no other', async () => {
    const { access_token: subject_token } = await login(on.chain, {
      scope: OFFLINE,
      resource: 'https://jobs.test',
    })
    const good = await exchange({ subject_token, audience: 'https://mail.test' }, API)
    expect([good.status, good.body['scope']]).toEqual([200, 'openid'])
    const other = await exchange({ subject_token }, API)
    expect([other.status, other.body['error']]).toEqual([400, 'invalid_target'])
  })

  it('`resource` names the service as well as `audience` does', async () => {
    const { access_token: subject_token } = await login(on.chain)
    const form = {
      grant_type: GRANT,
      subject_token_type: ACCESS_TOKEN,
      resource: FILES,
      subject_token,
    }
    expect((await post(on.chain, '/oauth2/token', form)).status).toBe(200)
  })

  it('goes on after a refresh, and when the session is over', async () => {
    await on.chain.upstreamControl.setRefresh({ mode: 'one_time' })
    const { refresh_token } = (await login(on.chain, { scope: OFFLINE })) as {
      refresh_token?: string
    }
    const form = { grant_type: 'refresh_token', refresh_token: refresh_token ?? '' }
    for (let round = 0; round < 2; round += 1) {
      const { body } = await post(on.chain, '/oauth2/token', form)
      const { status } = await exchange({ subject_token: String(body['access_token']) })
      expect(status).toBe(200)
    }
  })
})

describe('fails closed', () => {
  const REFUSED: [name: string, form: Form, error: string][] = [
    ['an actor token', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['the type of an actor token alone', { actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    [
      'another requested type',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    [
      'an ID token wanted',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'invalid_request',
    ],
    [
      'a SAML assertion',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
      'invalid_request',
    ],
    [
      'a refresh token as subject',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    [
      'the type of any JWT',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      'invalid_request',
    ],
    ['a type that is a name of Object', { subject_token_type: 'constructor' }, 'invalid_request'],
    ['no type', { subject_token_type: '' }, 'invalid_request'],
    ['no token', { subject_token: '' }, 'invalid_request'],
    ['A18 a foreign audience', { audience: 'https://other.test' }, 'invalid_target'],
    ['an audience that is a name of Object', { audience: 'constructor' }, 'invalid_target'],
    ['no audience', { audience: '' }, 'invalid_target'],
    ['audience and resource', { resource: FILES }, 'invalid_target'],
    [
      'A48 a scope beyond the policy, though the upstream would give it',
      { scope: 'openid email' },
      'invalid_scope',
    ],
    ['A48 a scope of ours', { scope: 'read' }, 'invalid_scope'],
    ['a scope of strange characters', { scope: 'op"en' }, 'invalid_scope'],
    ['a subject token of 40 kB', { subject_token: 'x'.repeat(40_000) }, 'invalid_request'],
    ['64 kB of subject token', { subject_token: 'x'.repeat(64 * 1024) }, 'invalid_request'],
    ['64 kB of scope', { scope: 'x'.repeat(64 * 1024) }, 'invalid_request'],
    ['64 kB of audience', { audience: 'x'.repeat(64 * 1024) }, 'invalid_request'],
  ]
  it.each(REFUSED)('%s', async (_name, form, error) => {
    const { access_token: subject_token } = await login(on.chain)
    const before = await asked()
    const { status, body } = await exchange({ subject_token, ...(form as Record<string, string>) })
    expect([status, body['error']]).toEqual([400, error])
    expect(Object.keys(body)).not.toContain('access_token')
    expect(await asked()).toBe(before)
  })

  it('a parameter twice', async () => {
    const { access_token } = await login(on.chain)
    const form: [string, string][] = [
      ['grant_type', GRANT],
      ['subject_token_type', ACCESS_TOKEN],
      ['subject_token', access_token],
      ['audience', FILES],
      ['audience', 'https://other.test'],
    ]
    const { status, body } = await post(on.chain, '/oauth2/token', form)
    expect([status, body['error']]).toEqual([400, 'invalid_request'])
  })

  it('A18 tokens that are none of ours, cut or changed', async () => {
    const { access_token } = await login(on.chain)
    for (const [name, subject_token] of forgeries(access_token)) {
      const { status, body } = await exchange({ subject_token })
      expect([status, body['error']], name).toEqual([400, 'invalid_request'])
    }
  })

  it('A18 the ID token as an access token, and the refresh token', async () => {
    const { id_token, ...rest } = await login(on.chain, { scope: OFFLINE })
    for (const subject_token of [id_token, String(rest['refresh_token'])])
      expect((await exchange({ subject_token })).body['error']).toBe('invalid_request')
  })

  it('A18 a token of another client, JWT or opaque, and a client without a policy', async () => {
    const { access_token: mine } = await login(on.chain)
    const foreign = await login(on.chain, {}, on.chain.newBrowser(), on.chain.secondApp)
    expect((await exchange({ subject_token: foreign.access_token })).body['error']).toBe(
      'invalid_request',
    )
    expect(
      (await exchange({ subject_token: mine, audience: 'https://mail.test' }, API)).body['error'],
    ).toBe('invalid_request')
    expect((await exchange({ subject_token: mine }, SECOND)).body['error']).toBe(
      'unauthorized_client',
    )
    const wrong = await exchange({ subject_token: mine }, ['client', 'wrong'])
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client'])
    expect((await exchange({ subject_token: mine }, null)).status).toBe(400)
  })

  it('a token that a client has for itself: nobody is signed in', async () => {
    const form = { grant_type: 'client_credentials' }
    const { body } = await post(on.chain, '/oauth2/token', form, API)
    const subject_token = String(body['access_token'])
    const answer = await exchange({ subject_token, audience: 'https://mail.test' }, API)
    expect(answer.body['error']).toBe('invalid_request')
  })

  it('a DPoP-bound token presented as bearer, and a proof that is not asked for', async () => {
    const { access_token } = await login(on.chain)
    const subject_token = await resigned(on.chain, access_token, { cnf: { jkt: 'x'.repeat(43) } })
    expect((await exchange({ subject_token })).body['error']).toBe('invalid_request')
    const form = { grant_type: GRANT, subject_token_type: ACCESS_TOKEN, audience: FILES }
    const proof = await post(
      on.chain,
      '/oauth2/token',
      { ...form, subject_token: access_token },
      CLIENT,
      { dpop: 'proof' },
    )
    expect(proof.body['error']).toBe('invalid_request')
  })

  it('A52 revoked, logged out, expired, of an unknown grant', async () => {
    const browser = on.chain.newBrowser()
    const { access_token: revoked, id_token } = await login(on.chain, {}, browser)
    await post(on.chain, '/oauth2/revoke', { token: revoked })
    expect((await exchange({ subject_token: revoked })).body['error']).toBe('invalid_request')

    const { access_token } = await login(on.chain)
    const moved = await resigned(on.chain, access_token, { jti: 'a.unknown-grant.unknown-session' })
    expect((await exchange({ subject_token: moved })).body['error']).toBe('invalid_request')

    const request = on.chain.app.request()
    const { body } = await on.chain.app.finish(await browser.open(request.url), request)
    const url = `${on.chain.url}/connect/logout?id_token_hint=${id_token}`
    await browser.submit(await browser.open(url), { logout: 'yes' })
    expect((await exchange({ subject_token: body.access_token })).body['error']).toBe(
      'invalid_request',
    )

    clock.advance(400)
    expect((await exchange({ subject_token: access_token })).body['error']).toBe('invalid_request')
  })

  it('A17 who is disabled upstream: invalid_request, and all that came of the sign-in ends', async () => {
    const { access_token: subject_token } = await signInAs('leaver')
    await on.chain.upstreamControl.disablePerson('leaver')
    expect((await exchange({ subject_token })).body['error']).toBe('invalid_request')
    expect((await on.chain.app.userinfo(subject_token)).status).toBe(401)
  })

  it('an upstream that is down: 503, nobody is signed out, and the next try works', async () => {
    const { access_token: subject_token } = await signInAs('waiter')
    const fault = { kind: 'status', status: 503 } as const
    await on.chain.upstreamControl.failNext('token', fault, { times: 1 })
    const down = await exchange({ subject_token })
    expect([down.status, down.body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect((await exchange({ subject_token })).status).toBe(200)
  })

  it('where the upstream gave no refresh token there is nothing to exchange', async () => {
    await on.chain.upstreamControl.setRefresh({ issued: 'never' })
    const { access_token: subject_token } = await signInAs('visitor', 'openid profile')
    expect((await exchange({ subject_token })).body['error']).toBe('invalid_request')
  })

  it('the reason is in the log, and neither there nor in an answer is a token', async () => {
    const { access_token: subject_token } = await login(on.chain)
    const { body: given } = await exchange({ subject_token })
    const { body } = await exchange({ subject_token, audience: 'https://other.test' })
    expect(on.chain.events('token.refused').at(-1)).toMatchObject({
      client_id: 'client',
      oauth_error: 'invalid_target',
      reason: expect.stringContaining('exchange.upstream_tokens') as unknown,
    })
    const shown = JSON.stringify(body) + on.chain.logLines.join('')
    for (const token of [subject_token, String(given['access_token'])])
      expect(shown).not.toContain(token)
  })
})

describe.each(['memory', 'sqlite'] as const)(
  'at the same time, with a slow %s store',
  (storage) => {
    const slow = useChain({ ...settings, storage, wrapDriver: slowDriver })
    it('A21 50 exchanges ask a one-time upstream once, and all get a token that works', async () => {
      await slow.chain.upstreamControl.setRefresh({ mode: 'one_time' })
      const { access_token: subject_token } = await login(slow.chain)
      const count = async () =>
        (await slow.chain.upstreamControl.requests({ endpoint: 'token' })).length
      const before = await count()
      const form = {
        grant_type: GRANT,
        subject_token_type: ACCESS_TOKEN,
        audience: FILES,
        subject_token,
      }
      const all = await Promise.all(
        Array.from({ length: 50 }, () => post(slow.chain, '/oauth2/token', form)),
      )
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
      expect(new Set(all.map(({ body }) => body['access_token'])).size).toBe(1)
      expect(await count()).toBe(before + 1)
    })
  },
)
