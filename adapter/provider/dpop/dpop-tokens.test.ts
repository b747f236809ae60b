// Tokens bound to a key of the app: how one gets them, and that they are of no use without the key, wherever it is shown.
import { UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, type Parameters } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { CLIENT, login, post, SECOND } from '../endpoints/test-support/token-calls.ts'
import { hashOf, proofKey, proofOf, type ProofKey } from './test-support/proofs.ts'

const MACHINE = ['machine', 'machine-secret'] as const
const PUBLIC = 'public-client'
const PUBLIC_URI = 'http://127.0.0.1:8099/callback'
const on = useChain({
  config: {
    clients: {
      'second-client': { dpop_bound_access_tokens: true },
      machine: { client_secret: MACHINE[1], grant_types: ['client_credentials'], scope: 'read' },
      opaque: {
        client_secret: 'opaque-secret',
        redirect_uris: [PUBLIC_URI],
        access_token: { format: 'opaque' },
      },
      [PUBLIC]: { redirect_uris: [PUBLIC_URI], refresh: { when: 'always' } },
    },
  },
})
const clock = useClock()
let key: ProofKey
let otherKey: ProofKey
beforeAll(async () => {
  ;[key, otherKey] = await Promise.all([proofKey(), proofKey()])
})

const tokenUrl = () => `${on.chain.issuer}/oauth2/token`
const userinfoUrl = () => `${on.chain.issuer}/userinfo`
const now = () => Math.floor(Date.now() / 1000)
const tokenProof = (claims: object = {}, header: object = {}, by = key) =>
  proofOf(by, { htm: 'POST', htu: tokenUrl(), ...claims }, { ...header })

/** Signs in and redeems with a proof. */
async function boundTokens(app = on.chain.app, parameters: Parameters = {}, id = CLIENT) {
  const request = app.request(parameters)
  const { url } = await on.chain.signIn(on.chain.newBrowser(), request.url)
  const form = {
    grant_type: 'authorization_code',
    code: url.searchParams.get('code') ?? '',
    redirect_uri: parameters['redirect_uri'] ?? app.redirectUri,
    code_verifier: request.verifier,
    ...(id[1] === '' && { client_id: id[0] }),
  }
  const credentials = id[1] === '' ? null : id
  return post(on.chain, '/oauth2/token', form, credentials, { dpop: await tokenProof() })
}

const machine = (dpop: string) =>
  post(on.chain, '/oauth2/token', { grant_type: 'client_credentials' }, MACHINE, { dpop })

async function userinfo(authorization: string, dpop?: string, method = 'GET') {
  const headers = { authorization, ...(dpop !== undefined && { dpop }) }
  const response = await fetch(`${on.chain.url}/userinfo`, { method, headers })
  return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '' }
}

