import { afterEach, describe, expect, it } from 'vitest'
import { configSchema, type ClientConfig } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import { startChain, type Chain } from '../test-support/chain.ts'
import { allScopes, clientMetadata } from './clients.ts'

function clients(settings: Record<string, object>): Record<string, ClientConfig> {
  const upstreams = {
    up: { kind: 'oidc', issuer: 'http://127.0.0.1:1', client_id: 'a', client_secret: 'b' },
  }
  return configSchema.parse({ issuer: 'http://127.0.0.1:9000', upstreams, clients: settings })
    .clients
}

const one = (settings: object, alg = 'RS256') => clientMetadata(clients({ app: settings }), alg)[0]

describe('client metadata', () => {
  it('a confidential web app: code only, secret in the header', () => {
    expect(
      one(
        {
          client_name: 'App',
          client_uri: 'https://app.test/',
          client_secret: 's',
          redirect_uris: ['https://app.test/cb'],
          post_logout_redirect_uris: ['https://app.test/'],
          scope: 'openid read',
        },
        'ES256',
      ),
    ).toEqual({
      client_id: 'app',
      client_name: 'App',
      client_uri: 'https://app.test/',
      client_secret: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      redirect_uris: ['https://app.test/cb'],
      post_logout_redirect_uris: ['https://app.test/'],
      response_types: ['code'],
      response_modes: ['query', 'form_post'],
      grant_types: ['authorization_code'],
      scope: 'openid read',
      dpop_bound_access_tokens: false,
      require_pushed_authorization_requests: false,
      id_token_signed_response_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
    })
  })

  it('a public client has no secret and says so', () => {
    expect(one({ redirect_uris: ['https://spa.test/cb'] })).toMatchObject({
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    })
    expect(one({ redirect_uris: ['https://spa.test/cb'] })).not.toHaveProperty('client_secret')
  })

  it.each([
    ['http://127.0.0.1/cb', undefined, 'native'],
    ['http://[::1]/cb', undefined, 'native'],
    ['com.example.app:/cb', undefined, 'native'],
    ['http://127.0.0.1:8080/cb', 'secret', 'web'],
    ['https://app.test/cb', undefined, 'web'],
    ['http://127.0.0.1.evil.test/cb', undefined, 'web'],
  ])('%s with secret %s: %s', (uri, client_secret, application_type) => {
    expect(
      one({ redirect_uris: [uri], ...(client_secret === undefined ? {} : { client_secret }) }),
    ).toMatchObject({ application_type })
  })

  it('no form is posted to a private-use scheme: query is all it may ask for', () => {
    expect(one({ redirect_uris: ['com.example.app:/cb', 'http://127.0.0.1/cb'] })).toMatchObject({
      response_modes: ['query'],
    })
    expect(one({ redirect_uris: ['http://127.0.0.1/cb'] })).toMatchObject({
      response_modes: ['query', 'form_post'],
    })
  })

  it('all scopes of all clients, openid always', () => {
    expect(allScopes(clients({}))).toEqual(['openid'])
    expect(
      allScopes(
        clients({
          a: { redirect_uris: ['https://a.test/'], scope: 'read openid' },
          b: { redirect_uris: ['https://b.test/'], scope: 'write read' },
        }),
      ),
    ).toEqual(['openid', 'read', 'write'])
  })
})

describe('clients that can not be served stop the start, named by their setting', () => {
  let chain: Chain | undefined
  afterEach(async () => {
    await chain?.close()
    chain = undefined
  })

  it.each([
    ['A12 a script as redirect URI', { redirect_uris: ['javascript:alert(1)'] }],
    [
      'A12 data as redirect URI of a confidential app',
      { redirect_uris: ['data:text/html,x'], client_secret: 's' },
    ],
    ['a redirect URI with a fragment', { redirect_uris: ['https://app.test/cb#x'] }],
    [
      'a secret of characters that no client can send',
      { redirect_uris: ['https://app.test/cb'], client_secret: 'schlüssel' },
    ],
  ])('%s', async (_name, settings) => {
    const error = await startChain({ config: { clients: { bad: settings } } }).then(
      (started) => (chain = started),
      (refused: unknown) => refused,
    )
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).faults[0]?.path).toMatch(/^clients\.bad/)
    expect(JSON.stringify((error as ConfigError).faults)).not.toContain('schlüssel')
  })
})
