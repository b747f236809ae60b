// An upstream's token for ours (RFC 8693), through the whole chain: the same checks and the same mapping as a sign-in, and a token
// that every endpoint of ours knows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { claimsOf } from './test-support/app.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { useChain, useClock } from './test-support/use-chain.ts'
import {
  CLIENT_ID,
  encode,
  makeKey,
  signWith,
  startEvilIdp,
  type EvilIdp,
  type SigningKey,
} from './upstream/test-support/evil-idp.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const TYPE = 'urn:ietf:params:oauth:token-type:'
const API: Credentials = ['api', 'api-secret']
type Credentials = readonly [string, string]

let idp: EvilIdp
const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-exchange-'))
const on = useChain(async () => {
  idp = await startEvilIdp()
  const hooks = join(folder, 'hooks.mjs')
  writeFileSync(
    hooks,
    `export const mapClaims = ({ idToken, claims }) =>
      idToken.sub === 'barred' ? { deny: 'barred' } : { ...claims, hooked: 'yes' }\n`,
  )
  return {
    upstreams: { partner: idp.issuer, thorough: idp.issuer },
    config: {
      upstreams: {
        partner: {
          userinfo: 'when_missing',
          claims: { email: 'email', hooked: 'hooked' },
          require: { claims: { member: true } },
          hooks,
        },
        thorough: { userinfo: 'always' },
      },
      clients: {
        client: {
          scope: 'openid profile email read offline_access',
          refresh: {},
          exchange: {
            accepts_upstream_tokens: [
              {
                upstream: 'partner',
                token_types: ['id_token', 'access_token'],
                audiences: ['mobile', CLIENT_ID],
                authorized_parties: ['mobile', 'gateway'],
              },
            ],
          },
        },
        'second-client': {
          access_token: { format: 'opaque' },
          exchange: { accepts_upstream_tokens: [{ upstream: 'partner' }] },
        },
        thorough: {
          client_secret: 'thorough-secret',
          grant_types: ['client_credentials'],
          scope: 'openid',
          exchange: {
            accepts_upstream_tokens: [
              { upstream: 'thorough', token_types: ['id_token', 'access_token'] },
            ],
          },
        },
        api: {
          client_secret: 'api-secret',
          grant_types: ['client_credentials'],
          scope: 'openid',
          upstreams: [UPSTREAM],
          exchange: { accepts_upstream_tokens: [{ upstream: UPSTREAM }] },
        },
      },
      resources: { 'https://jobs.test': { scope: 'openid profile read', audience: 'jobs' } },
    },
  }
})
afterAll(async () => {
  await idp.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => void (idp.behaviour = {}))
const clock = useClock()

const seconds = () => Math.floor(Date.now() / 1000)
let tokens = 0

function signed(claims: object, header: object = {}, key = idp.keys[0] as SigningKey): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`
  return `${input}.${signWith(input, key).toString('base64url')}`
}

const person = (changes: object = {}) => ({
  iss: idp.issuer,
  sub: 'testuser',
  aud: 'mobile',
  iat: seconds(),
  exp: seconds() + 300,
  jti: `token-${(tokens += 1)}`,
  name: 'Test User',
  member: true,
  ...changes,
})
const idToken = (changes: object = {}, header: object = {}) =>
  signed({ ...person(), email: 'testuser@example.com', ...changes }, header)
const accessToken = (changes: object = {}, header: object = { typ: 'at+jwt' }) =>
  signed({ ...person(), azp: 'mobile', scope: 'openid', ...changes }, header)

const exchange = (subject_token: string, form: Record<string, string> = {}, as?: Credentials) =>
  post(
    on.chain,
    '/oauth2/token',
    { grant_type: GRANT, subject_token, subject_token_type: `${TYPE}id_token`, ...form },
    as,
  )
const exchangeAccess = (subject_token: string, form: Record<string, string> = {}) =>
  exchange(subject_token, { subject_token_type: `${TYPE}access_token`, ...form })

const introspect = async (token: unknown, as?: Credentials) =>
  (await post(on.chain, '/oauth2/introspect', { token: String(token) }, as)).body

async function verify(token: unknown, audience = 'client') {
  const response = await fetch(`${on.chain.url}/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, audience }),
  })
  return (await response.json()) as Record<string, unknown>
}

const userinfo = async (token: unknown) => (await on.chain.app.userinfo(String(token))).status

