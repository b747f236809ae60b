import { describe, expect, it } from 'vitest'
import type { ConfigError } from '../errors.ts'
import { configJsonSchema } from './json-schema.ts'
import { loadConfig } from './load-config.ts'
import { PRESETS } from './presets.ts'
import { upstream } from './upstream-schema.ts'

const TENANT = '11111111-2222-3333-4444-555555555555'
const OPERATOR_KNOWS: Readonly<Record<string, object>> = {
  entra: { tenant: TENANT },
  okta: { domain: 'corp.okta.example' },
  auth0: { domain: 'corp.eu.auth0.example' },
  keycloak: { issuer: 'https://keycloak.example/realms/corp' },
  dex: { issuer: 'https://dex.example' },
  apple: {
    client_secret: undefined,
    client_key: 'apple.p8',
    client_key_id: 'ABC123DEFG',
    team_id: 'DEF123GHIJ',
  },
}

function load(settings: object, env: Record<string, string> = {}) {
  const text = JSON.stringify({
    issuer: 'https://id.example',
    upstreams: { up: { client_id: 'id', client_secret: 'secret', ...settings } },
    clients: {},
  })
  return loadConfig({ file: 'auth-adapter.yaml', text, env })
}

function faults(settings: object): string[] {
  try {
    load(settings)
    return []
  } catch (error) {
    return (error as ConfigError).faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('presets', () => {
  it('are those that the schema knows', () => {
    const names = upstream.options[0].shape.preset.unwrap().options
    expect(Object.keys(PRESETS).toSorted()).toEqual([...names].toSorted())
  })

  it.each(Object.keys(PRESETS))(
    '%s needs an id, a secret or key, and what the operator alone knows',
    (preset) => {
      const { config } = load({ preset, ...OPERATOR_KNOWS[preset] })
      expect(config.upstreams['up']?.issuer).toMatch(/^https:\/\/[a-z]/)
      expect(config.upstreams['up']?.issuer).not.toContain('missing')
      expect(Object.keys(config.upstreams['up']?.claims ?? {})).toContain('email')
    },
  )

  it.each([
    ['entra', `https://login.microsoftonline.com/${TENANT}/v2.0`],
    ['okta', 'https://corp.okta.example'],
    ['auth0', 'https://corp.eu.auth0.example/'],
  ])('%s: the issuer is made from what was asked, or is written out', (preset, issuer) => {
    const own = { issuer: 'https://own.example' }
    expect(load({ preset, ...OPERATOR_KNOWS[preset] }).config.upstreams['up']?.issuer).toBe(issuer)
    expect(load({ preset, ...own }).config.upstreams['up']?.issuer).toBe('https://own.example')
  })

  it('say where a value comes from, and give way to every layer', () => {
    const settings = {
      preset: 'github',
      scope: 'read:user',
      claims: { name: 'login', team: { constant: 'blue' } },
      endpoints: { userinfo: 'https://github.corp.example/user' },
    }
    const { config, origins } = load(settings, { AUTH_ADAPTER_UPSTREAMS__UP__DISPLAY_NAME: 'Hub' })
    expect(config.upstreams['up']).toMatchObject({
      kind: 'oauth2',
      display_name: 'Hub',
      scope: 'read:user',
      claims: { name: 'login', team: { constant: 'blue' }, preferred_username: 'login' },
      endpoints: {
        userinfo: 'https://github.corp.example/user',
        token: 'https://github.com/login/oauth/access_token',
      },
    })
    const kinds = (path: string) => origins.get(`upstreams.up.${path}`)?.kind
    expect(origins.get('upstreams.up.endpoints.token')).toEqual({
      kind: 'preset',
      preset: 'github',
    })
    expect(['kind', 'claims.preferred_username'].map(kinds)).toEqual(['preset', 'preset'])
    expect(['scope', 'claims.name', 'endpoints.userinfo'].map(kinds)).toEqual([
      'file',
      'file',
      'file',
    ])
    expect(['display_name', 'timeout'].map(kinds)).toEqual(['environment', 'default'])
  })

  it('let editors take an upstream of nothing but preset and client id', () => {
    const { properties } = configJsonSchema() as {
      properties: { upstreams: { additionalProperties: { anyOf: { required: string[] }[] } } }
    }
    const { anyOf } = properties.upstreams.additionalProperties
    expect(anyOf.map(({ required }) => required)).toEqual([['client_id'], ['client_id']])
  })

  it('entra: tokens that were dated back by five minutes are in time', () => {
    const up = load({ preset: 'entra', tenant: TENANT }).config.upstreams['up']
    expect(up).toMatchObject({ clock_tolerance: 300 })
  })

  it.each(['common', 'organizations'])(
    'entra for many tenants, %s: the issuer of the token’s tenant, and nothing that two tenants could both say',
    (tenant) => {
      const settings = { preset: 'entra', tenant, allowed_tenants: [TENANT] }
      const up = load(settings).config.upstreams['up']
      expect(up).toMatchObject({
        issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
        endpoints: {
          discovery: `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration`,
        },
        subject: 'hashed',
        allowed_tenants: [TENANT],
      })
      expect(Object.keys(up?.claims ?? {})).toEqual(['name', 'preferred_username'])
      expect(load({ ...settings, allowed_tenants: 'any' }).config.upstreams['up']).toMatchObject({
        allowed_tenants: 'any',
      })
    },
  )

  it('entra for personal accounts: the one tenant that all of them are in', () => {
    expect(load({ preset: 'entra', tenant: 'consumers' }).config.upstreams['up']?.issuer).toBe(
      'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    )
  })

  it.each<[string, object, string[]]>([
    [
      'nobody said which of many tenants',
      { preset: 'entra', tenant: 'common' },
      [
        'upstreams.up.allowed_tenants: Required where the issuer holds {tenantid}: the ids of the tenants whose people may sign in, or `any` for whoever has an account there',
      ],
    ],
    [
      'nobody said the tenant',
      { preset: 'entra' },
      ['upstreams.up.tenant: Required with preset entra, where there is no issuer'],
    ],
    [
      'the tenant is a domain',
      { preset: 'entra', tenant: 'contoso.example' },
      [
        'upstreams.up.tenant: Expected the id of one tenant in lower case (8-4-4-4-12 hexadecimal digits), or common, organizations or consumers',
      ],
    ],
    [
      'the tenant is for another preset',
      { preset: 'google', tenant: TENANT },
      ['upstreams.up.tenant: Only used with preset entra'],
    ],
    [
      'the realm is missing',
      { preset: 'keycloak' },
      ['upstreams.up.issuer: This setting is required'],
    ],
    [
      'the preset is mistyped',
      { preset: 'gogle', issuer: 'https://a.example' },
      [
        'upstreams.up.preset: Expected one of google, entra, okta, auth0, keycloak, dex, gitlab, github, apple. Did you mean "google"?',
      ],
    ],
    [
      'the preset is of the prototype',
      { preset: 'constructor', issuer: 'https://a.example' },
      [
        'upstreams.up.preset: Expected one of google, entra, okta, auth0, keycloak, dex, gitlab, github, apple',
      ],
    ],
  ])('are a fault where %s', (_name, settings, expected) => {
    expect(faults(settings)).toEqual(expected)
  })
})
