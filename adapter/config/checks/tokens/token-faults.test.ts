import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../errors.ts'
import { loadConfig } from '../../load-config.ts'

const UP = { kind: 'oidc', issuer: 'https://up.example', client_id: 'id', client_secret: 's' }
const APP = { client_secret: 's', redirect_uris: ['https://app.example/cb'] }

function load(changes: object) {
  const config = {
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up: UP },
    clients: { app: APP },
    ...changes,
  }
  return loadConfig({ file: 'auth-adapter.yaml', text: JSON.stringify(config), env: {} }).config
}

function faults(changes: object): string[] {
  try {
    load(changes)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

const client = (settings: object) => ({ clients: { app: settings } })
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const resource = (settings: object, name = 'https://api.example') => ({
  resources: { [name]: { scope: 'read', ...settings } },
})

describe('access tokens in the configuration', () => {
  it('without a word: a JWT of five minutes, by a sign-in', () => {
    const { clients, resources } = load({})
    expect(clients['app']).toMatchObject({
      grant_types: ['authorization_code'],
      access_token: { typ: 'at+jwt', format: 'jwt', ttl: 300 },
    })
    expect(resources).toEqual({})
  })

  it('a client of client_credentials alone needs no redirect URI', () => {
    expect(faults(client({ client_secret: 's', grant_types: ['client_credentials'] }))).toEqual([])
  })

  it('a client of device authorization alone needs neither redirect URI nor secret', () => {
    expect(faults(client({ grant_types: [DEVICE] }))).toEqual([])
  })

  it('a resource leaves to the client what it does not say', () => {
    expect(load(resource({ access_token: { ttl: '1m' } })).resources).toEqual({
      'https://api.example': { scope: 'read', access_token: { ttl: 60 } },
    })
  })

  const WRONG: [name: string, changes: object, fault: RegExp][] = [
    ['no redirect URI', client({ client_secret: 's' }), /^clients\.app\.redirect_uris: .*required/],
    [
      'no redirect URI, in a list',
      client({ client_secret: 's', redirect_uris: [] }),
      /^clients\.app\.redirect_uris: .*required/,
    ],
    [
      'client_credentials without a secret',
      client({ grant_types: ['client_credentials'] }),
      /^clients\.app\.grant_types: client_credentials needs a client_secret/,
    ],
    [
      'device authorization for pairwise subjects',
      client({ ...APP, subject: 'pairwise', sector: 'a.example', grant_types: [DEVICE] }),
      /^clients\.app\.grant_types: Device authorization is not for subject pairwise/,
    ],
    ['no grant type', client({ ...APP, grant_types: [] }), /^clients\.app\.grant_types: /],
    ['implicit', client({ ...APP, grant_types: ['implicit'] }), /^clients\.app\.grant_types/],
    ['another typ', client({ ...APP, access_token: { typ: 'jwt' } }), /access_token\.typ: /],
    [
      'pairwise without a redirect URI',
      client({ client_secret: 's', grant_types: ['client_credentials'], subject: 'pairwise' }),
      /^clients\.app\.sector: Required/,
    ],
    [
      'an algorithm that no key of ours will have',
      client({ ...APP, access_token: { alg: 'ES256' } }),
      /^clients\.app\.access_token\.alg: Without keys\.file all keys are for keys\.alg, RS256/,
    ],
    [
      'the same for a resource',
      resource({ access_token: { alg: 'EdDSA' } }),
      /access_token\.alg: /,
    ],
    [
      'a resource that is no URI',
      resource({}, 'api'),
      /^resources.*api.*: Expected an absolute URI/,
    ],
    [
      'a fragment',
      resource({}, 'https://api.example/#a'),
      /^resources.*: Expected an absolute URI/,
    ],
    ['no scope', { resources: { 'https://api.example': {} } }, /^resources.*scope: .*required/],
    [
      'an unknown client, nearly right',
      resource({ clients: ['ap'] }),
      /^resources.*clients.*: There is no client of this name.*app/,
    ],
    [
      'an unknown service',
      resource({ resource_server: 'api' }),
      /^resources.*resource_server: There is no client of this name/,
    ],
    [
      'a service without a secret',
      {
        clients: { app: { redirect_uris: APP.redirect_uris } },
        ...resource({ resource_server: 'app' }),
      },
      /^resources.*resource_server: This client needs a client_secret/,
    ],
  ]
  it.each(WRONG)('%s: refused', (_name, changes, fault) => {
    expect(faults(changes)).toEqual([expect.stringMatching(fault)])
  })
})