describe('a bound token', () => {
  let token: string
  beforeAll(async () => {
    token = String((await boundTokens()).body['access_token'])
  })
  const proof = (claims: object = {}, header: object = {}, by = key) =>
    proofOf(by, { htm: 'GET', htu: userinfoUrl(), ath: hashOf(token), ...claims }, { ...header })

  it('names its key, at the token endpoint and to who introspects it', async () => {
    const { status, body } = await boundTokens()
    expect([status, body['token_type']]).toEqual([200, 'DPoP'])
    const claims = claimsOf(String(body['access_token']))
    expect(claims['cnf']).toEqual({ jkt: key.jkt })
    const asked = await post(on.chain, '/oauth2/introspect', {
      token: String(body['access_token']),
    })
    expect(asked.body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: key.jkt } })
  })

  it.each(['ES256', 'PS256', 'EdDSA'])(
    'C38 is served to the holder of a key for %s',
    async (alg) => {
      const own = await proofKey(alg)
      const answer = await machine(await tokenProof({}, {}, own))
      expect(answer.body['token_type']).toBe('DPoP')
      expect((await userinfo(`DPoP ${token}`, await proof())).status).toBe(200)
      expect((await userinfo(`dpop ${token}`, await proof({ htm: 'POST' }), 'POST')).status).toBe(
        200,
      )
    },
  )

  it('is refused as a bearer token, with a proof and without', async () => {
    for (const dpop of [undefined, await proof()]) {
      const { status, challenge } = await userinfo(`Bearer ${token}`, dpop)
      expect([status, challenge]).toEqual([
        401,
        'DPoP error="invalid_token", algs="ES256 EdDSA Ed25519 PS256"',
      ])
    }
  })

  it('a bearer token is not taken for a bound one', async () => {
    const { access_token: bearer } = await login(on.chain)
    const { status, challenge } = await userinfo(
      `DPoP ${bearer}`,
      await proof({ ath: hashOf(bearer) }),
    )
    expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')])
    expect((await userinfo(`Bearer ${bearer}`)).status).toBe(200)
  })

  it('A22 C38 a proof is good once', async () => {
    const once = await proof()
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await userinfo(`DPoP ${token}`, once)).status),
    )
    expect(answers.filter((status) => status === 200)).toHaveLength(1)
    expect(answers.filter((status) => status === 401)).toHaveLength(19)
  })

  it('A22 a proof dated ahead is good once too, also when it is remembered no more by its date', async () => {
    const once = await proof({ iat: now() + 290 })
    expect((await userinfo(`DPoP ${token}`, once)).status).toBe(200)
    const early = await tokenProof({ iat: now() + 290 })
    expect((await machine(early)).status).toBe(200)
    clock.advance(310)
    expect((await userinfo(`DPoP ${token}`, once)).status).toBe(401)
    expect((await machine(early)).status).toBe(400)
  })

  const PROOFS: [name: string, make: () => Promise<string>][] = [
    ['none', async () => ''],
    ['no JWT', async () => 'proof'],
    ['cut', async () => (await proof()).slice(0, -10)],
    ['8 kB', async () => proof({ more: 'x'.repeat(8192) })],
    ['two at once', async () => `${await proof()}, ${await proof()}`],
    ['of another key', async () => proof({}, {}, otherKey)],
    ['of another key that names ours', async () => proof({}, { jwk: key.jwk }, otherKey)],
    ['of RS256', async () => proof({}, {}, await proofKey('RS256'))],
    ['unsigned', async () => new UnsecuredJWT(claimsOf(await proof())).encode()],
    ['of another type', async () => proof({}, { typ: 'JWT' })],
    ['without its key', async () => proof({}, { jwk: undefined })],
    ['for another method', async () => proof({ htm: 'POST' })],
    ['for a method in small letters', async () => proof({ htm: 'get' })],
    ['for another address', async () => proof({ htu: tokenUrl() })],
    ['for another host', async () => proof({ htu: 'https://evil.test/userinfo' })],
    ['for no address', async () => proof({ htu: undefined })],
    ['without the hash of a token', async () => proof({ ath: undefined })],
    ['for another token', async () => proof({ ath: hashOf('another') })],
    ['without jti', async () => proof({ jti: undefined })],
    ['with a jti of 600 characters', async () => proof({ jti: 'x'.repeat(600) })],
    ['without iat', async () => proof({ iat: undefined })],
    ['C38 too old', async () => proof({ iat: now() - 301 })],
    ['C38 dated too far ahead', async () => proof({ iat: now() + 320 })],
  ]
  it.each(PROOFS)('C38 userinfo refuses a proof: %s', async (_name, make) => {
    const { status, challenge } = await userinfo(`DPoP ${token}`, await make())
    expect([status, challenge]).toEqual([
      401,
      expect.stringMatching(/^DPoP error="invalid_dpop_proof", algs=/) as unknown,
    ])
  })

  it.each(PROOFS)('C38 /verify refuses a proof: %s', async (_name, make) => {
    const dpop = { proof: (await make()) || 'x', method: 'GET', url: userinfoUrl() }
    expect(await verify(token, dpop)).toMatchObject({ valid: false, error: 'dpop' })
  })

  const verify = async (of: string, dpop?: unknown) => {
    const response = await fetch(`${on.chain.url}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: of, audience: 'client', dpop }),
    })
    return { status: response.status, ...((await response.json()) as object) }
  }

  it('/verify takes it with the proof of its holder, once, for whatever service', async () => {
    const url = 'https://api.test/orders?page=2'
    const dpop = {
      proof: await proof({ htm: 'PUT', htu: 'https://api.test/orders' }),
      method: 'PUT',
      url,
    }
    expect(await verify(token, dpop)).toMatchObject({
      valid: true,
      claims: { cnf: { jkt: key.jkt } },
    })
    expect(await verify(token, dpop)).toMatchObject({ valid: false, error: 'dpop' })
  })

  it('/verify refuses it without, and a bearer token with one', async () => {
    expect(await verify(token)).toMatchObject({ valid: false, error: 'dpop' })
    const { access_token: bearer } = await login(on.chain)
    const dpop = {
      proof: await proof({ ath: hashOf(bearer) }),
      method: 'GET',
      url: userinfoUrl(),
    }
    expect(await verify(bearer, dpop)).toMatchObject({ valid: false, error: 'dpop' })
    expect(await verify(bearer)).toMatchObject({ valid: true })
  })

  it.each([
    null,
    'proof',
    {},
    { proof: 'x', method: 'GET' },
    { proof: 1, method: 'GET', url: 'u' },
  ])('/verify does not understand dpop: %j', async (dpop) =>
    expect((await verify(token, dpop)).status).toBe(400),
  )

  it('may be opaque', async () => {
    const credentials = ['opaque', 'opaque-secret'] as const
    const change = { client_id: 'opaque', redirect_uri: PUBLIC_URI, scope: 'openid' }
    const { body } = await boundTokens(on.chain.app, change, credentials)
    const opaque = String(body['access_token'])
    expect(opaque).toMatch(/^[\w-]{43}$/)
    expect((await userinfo(`Bearer ${opaque}`)).status).toBe(401)
    const ath = hashOf(opaque)
    expect((await userinfo(`DPoP ${opaque}`, await proof({ ath }))).status).toBe(200)
  })
})

describe('the token endpoint', () => {
  const PROOFS: [name: string, claims: () => object, header?: object][] = [
    ['for another method', () => ({ htm: 'GET' })],
    ['for another address', () => ({ htu: userinfoUrl() })],
    ['for another host', () => ({ htu: 'https://evil.test/oauth2/token' })],
    ['without jti', () => ({ jti: undefined })],
    ['without iat', () => ({ iat: undefined })],
    ['of another type', () => ({}), { typ: 'JWT' }],
    ['with the private key in it', () => ({}), { jwk: { kty: 'oct', k: 'AAAA' } }],
  ]
  it.each(PROOFS)('C38 refuses a proof %s', async (_name, claims, header) => {
    const { status, body } = await machine(await tokenProof(claims(), header))
    expect([status, body['error']]).toEqual([400, 'invalid_dpop_proof'])
  })

  it.each([-10, 10])('C38 takes a proof whose clock is %i s off', async (seconds) => {
    expect((await machine(await tokenProof({ iat: now() + seconds }))).status).toBe(200)
  })

  it('C38 answers one that is too old with a nonce, which is good then', async () => {
    const old = { iat: now() - 400 }
    const refused = await machine(await tokenProof(old))
    expect([refused.status, refused.body['error']]).toEqual([400, 'use_dpop_nonce'])
    const nonce = refused.headers.get('dpop-nonce')
    expect((await machine(await tokenProof({ ...old, nonce }))).status).toBe(200)
    expect((await machine(await tokenProof({ ...old, nonce: 'made-up' }))).status).toBe(400)
  })

  it('A22 a jti that differs in case or space is another', async () => {
    const jtis = ['the-jti', 'The-jti', 'the-jti ', ' the-jti', 'the-jti']
    const statuses: number[] = []
    for (const jti of jtis) statuses.push((await machine(await tokenProof({ jti }))).status)
    expect(statuses).toEqual([200, 200, 200, 200, 400])
  })

  it('gives an app that must have bound tokens no others', async () => {
    const request = on.chain.secondApp.request()
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const { status, body } = await on.chain.secondApp.finish(visit, request)
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
    const bound = await boundTokens(on.chain.secondApp, {}, SECOND)
    expect(bound.body['token_type']).toBe('DPoP')
  })

  it('C38 a code for one key (dpop_jkt) is not redeemed with another', async () => {
    const other = await boundTokens(on.chain.app, { dpop_jkt: otherKey.jkt })
    expect([other.status, other.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await boundTokens(on.chain.app, { dpop_jkt: key.jkt })).status).toBe(200)
  })

  it('C38 a pushed request binds its code to the key of its proof', async () => {
    const push = async (by: ProofKey, extra: Record<string, string> = {}) => {
      const { url, verifier } = on.chain.app.request(extra)
      const dpop = await proofOf(by, { htm: 'POST', htu: `${on.chain.issuer}/oauth2/par` })
      const form = Object.fromEntries(url.searchParams)
      const answer = await post(on.chain, '/oauth2/par', form, CLIENT, { dpop })
      return { ...answer, verifier }
    }
    const mismatch = await push(otherKey, { dpop_jkt: key.jkt })
    expect([mismatch.status, mismatch.body['error']]).toEqual([400, 'invalid_request'])
    for (const [by, status] of [
      [otherKey, 400],
      [key, 200],
    ] as const) {
      const { body, verifier } = await push(by)
      const query = { client_id: 'client', request_uri: String(body['request_uri']) }
      const url = `${on.chain.url}/oauth2/authorize?${new URLSearchParams(query).toString()}`
      const visit = await on.chain.signIn(on.chain.newBrowser(), url)
      const form = {
        grant_type: 'authorization_code',
        code: visit.url.searchParams.get('code') ?? '',
        redirect_uri: on.chain.app.redirectUri,
        code_verifier: verifier,
      }
      const dpop = await tokenProof()
      const answer = await post(on.chain, '/oauth2/token', form, CLIENT, { dpop })
      expect([by.jkt, answer.status]).toEqual([by.jkt, status])
    }
  })

  it('C38 binds the refresh tokens of a public app to its key', async () => {
    const change = { client_id: PUBLIC, redirect_uri: PUBLIC_URI, scope: 'openid' }
    const { body } = await boundTokens(on.chain.app, change, [PUBLIC, ''])
    const refresh = (by: ProofKey | undefined, value: unknown) => async () => {
      const form = {
        grant_type: 'refresh_token',
        client_id: PUBLIC,
        refresh_token: String(value),
      }
      const dpop = by && { dpop: await tokenProof({}, {}, by) }
      return post(on.chain, '/oauth2/token', form, null, { ...dpop })
    }
    for (const by of [undefined, otherKey])
      expect((await refresh(by, body['refresh_token'])()).body['error']).toBe('invalid_grant')
    const again = await refresh(key, body['refresh_token'])()
    expect([again.status, again.body['token_type']]).toEqual([200, 'DPoP'])
    expect(claimsOf(String(again.body['access_token']))['cnf']).toEqual({ jkt: key.jkt })
  })
})
