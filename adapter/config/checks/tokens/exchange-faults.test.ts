import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../errors.ts'
import { loadConfig } from '../../load-config.ts'

const UP = { kind: 'oidc', issuer: 'https://up.example', client_id: 'id', client_secret: 's' }
const PLAIN = {
  kind: 'oauth2',
  issuer: 'https://plain.example',
  client_id: 'id',
  client_secret: 's',
  endpoints: {
    authorization: 'https://plain.example/authorize',
    token: 'https://plain.example/token',
    userinfo: 'https://plain.example/user',
  },
  subject_claim: 'id',
}
const APP = { client_secret: 's', redirect_uris: ['https://app.example/cb'] }
const ENTRY = { upstream: 'up', audience: 'https://files.example', scope: 'files.read' }

function load(exchange: object, settings: object = {}) {
  const config = {
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up: UP, other: { ...UP, issuer: 'https://other.example' }, plain: PLAIN },
    clients: { app: { ...APP, exchange, ...settings } },
  }
  return loadConfig({ file: 'auth-adapter.yaml', text: JSON.stringify(config), env: {} }).config
}

function faults(exchange: object, settings?: object): string[] {
  try {
    load(exchange, settings)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

const tokens = (...entries: object[]) => ({ upstream_tokens: entries })
const accepts = (...entries: object[]) => ({ accepts_upstream_tokens: entries })

describe('clients.*.exchange', () => {
  it('is taken as written', () => {
    expect(load(tokens(ENTRY)).clients['app']?.exchange?.upstream_tokens).toEqual([ENTRY])
  })

  it('one audience may be of two upstreams', () => {
    expect(faults(tokens(ENTRY, { ...ENTRY, upstream: 'other' }))).toEqual([])
  })

  it('without more, ID tokens for ourselves are accepted', () => {
    const { exchange } = load(accepts({ upstream: 'up' })).clients['app'] ?? {}
    expect(exchange?.accepts_upstream_tokens).toEqual([
      { upstream: 'up', token_types: ['id_token'] },
    ])
  })

  const WRONG: [name: string, exchange: object, settings: object, fault: RegExp][] = [
    [
      'an app of somebody else, whose people would not be asked',
      accepts({ upstream: 'up' }),
      { third_party: true },
      /^clients\.app\.exchange: Not with third_party/,
    ],
    [
      'a public client',
      tokens(ENTRY),
      { client_secret: undefined },
      /^clients\.app\.exchange: Needs a client_secret/,
    ],
    ['nothing in it', {}, {}, /^clients\.app\.exchange: Expected something/],
    [
      'an unknown upstream',
      tokens({ ...ENTRY, upstream: 'upp' }),
      {},
      /^clients\.app\.exchange\.upstream_tokens\.0\.upstream: There is no upstream.*"up"/,
    ],
    [
      'an upstream that the app does not use',
      tokens(ENTRY),
      { upstreams: ['other'] },
      /upstream: Not among the upstreams of the app/,
    ],
    [
      'the same twice',
      tokens(ENTRY, { ...ENTRY, scope: 'more' }),
      {},
      /upstream_tokens\.1\.audience: The same upstream/,
    ],
    ['no scope', tokens({ upstream: 'up', audience: 'a' }), {}, /upstream_tokens\.0\.scope/],
    ['an empty scope', tokens({ ...ENTRY, scope: '' }), {}, /upstream_tokens\.0\.scope/],
    ['no audience', tokens({ upstream: 'up', scope: 'a' }), {}, /upstream_tokens\.0\.audience/],
    [
      'a setting that there is not',
      tokens({ ...ENTRY, scopes: 'a' }),
      {},
      /upstream_tokens\.0: Unknown setting/,
    ],
    [
      'tokens of an unknown upstream',
      accepts({ upstream: 'upp' }),
      {},
      /accepts_upstream_tokens\.0\.upstream: There is no upstream/,
    ],
    [
      'tokens of a plain OAuth 2.0 service',
      accepts({ upstream: 'plain' }),
      {},
      /upstream: Expected an upstream of kind oidc/,
    ],
    [
      'tokens of one upstream in two entries',
      accepts({ upstream: 'up' }, { upstream: 'up' }),
      {},
      /accepts_upstream_tokens\.1\.upstream: The same upstream/,
    ],
    ['no kind of token', accepts({ upstream: 'up', token_types: [] }), {}, /token_types/],
    [
      'a kind that there is not',
      accepts({ upstream: 'up', token_types: ['saml'] }),
      {},
      /token_types/,
    ],
    ['nobody as audience', accepts({ upstream: 'up', audiences: [] }), {}, /audiences/],
  ]
  it.each(WRONG)('refuses %s', (_name, exchange, settings, fault) => {
    const found = faults(exchange, settings)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(fault)
  })
})