describe('an ID token of an upstream', () => {
  it('gives a token of ours, mapped as at a sign-in, with what RFC 8693 wants said', async () => {
    const { status, body } = await exchange(idToken())
    expect(status).toBe(200)
    expect(body).toEqual({
      access_token: expect.any(String) as unknown,
      issued_token_type: `${TYPE}access_token`,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid profile email read',
    })
    expect(claimsOf(String(body['access_token']))).toMatchObject({
      iss: on.chain.issuer,
      sub: 'partner:testuser',
      aud: 'client',
      client_id: 'client',
      scope: 'openid profile email read',
      name: 'Test User',
      email: 'testuser@example.com',
      authorities: ['ROLE_USER'],
      hooked: 'yes',
    })
  })

  it('A49 says how and when the person signed in as the token does, and nothing where that says nothing', async () => {
    const said = { acr: 'urn:partner:strong', amr: ['pwd', 'otp'], auth_time: seconds() - 60 }
    for (const exchanged of [
      await exchange(idToken(said)),
      await exchangeAccess(accessToken({ ...said, email: 'testuser@example.com' })),
    ]) {
      expect(exchanged.status).toBe(200)
      expect(claimsOf(String(exchanged.body['access_token']))).toMatchObject(said)
    }
    const { body } = await exchange(idToken())
    for (const name of ['acr', 'amr', 'auth_time'])
      expect(claimsOf(String(body['access_token']))).not.toHaveProperty(name)
  })

  it('userinfo, introspection and /verify know it', async () => {
    const { body } = await exchange(idToken())
    const token = body['access_token']
    const response = await on.chain.app.userinfo(String(token))
    expect(await response.json()).toMatchObject({ sub: 'partner:testuser', hooked: 'yes' })
    expect(await introspect(token)).toMatchObject({ active: true, sub: 'partner:testuser' })
    expect(await verify(token)).toMatchObject({ valid: true })
  })

  it('opaque where the client has it so', async () => {
    const second = ['second-client', 'second-secret'] as const
    const { body } = await exchange(idToken({ aud: CLIENT_ID }), {}, second)
    expect(body['access_token']).toMatch(/^[\w-]{43}$/)
    expect(await introspect(body['access_token'], second)).toMatchObject({
      active: true,
      sub: 'partner:testuser',
    })
    await post(on.chain, '/oauth2/revoke', { token: String(body['access_token']) }, second)
    expect(await introspect(body['access_token'], second)).toEqual({ active: false })
  })

  it('A48 never wider than the client: less where it wants less, for a resource what that has', async () => {
    const less = await exchange(idToken(), { scope: 'openid read' })
    expect(less.body['scope']).toBe('openid read')
    const jobs = await exchange(idToken(), { resource: 'https://jobs.test' })
    expect(claimsOf(String(jobs.body['access_token']))).toMatchObject({
      aud: 'jobs',
      scope: 'openid profile read',
    })
    expect(await userinfo(jobs.body['access_token'])).toBe(401)
    expect((await exchange(idToken(), { audience: 'jobs' })).status).toBe(200)
  })

  it('counts once', async () => {
    const token = idToken()
    const all = await Promise.all(Array.from({ length: 10 }, () => exchange(token)))
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(400)])
  })

  it('A22 counts once, also where the same signature is written another way', async () => {
    const token = idToken()
    expect((await exchange(token)).status).toBe(200)
    for (const other of otherSpellings(token)) {
      const { body } = await exchange(other)
      expect(body['access_token']).toBeUndefined()
    }
  })
})

/** The last character of a signature of 256 bytes has four bits that count for nothing; some decoders also pass over other characters. */
function otherSpellings(token: string): string[] {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = digits.indexOf(token.at(-1) as string)
  const bits = digits[last ^ 1] as string
  return [
    token.slice(0, -1) + bits,
    `${token}==`,
    `${token}=`,
    `${token.slice(0, -2)} ${token.slice(-2)}`,
  ]
}

describe('an access token of an upstream', () => {
  it('gives a token of ours, with the claims of userinfo', async () => {
    const { status, body } = await exchangeAccess(accessToken())
    expect(status).toBe(200)
    expect(claimsOf(String(body['access_token']))).toMatchObject({
      sub: 'partner:testuser',
      email: 'testuser@example.com',
    })
    expect(await userinfo(body['access_token'])).toBe(200)
  })

  it('without that type where it has a scope; and more than once', async () => {
    const token = accessToken(
      { azp: undefined, client_id: 'gateway', scope: undefined, scp: 'x' },
      {},
    )
    expect((await exchangeAccess(token)).status).toBe(200)
    expect((await exchangeAccess(token)).status).toBe(200)
  })

  it('where userinfo is required an ID token alone does not do, and userinfo has to answer', async () => {
    const as = ['thorough', 'thorough-secret'] as const
    const access = { subject_token_type: `${TYPE}access_token` }
    const token = accessToken({ aud: CLIENT_ID, azp: CLIENT_ID })
    expect((await exchange(idToken({ aud: CLIENT_ID }), {}, as)).body['error']).toBe(
      'invalid_request',
    )
    expect((await exchange(token, access, as)).status).toBe(200)
    idp.behaviour.answer = { '/userinfo': (_request, response) => response.writeHead(401).end() }
    expect((await exchange(token, access, as)).body).not.toHaveProperty('access_token')
  })

  it('A19 userinfo of another person: refused', async () => {
    idp.behaviour.userinfo = (claims) => ({ ...claims, sub: 'admin' })
    expect((await exchangeAccess(accessToken())).body['error']).toBe('invalid_request')
  })

  it('userinfo that refuses us may be done without, where it is not required', async () => {
    idp.behaviour.answer = { '/userinfo': (_request, response) => response.writeHead(401).end() }
    const { status } = await exchangeAccess(accessToken())
    expect(status).toBe(200)
  })
})

