import { describe, expect, it } from 'vitest'
import { configSchema } from '../../schema.ts'
import { tenantFaults } from './tenant-faults.ts'
import { upstreamFaults } from './upstream-faults.ts'

const TENANT = '11111111-2222-3333-4444-555555555555'
const MANY = {
  kind: 'oidc',
  issuer: 'https://login.example/{tenantid}/v2.0',
  endpoints: { discovery: 'https://login.example/common/.well-known/openid-configuration' },
  allowed_tenants: [TENANT],
  subject: 'hashed',
  client_id: 'id',
  client_secret: 'secret',
}

const configOf = (upstreams: object) =>
  configSchema.parse({ issuer: 'https://id.example', upstreams, clients: {} })

function faults(changes: object): string[] {
  const config = configOf({ up: { ...MANY, ...changes } })
  return tenantFaults(config).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe(tenantFaults, () => {
  it('has nothing to say of an issuer of many tenants that is told all it needs', () => {
    expect(faults({})).toEqual([])
    expect(faults({ allowed_tenants: 'any' })).toEqual([])
    expect(faults({ issuer: 'https://login.example/{tenantid}' })).toEqual([])
  })

  it.each([
    [
      'A14 account takeover: tenants that nobody named',
      { allowed_tenants: undefined },
      'allowed_tenants: Required',
    ],
    [
      'A16 cross-upstream sub collision: a sub that two tenants could have',
      { subject: 'prefixed' },
      'subject: Expected hashed',
    ],
    [
      'A16 cross-upstream sub collision: a bare sub',
      { subject: 'bare' },
      'subject: Expected hashed',
    ],
    [
      'A14 account takeover: a claim of one tenant that keeps the sub of another',
      { subject_alias: { group: 'g', claim: 'oid' } },
      'subject_alias: Not where',
    ],
    ['no metadata', { endpoints: {} }, 'endpoints.discovery: Required'],
    [
      'an assertion for no issuer',
      { client_auth_method: 'private_key_jwt' },
      'client_auth_method: Not private_key_jwt',
    ],
    [
      'a tenant in the host',
      { issuer: 'https://{tenantid}.example/v2.0' },
      'issuer: Expected {tenantid} once',
    ],
    [
      'a tenant in a part of the path',
      { issuer: 'https://login.example/a{tenantid}/v2.0' },
      'issuer: Expected {tenantid} once',
    ],
    [
      'two placeholders',
      { issuer: 'https://login.example/{tenantid}/{tenantid}' },
      'issuer: Expected {tenantid} once',
    ],
    [
      'another placeholder',
      { issuer: 'https://login.example/{tenant}/v2.0' },
      'issuer: Expected {tenantid} once',
    ],
    [
      'tenants without a placeholder',
      { issuer: 'https://login.example' },
      'allowed_tenants: Only used',
    ],
  ])('refuses %s', (_name, changes, expected) => {
    expect(faults(changes)).toEqual([expect.stringContaining(`upstreams.up.${expected}`)])
  })

  it('refuses tenants that are not ids', () => {
    for (const tenants of [[], ['common'], [TENANT.toUpperCase().replace('1', 'A')], 'all'])
      expect(() => configOf({ up: { ...MANY, allowed_tenants: tenants } })).toThrow(
        /allowed_tenants/,
      )
  })

  it('A16 cross-upstream sub collision: one tenant is among all tenants', () => {
    const one = {
      ...MANY,
      issuer: `https://login.example/${TENANT}/v2.0`,
      allowed_tenants: undefined,
    }
    const config = configOf({ many: MANY, one })
    expect(upstreamFaults(config).map(({ message }) => message)).toEqual([
      '"many" has the same issuer: their people would share subjects',
    ])
  })
})
