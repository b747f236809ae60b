// An app of the FAPI 2.0 Security Profile: what it does works, and each rule has a request that breaks it and is refused.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashOf, proofKey, proofOf, type ProofKey } from './provider/dpop/test-support/proofs.ts'
import { post, type Answer } from './provider/endpoints/test-support/token-calls.ts'
import {
  claimsOf,
  headerOf,
  type AuthorizationRequest,
  type Parameters,
} from './test-support/app.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const ID = 'fapi-client'
const URI = 'http://127.0.0.1:8085/callback'
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
type Key = ProofKey['privateKey']

const [ec, rsa] = await Promise.all([
  generateKeyPair('ES256', { extractable: true }),
  generateKeyPair('PS256', { extractable: true }),
])
const rs256 = await importJWK(await exportJWK(rsa.privateKey), 'RS256')
const on = useChain(async () => ({
  config: {
    keys: { alg: 'ES256' },
    clients: {
      [ID]: {
        profile: 'fapi2',
        redirect_uris: [URI],
        scope: 'openid profile',
        refresh: { when: 'always' },
        jwks: {
          keys: [
            { ...(await exportJWK(ec.publicKey)), kid: 'ec' },
            { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' },
          ],
        },
      },
    },
  },
}))
const clock = useClock()
let key: ProofKey
let otherKey: ProofKey
beforeAll(async () => {
  ;[key, otherKey] = await Promise.all([proofKey(), proofKey()])
})

const seconds = () => Math.floor(Date.now() / 1000)
const url = (path: string) => on.chain.issuer + path

interface Proving {
  claims?: object
  alg?: string
  key?: Key
}

async function proven({ claims, alg = 'ES256', key: by = ec.privateKey }: Proving = {}) {
  const times = { iat: seconds(), exp: seconds() + 60 }
  const own = { iss: ID, sub: ID, aud: on.chain.issuer, jti: randomUUID(), ...times }
  const client_assertion = await new SignJWT({ ...own, ...claims })
    .setProtectedHeader({ alg, kid: alg === 'ES256' ? 'ec' : 'rsa' })
    .sign(by)
  return { client_id: ID, client_assertion_type: ASSERTION, client_assertion }
}

const asked = (change: Parameters = {}) =>
  on.chain.app.request({ client_id: ID, redirect_uri: URI, scope: 'openid profile', ...change })

async function push(change: Parameters = {}, proving?: Proving) {
  const request = asked(change)
  const form = { ...Object.fromEntries(request.url.searchParams), ...(await proven(proving)) }
  return { request, answer: await post(on.chain, '/oauth2/par', form, null) }
}

function bring(uri: unknown, clientId = ID): URL {
  const target = new URL('/oauth2/authorize', on.chain.url)
  const query = { client_id: clientId, request_uri: String(uri) }
  target.search = new URLSearchParams(query).toString()
  return target
}

async function signIn(browser = on.chain.newBrowser()) {
  const { request, answer } = await push()
  const visit = await on.chain.signIn(browser, bring(answer.body['request_uri']))
  return { request, answer, browser, back: visit.url }
}

interface Redeeming extends Proving {
  form?: Record<string, string>
  /** Undefined: ours. */
  dpop?: string | null
}

async function redeem(back: URL, request: AuthorizationRequest, change: Redeeming = {}) {
  const form = {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code') ?? '',
    redirect_uri: URI,
    code_verifier: request.verifier,
    ...(await proven(change)),
    ...change.form,
  }
  return askToken(form, change.dpop)
}

async function askToken(form: Record<string, string>, dpop?: string | null): Promise<Answer> {
  const proof = dpop === null ? undefined : (dpop ?? (await tokenProof()))
  return post(on.chain, '/oauth2/token', form, null, proof === undefined ? {} : { dpop: proof })
}

const tokenProof = (claims: object = {}, by = key) =>
  proofOf(by, { htm: 'POST', htu: url('/oauth2/token'), ...claims })

async function userinfo(scheme: string, token: string, by = key) {
  const dpop = await proofOf(by, { htm: 'GET', htu: url('/userinfo'), ath: hashOf(token) })
  const headers = { authorization: `${scheme} ${token}`, dpop }
  return fetch(`${on.chain.url}/userinfo`, { headers })
}

async function told(target: URL): Promise<Record<string, string>> {
  const response = await fetch(target, { redirect: 'manual', headers: { accept: 'text/html' } })
  const location = response.headers.get('location')
  return location === null
    ? { status: String(response.status) }
    : Object.fromEntries(new URL(location, on.chain.url).searchParams)
}

const refusal = ({ status, body }: Answer) => `${status} ${String(body['error'])}`

describe('an app with profile: fapi2', () => {
  it('signs people in, with everything that the profile asks for', async () => {
    const { request, answer, back } = await signIn()
    expect(answer.body['expires_in']).toBeLessThan(600)
    expect(Object.fromEntries(back.searchParams)).toEqual({
      code: expect.any(String) as unknown,
      state: request.state,
      iss: on.chain.issuer,
    })
    const tokens = await redeem(back, request)
    expect([tokens.status, tokens.body['token_type']]).toEqual([200, 'DPoP'])
    const [access, id] = [String(tokens.body['access_token']), String(tokens.body['id_token'])]
    expect([headerOf(access)['alg'], headerOf(id)['alg']]).toEqual(['ES256', 'ES256'])
    expect(claimsOf(access)).toMatchObject({ cnf: { jkt: key.jkt }, sub: 'testuser' })
    expect((await userinfo('DPoP', access)).status).toBe(200)
  })

  it('PS256 is as good', async () => {
    const { answer } = await push({}, { alg: 'PS256', key: rsa.privateKey })
    expect(answer.status).toBe(201)
  })

  it('refresh tokens are not replaced, and each use needs the key of the app and a proof', async () => {
    const { request, back } = await signIn()
    const { body } = await redeem(back, request)
    const form = async () => ({
      grant_type: 'refresh_token',
      refresh_token: String(body['refresh_token']),
      ...(await proven()),
    })
    for (const _ of [1, 2]) {
      const again = await askToken(await form())
      expect([again.status, again.body['token_type']]).toEqual([200, 'DPoP'])
      expect(again.body['refresh_token'] ?? body['refresh_token']).toBe(body['refresh_token'])
    }
    expect((await askToken(await form(), null)).status).toBe(400)
    const { client_assertion: _, client_assertion_type: __, ...unproven } = await form()
    expect(refusal(await askToken(unproven))).toBe('401 invalid_client')
  })

  const REQUESTS: [rule: string, change: Parameters, refused: string][] = [
    [
      'C29 PKCE',
      { code_challenge: undefined, code_challenge_method: undefined },
      '400 invalid_request',
    ],
    ['C29 S256', { code_challenge_method: 'plain' }, '400 invalid_request'],
    ['response_type=code', { response_type: 'code id_token' }, '400 invalid_request'],
    ['exact redirect URIs', { redirect_uri: `${URI}/` }, '400 invalid_request'],
    [
      'exact redirect URIs, ports too',
      { redirect_uri: 'http://127.0.0.1:8086/callback' },
      '400 invalid_request',
    ],
    ['a redirect URI in each request', { redirect_uri: undefined }, '400 invalid_request'],
    ['A48 its own scopes', { scope: 'openid read' }, '400 invalid_scope'],
    [
      'no request by reference',
      { request_uri: 'https://app.test/r' },
      '400 request_uri_not_supported',
    ],
  ]
  it.each(REQUESTS)('%s', async (_rule, change, refused) => {
    expect(refusal((await push(change)).answer)).toBe(refused)
  })

  it('pushed requests alone', async () => {
    const answer = await told(asked().url)
    expect(answer).toMatchObject({ error: 'invalid_request' })
    expect(answer).not.toHaveProperty('code')
  })

  it('C30 C31 each once, by who pushed it, in its time', async () => {
    const { answer, browser } = await signIn()
    const used = bring(answer.body['request_uri'])
    expect((await browser.open(used)).url.searchParams.has('code')).toBe(false)
    const fresh = (await push()).answer.body['request_uri']
    expect(await told(bring(fresh, 'client'))).toEqual({ status: '400' })
    clock.advance(61)
    expect(await told(bring(fresh))).toEqual({ status: '400' })
  })

  const PROOFS: [rule: string, proving: () => Proving][] = [
    ['C35 with its key', () => ({ key: otherKey.privateKey })],
    ['C35 not RS256', () => ({ alg: 'RS256', key: rs256 })],
    ['C35 with sub', () => ({ claims: { sub: undefined } })],
    ['C35 for us', () => ({ claims: { aud: 'https://other.test' } })],
    ['C35 not five minutes past its exp', () => ({ claims: { exp: seconds() - 300 } })],
    ['C36 one audience, no list', () => ({ claims: { aud: [on.chain.issuer] } })],
    ['C36 our issuer, not the token endpoint', () => ({ claims: { aud: url('/oauth2/token') } })],
    ['C36 our issuer, not the endpoint asked', () => ({ claims: { aud: url('/oauth2/par') } })],
    ['C37 iat not a minute ahead', () => ({ claims: { iat: seconds() + 70 } })],
    ['C37 nbf not a minute ahead', () => ({ claims: { nbf: seconds() + 70 } })],
  ]
  it.each(PROOFS)('the app proves itself: %s', async (_rule, proving) => {
    expect(refusal((await push({}, proving())).answer)).toBe('401 invalid_client')
    const { back, request } = await signIn()
    expect(refusal(await redeem(back, request, proving()))).toBe('401 invalid_client')
  })

  it('C37 clocks that are 8 s ahead are no matter', async () => {
    const claims = { iat: seconds() + 8, nbf: seconds() + 8 }
    expect((await push({}, { claims })).answer.status).toBe(201)
  })

  it('C35 neither nobody nor a secret', async () => {
    const form = Object.fromEntries(asked().url.searchParams)
    const nobody = await post(on.chain, '/oauth2/par', form, null)
    const secret = await post(on.chain, '/oauth2/par', form, [ID, 'secret'])
    expect([refusal(nobody), refusal(secret)]).toEqual(['401 invalid_client', '401 invalid_client'])
  })

  it('A22 C35 an assertion once', async () => {
    const form = { ...Object.fromEntries(asked().url.searchParams), ...(await proven()) }
    const answers = [1, 2].map(async () => (await post(on.chain, '/oauth2/par', form, null)).status)
    expect((await Promise.all(answers)).toSorted((a, b) => a - b)).toEqual([201, 401])
  })

  const TOKENS: [rule: string, change: () => Promise<Redeeming>, refused: string][] = [
    ['tokens bound to a key', async () => ({ dpop: null }), '400 invalid_grant'],
    [
      'by a proof of this request',
      async () => ({ dpop: await tokenProof({ htm: 'GET' }) }),
      '400 invalid_dpop_proof',
    ],
    [
      'not by RS256',
      async () => ({ dpop: await tokenProof({}, await proofKey('RS256')) }),
      '400 invalid_dpop_proof',
    ],
    [
      'C29 the verifier',
      async () => ({ form: { code_verifier: 'v'.repeat(43) } }),
      '400 invalid_grant',
    ],
    [
      'the same redirect URI',
      async () => ({ form: { redirect_uri: `${URI}/` } }),
      '400 invalid_grant',
    ],
  ]
  it.each(TOKENS)('codes are redeemed: %s', async (_rule, change, refused) => {
    const { back, request } = await signIn()
    expect(refusal(await redeem(back, request, await change()))).toBe(refused)
  })

  it('C34 codes for a minute, once', async () => {
    const first = await signIn()
    expect((await redeem(first.back, first.request)).status).toBe(200)
    expect(refusal(await redeem(first.back, first.request))).toBe('400 invalid_grant')
    const late = await signIn()
    clock.advance(61)
    expect(refusal(await redeem(late.back, late.request))).toBe('400 invalid_grant')
  })

  it('tokens for who holds the key', async () => {
    const { back, request } = await signIn()
    const token = String((await redeem(back, request)).body['access_token'])
    expect((await userinfo('Bearer', token)).status).toBe(401)
    expect((await userinfo('DPoP', token, otherKey)).status).toBe(401)
    const inQuery = await fetch(`${on.chain.url}/userinfo?access_token=${token}`)
    expect(inQuery.status).toBe(401)
  })
})
