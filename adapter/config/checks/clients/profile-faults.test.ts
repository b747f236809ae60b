// What `profile: fapi2` sets, and what it does not go with: both settings are named.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../errors.ts'
import { loadConfig } from '../../load-config.ts'

const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const JWKS = { jwks: { keys: [P256] } }
const FAPI = { profile: 'fapi2', ...JWKS, redirect_uris: ['https://app.example/cb'] }

const load = (client: object, more: object = {}) =>
  loadConfig({
    file: 'auth-adapter.yaml',
    text: JSON.stringify({
      issuer: 'http://127.0.0.1:9000',
      keys: { alg: 'ES256' },
      upstreams: {
        one: { kind: 'oidc', issuer: 'https://one.example', client_id: 'x', client_secret: 'y' },
      },
      clients: { app: client },
      ...more,
    }),
    env: {},
  })

function faults(client: object, more: object = {}): string[] {
  try {
    load(client, more)
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}

describe('profile: fapi2', () => {
  it('sets all of it at once, and says where it comes from', () => {
    const { config, origins } = load(FAPI)
    expect(config.clients['app']).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      pkce: 'required',
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
    })
    expect(origins.get('clients.app.dpop_bound_access_tokens')).toEqual({
      kind: 'preset',
      preset: 'fapi2',
    })
  })

  it('leaves other apps as they are', () => {
    const other = { client_secret: 's', redirect_uris: ['https://other.example/cb'] }
    const { config } = load(FAPI, { clients: { app: FAPI, other } })
    expect(config.clients['other']).toMatchObject({
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
    })
  })

  it('may be said beside the same settings, and with refresh tokens that stay', () => {
    const same = { pkce: 'required', dpop_bound_access_tokens: true }
    const refresh = { when: 'always', rotation: 'never' }
    expect(faults({ ...FAPI, ...same, refresh })).toEqual([])
    expect(faults({ ...FAPI, redirect_uris: ['http://127.0.0.1:8080/cb'] })).toEqual([])
  })

  const ASKS = 'profile fapi2 asks for'
  const AGAINST: [change: object, fault: string][] = [
    [{ pkce: 'optional' }, `pkce: ${ASKS} pkce: required`],
    [
      { require_pushed_authorization_requests: false },
      `require_pushed_authorization_requests: ${ASKS} require_pushed_authorization_requests: true`,
    ],
    [
      { dpop_bound_access_tokens: false },
      `dpop_bound_access_tokens: ${ASKS} dpop_bound_access_tokens: true`,
    ],
    [
      { token_endpoint_auth_method: 'client_secret_basic', client_secret: 'secret' },
      `token_endpoint_auth_method: ${ASKS} token_endpoint_auth_method: private_key_jwt`,
    ],
    [
      { client_secret: 'secret' },
      'client_secret: Never asked for with token_endpoint_auth_method private_key_jwt: leave one of them out',
    ],
    [{ jwks: undefined }, 'jwks: Required with token_endpoint_auth_method private_key_jwt'],
    [
      { redirect_uris: ['http://app.example/cb'] },
      `redirect_uris.0: ${ASKS} https (http on loopback)`,
    ],
    [{ redirect_uris: ['com.app:/cb'] }, `redirect_uris.0: ${ASKS} https (http on loopback)`],
    [
      {
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
      `grant_types: ${ASKS} sign-ins without device authorization`,
    ],
    [
      { refresh: { when: 'always', rotation: 'always' } },
      `refresh.rotation: ${ASKS} rotation: never, or public_only`,
    ],
    [{ access_token: { alg: 'RS256' } }, `access_token.alg: ${ASKS} PS256, ES256 or EdDSA`],
    [
      { jwks: { keys: [RSA] }, token_endpoint_auth_signing_alg: 'RS256' },
      `token_endpoint_auth_signing_alg: ${ASKS} PS256, ES256 or EdDSA`,
    ],
    [
      { jwks: { keys: [{ ...RSA, alg: 'RS256' }] } },
      `jwks.keys.0.alg: ${ASKS} PS256, ES256 or EdDSA`,
    ],
    [
      { exchange: { upstream_tokens: [] } },
      'exchange: Gives bearer tokens: leave out this or dpop_bound_access_tokens',
    ],
  ]
  it.each(AGAINST)('does not go with %j', (change, fault) => {
    expect(faults({ ...FAPI, ...change })).toContain(`clients.app.${fault}`)
  })

  it('needs our own signatures to be of another algorithm than RS256', () => {
    const message = 'profile fapi2 of client app asks for PS256, ES256 or EdDSA'
    expect(faults(FAPI, { keys: {} })).toEqual([`keys.alg: ${message}`])
    const api = { scope: 'read', access_token: { alg: 'RS256' } }
    const resources = { 'https://api.example/': api }
    expect(faults(FAPI, { resources })).toContain(
      `resources.https://api.example/.access_token.alg: ${message}`,
    )
    const others = { 'https://api.example/': { ...api, clients: ['other'] } }
    const other = { client_secret: 's', redirect_uris: ['https://other.example/cb'] }
    const own = faults(FAPI, { resources: others, clients: { app: FAPI, other } })
    expect(own.filter((fault) => fault.includes('fapi2'))).toEqual([])
  })
})
