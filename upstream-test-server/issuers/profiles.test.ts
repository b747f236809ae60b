// The profiles do what they say; what becomes of it at the adapter is another test.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from '../start.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
  signIn,
  startForTest,
} from '../test-support/test-browser.ts'
import { isProfileName, profiles, profileSetup } from './profiles.ts'
import type { ProfileName } from './profiles.ts'

let server: RunningUpstreamTestServer
beforeAll(async () => {
  server = await startForTest()
  const names = Object.keys(profiles).filter(isProfileName)
  for (const name of names)
    await server.issuers.create(name, profileSetup(name, { redirectUris: [callback] }))
})
afterAll(() => server.close())

const issuerOf = (name: ProfileName) => `${server.issuer}/${name}`

async function tokensFrom(name: ProfileName, parameters: Record<string, string> = {}) {
  const request = authorizationRequest(issuerOf(name), parameters)
  const page = await signIn(createTestBrowser(server.url), request)
  const { body } = await redeem(issuerOf(name), codeOf(page), request.verifier)
  return body as Record<string, string>
}

const idTokenClaims = async (name: ProfileName) => claimsOf((await tokensFrom(name))['id_token'])
const get = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { headers: { ...ownConnection, ...headers } })

describe('a profile', () => {
  it('entra-no-email knows no address', async () => {
    const name = 'entra-no-email'
    const { access_token: token } = await tokensFrom(name, { scope: 'openid profile email' })
    const answer = await get(`${issuerOf(name)}/userinfo`, { authorization: `Bearer ${token}` })
    const said = (await answer.json()) as Record<string, unknown>
    expect(said).toMatchObject({ preferred_username: 'testuser@contoso.example' })
    expect(said).not.toHaveProperty('email')
  })

  it('entra-group-overage points to a list', async () => {
    const claims = await idTokenClaims('entra-group-overage')
    expect(claims).toMatchObject({ _claim_names: { groups: 'src1' } })
    expect(claims).not.toHaveProperty('groups')
  })

  it('google-refresh-once gives one refresh token to each person, and starts anew with a reset', async () => {
    const scope = { scope: 'openid offline_access' }
    const isGiven = async () => 'refresh_token' in (await tokensFrom('google-refresh-once', scope))
    expect([await isGiven(), await isGiven()]).toEqual([true, false])
    server.issuers.get('google-refresh-once')?.scenario.reset()
    expect([await isGiven(), await isGiven()]).toEqual([true, false])
  })

  it('no-nonce leaves it out, each time', async () => {
    for (let turn = 0; turn < 2; turn += 1)
      expect(await idTokenClaims('no-nonce')).not.toHaveProperty('nonce')
    server.issuers.get('no-nonce')?.scenario.reset()
    expect(await idTokenClaims('no-nonce')).not.toHaveProperty('nonce')
  })

  it('key-rolled signs with a key that was not there before', async () => {
    const kids = async () => {
      const answer = await get(`${issuerOf('key-rolled')}/oauth2/jwks`)
      return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    }
    const before = await kids()
    const { id_token: idToken = '' } = await tokensFrom('key-rolled')
    const header = Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString()
    const { kid } = JSON.parse(header) as { kid: string }
    expect(before).not.toContain(kid)
    expect(await kids()).toEqual([kid])
  })

  it('split-hosts serves programs at localhost only, and says so in its metadata', async () => {
    const outside = issuerOf('split-hosts')
    const inside = outside.replace('127.0.0.1', 'localhost')
    const discovery = '/.well-known/openid-configuration'
    expect((await get(`${outside}${discovery}`)).status).toBe(403)
    expect(await (await get(`${inside}${discovery}`)).json()).toMatchObject({
      issuer: outside,
      authorization_endpoint: `${outside}/oauth2/authorize`,
      token_endpoint: `${inside}/oauth2/token`,
      jwks_uri: `${inside}/oauth2/jwks`,
      userinfo_endpoint: `${inside}/userinfo`,
    })
    expect((await get(`${inside}/oauth2/jwks`)).status).toBe(200)
    // No other issuer has a second name.
    const elsewhere = server.issuer.replace('127.0.0.1', 'localhost')
    expect((await get(`${elsewhere}${discovery}`)).status).toBe(421)
  })

  it('userinfo-jwt signs its answer', async () => {
    const { access_token: token } = await tokensFrom('userinfo-jwt')
    const authorization = `Bearer ${token}`
    const answer = await get(`${issuerOf('userinfo-jwt')}/userinfo`, { authorization })
    expect(answer.headers.get('content-type')).toContain('application/jwt')
    expect(claimsOf(await answer.text())).toMatchObject({
      iss: issuerOf('userinfo-jwt'),
      aud: 'test-client',
      sub: 'testuser',
      name: 'testuser',
    })
  })

  it('nested-roles has them in an object', async () => {
    expect(await idTokenClaims('nested-roles')).toMatchObject({
      realm_access: { roles: ['admin', 'uma'] },
    })
  })

  it('logout-needs-hint refuses logout without one', async () => {
    const logout = `${issuerOf('logout-needs-hint')}/connect/logout`
    const { id_token: hint = '' } = await tokensFrom('logout-needs-hint')
    expect((await get(logout)).status).toBe(400)
    expect((await get(`${logout}?id_token_hint=${hint}`)).status).toBe(200)
  })

  it('raw-basic-credentials knows its client only as it should not come', async () => {
    const token = async (credentials: string) => {
      const basic = Buffer.from(credentials).toString('base64')
      const answer = await fetch(`${issuerOf('raw-basic-credentials')}/oauth2/token`, {
        method: 'POST',
        headers: { ...ownConnection, authorization: `Basic ${basic}` },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: 'x',
          redirect_uri: callback,
          code_verifier: 'v'.repeat(43),
        }),
      })
      return ((await answer.json()) as { error: string }).error
    }
    const { clientSecret } = profiles['raw-basic-credentials']
    expect(await token(`test-client:${clientSecret}`)).toBe('invalid_grant')
    expect(await token(`test-client:${encodeURIComponent(clientSecret)}`)).toBe('invalid_client')
  })

  it('no-preferred-username and opaque-sub say so', async () => {
    expect(await idTokenClaims('no-preferred-username')).not.toHaveProperty('preferred_username')
    expect(await idTokenClaims('opaque-sub')).toMatchObject({
      sub: 'auth0|5f7c8ec7c33c6c004bbafe82:#/+%2F',
    })
  })
})