describe('fails closed', () => {
  const WRONG_ID_TOKENS: [name: string, changes: object, header?: object][] = [
    ['A18 another audience', { aud: 'other' }],
    ['A18 an array with one that nobody trusts', { aud: ['mobile', 'other'] }],
    ['A18 given to another party', { azp: 'other' }],
    ['of another issuer', { iss: 'https://other.test' }],
    ['expired', { exp: 1 }],
    ['older than five minutes', { iat: 1 }],
    ['from the future', { iat: 9_999_999_999 }],
    ['without a subject', { sub: undefined }],
    ['C49 a nonce of a sign-in here', { aud: CLIENT_ID, nonce: 'n' }],
    ['A18 an access token', { scope: 'openid' }],
    ['A18 an access token by its type', {}, { typ: 'at+jwt' }],
    ['A18 a logout token by its type', {}, { typ: 'logout+jwt' }],
    ['A18 a logout token by its events', { events: {} }],
    ['bound to a key', { cnf: { jkt: 'x' } }],
    ['of somebody who acts for another', { act: { sub: 'x' } }],
    ['without what the upstream’s rules require', { member: 'true' }],
    ['of somebody whom the hook denies', { sub: 'barred' }],
    ['A01 alg none', {}, { alg: 'none' }],
    ['an unknown key', {}, { kid: 'other' }],
  ]
  it.each(WRONG_ID_TOKENS)('an ID token: %s', async (_name, changes, header) => {
    const { status, body } = await exchange(idToken(changes, header))
    expect([status, body['error']]).toEqual([400, 'invalid_request'])
    expect(body).not.toHaveProperty('access_token')
  })

  const WRONG_ACCESS_TOKENS: [name: string, changes: object, header?: object][] = [
    ['A18 another audience', { aud: 'other' }],
    ['A18 no audience', { aud: undefined }],
    ['A18 given to another party', { azp: 'other' }],
    ['A18 given to another party, by client_id', { client_id: 'other' }],
    ['A18 given to another party, in the words of Okta', { azp: undefined, cid: 'other' }],
    ['A18 given to another party, in the words of Entra', { azp: undefined, appid: 'other' }],
    ['A18 given to nobody knows whom', { azp: undefined }],
    ['A18 an ID token', { scope: undefined }, {}],
    ['A18 an ID token with a scope', { nonce: 'n' }, {}],
    ['A18 a logout token', { events: {} }, { typ: 'logout+jwt' }],
    ['expired', { exp: 1 }],
    ['without an end', { exp: undefined }],
    ['not valid yet', { nbf: 9_999_999_999 }],
    ['bound to a key (DPoP)', { cnf: { jkt: 'x' } }],
    ['of somebody who acts for another', { act: { sub: 'x' } }],
    ['without a subject', { sub: '' }],
    ['without what the upstream’s rules require', { member: undefined }],
  ]
  it.each(WRONG_ACCESS_TOKENS)('an access token: %s', async (_name, changes, header) => {
    const { status, body } = await exchangeAccess(accessToken(changes, header))
    expect([status, body['error']]).toEqual([400, 'invalid_request'])
  })

  it('signed with a key of nobody, cut, opaque, or of 40 kB', async () => {
    const stranger = await makeKey('key-1')
    const wrong = [
      signed(person(), {}, stranger),
      idToken().slice(0, -10),
      'an-opaque-token',
      'x'.repeat(43),
      'x'.repeat(40_000),
      '..',
    ]
    for (const token of wrong)
      for (const type of ['id_token', 'access_token']) {
        const { status, body } = await exchange(token, { subject_token_type: TYPE + type })
        expect([status, body['error']]).toEqual([400, 'invalid_request'])
      }
  })

  it('A18 a kind of token, an audience or an upstream that the policy of the client does not name', async () => {
    const second = ['second-client', 'second-secret'] as const
    const refused = [
      await exchange(idToken(), {}, second),
      await exchange(
        accessToken({ aud: CLIENT_ID }),
        { subject_token_type: `${TYPE}access_token` },
        second,
      ),
      await exchange(idToken(), {}, API),
    ]
    for (const { body } of refused) expect(body['error']).toBe('invalid_request')
  })

  const WRONG_REQUESTS: [name: string, form: Record<string, string>, error: string][] = [
    ['A48 a scope beyond the client', { scope: 'openid admin' }, 'invalid_scope'],
    ['A48 offline_access', { scope: 'openid offline_access' }, 'invalid_scope'],
    ['A18 a foreign audience', { audience: 'https://other.test' }, 'invalid_target'],
    ['an audience that is a name of Object', { audience: 'constructor' }, 'invalid_target'],
    [
      'an actor token',
      { actor_token: 'x', actor_token_type: `${TYPE}id_token` },
      'invalid_request',
    ],
    ['an ID token wanted', { requested_token_type: `${TYPE}id_token` }, 'invalid_request'],
    ['a refresh token wanted', { requested_token_type: `${TYPE}refresh_token` }, 'invalid_request'],
  ]
  it.each(WRONG_REQUESTS)('%s, and the token is as good as before', async (_name, form, error) => {
    const token = idToken()
    const { status, body } = await exchange(token, form)
    expect([status, body['error']]).toEqual([400, error])
    expect((await exchange(token)).status).toBe(200)
  })

  it('an upstream whose keys can not be had: 503, and the token is as good as before', async () => {
    idp.behaviour.answer = { '/jwks': (_request, response) => response.writeHead(503).end() }
    clock.advance(3700)
    const late = idToken()
    const down = await exchange(late)
    expect([down.status, down.body['error']]).toEqual([503, 'temporarily_unavailable'])
    idp.behaviour = {}
    clock.advance(30)
    expect((await exchange(late)).status).toBe(200)
  })

  it('the reason is in the log, and no token', async () => {
    const token = idToken({ aud: 'other' })
    await exchange(token)
    expect(on.chain.events('token.refused').at(-1)).toMatchObject({
      client_id: 'client',
      oauth_error: 'invalid_request',
      reason: expect.stringContaining('aud: expected "mobile"') as unknown,
    })
    expect(on.chain.logLines.join('')).not.toContain(token)
  })
})

describe('its end', () => {
  it('A52 revoked by its client', async () => {
    const token = String((await exchange(idToken())).body['access_token'])
    await post(on.chain, '/oauth2/revoke', { token })
    expect([await userinfo(token), await introspect(token)]).toEqual([401, { active: false }])
    expect(await verify(token)).toMatchObject({ valid: false, error: 'revoked' })
  })

  it.each([
    ['a JWT', undefined, 'mobile'],
    ['opaque', ['second-client', 'second-secret'] as const, CLIENT_ID],
  ])(
    'revoked, nothing is kept of it, so that who exchanges again and again fills no store: %s',
    async (name, as, aud) => {
      const sub = `revoked ${name}`
      const { body } = await exchange(idToken({ sub, aud }), {}, as)
      const kept = async () => {
        const answer = await fetch(`${on.chain.adminUrl}/api/forget`, {
          method: 'POST',
          headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
          body: JSON.stringify({ sub: `partner:${sub}`, dry_run: true }),
        })
        return answer.status
      }
      expect(await kept()).toBe(200)
      await post(on.chain, '/oauth2/revoke', { token: String(body['access_token']) }, as)
      expect(await kept()).toBe(404)
    },
  )

  it('A52 `sessions revoke --user` and a logout token of the upstream end it', async () => {
    const [one, two] = [await exchange(idToken()), await exchange(idToken({ sub: 'other' }))]
    const { status } = await fetch(`${on.chain.adminUrl}/api/sessions/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'partner:testuser' }),
    })
    expect(status).toBe(200)
    expect([
      await userinfo(one.body['access_token']),
      await userinfo(two.body['access_token']),
    ]).toEqual([401, 200])
    const logout_token = signed(
      {
        iss: idp.issuer,
        aud: CLIENT_ID,
        sub: 'other',
        iat: seconds(),
        exp: seconds() + 120,
        jti: `logout-${(tokens += 1)}`,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
      { typ: 'logout+jwt' },
    )
    const told = await post(on.chain, '/logout/backchannel/partner', { logout_token }, null)
    expect(told.status).toBe(200)
    expect(await userinfo(two.body['access_token'])).toBe(401)
    expect(await verify(two.body['access_token'])).toMatchObject({ error: 'session_ended' })
  })

  it('A52 it lives no longer than it says', async () => {
    const { body } = await exchange(idToken())
    clock.advance(301)
    expect(await introspect(body['access_token'])).toEqual({ active: false })
  })

  it('A18 it gives no token of the upstream, and no session', async () => {
    const { body } = await exchange(idToken())
    expect(body).not.toHaveProperty('refresh_token')
    const again = await exchangeAccess(String(body['access_token']), {
      audience: 'https://files.test',
    })
    expect(again.status).toBe(400)
  })
})
