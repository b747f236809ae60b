// What counts as a change of an upstream, and what it makes of those whom it vouched for.
import { describe, expect, it } from 'vitest'
import { configSchema, type AnyUpstreamConfig } from '../../config/schema.ts'
import { createStandingOf, upstreamEpoch } from './upstream-epoch.ts'

const BASE = {
  kind: 'oidc',
  issuer: 'https://up.test',
  client_id: 'a',
  client_secret: 'b',
  claims: { name: 'name', email: 'email' },
}

function upstream(settings: object = {}): AnyUpstreamConfig {
  const up = { ...BASE, ...settings }
  return configSchema.parse({ issuer: 'http://127.0.0.1:9000', upstreams: { up }, clients: {} })
    .upstreams['up'] as AnyUpstreamConfig
}

describe(upstreamEpoch, () => {
  it.each([
    { issuer: 'https://up.test/' },
    { client_id: 'c' },
    { scope: 'openid email' },
    { subject: 'hashed' },
    { claims: { name: 'name' } },
    { require: { email_domains: ['kite.example'] } },
    { userinfo: 'always' },
    { endpoints: { userinfo: 'https://up.test/me' } },
    { authorization_params: { hd: 'kite.example' } },
  ])('%j decides who people are', (settings) => {
    expect(upstreamEpoch(upstream(settings))).not.toBe(upstreamEpoch(upstream()))
  })

  it.each([
    { client_secret: 'c' },
    { timeout: '9s' },
    { display_name: 'Up' },
    { domains: ['kite.example'] },
    { on_change: 'revoke' },
    { clock_tolerance: '0s' },
    { response_mode: 'form_post' },
    { claims: { email: 'email', name: 'name' } },
  ])('%j does not', (settings) => {
    expect(upstreamEpoch(upstream(settings))).toBe(upstreamEpoch(upstream()))
  })
})

describe(createStandingOf, () => {
  const identity = { upstream: 'up', upstreamIssuer: 'https://up.test' }
  const epoch = upstreamEpoch(upstream())
  const standing = (settings: object, of: object = { epoch }) =>
    createStandingOf({ up: upstream(settings) })({ ...identity, ...of })

  it.each([
    ['keep', 'current'],
    ['relogin', 'outdated'],
    ['revoke', 'void'],
  ])('after a change, with on_change: %s, it is %s', (on_change, expected) => {
    expect(standing({ on_change, client_id: 'c' })).toBe(expected)
    expect(standing({ on_change })).toBe('current')
  })

  it('an upstream that is not there vouches for nobody, whatever it is called', () => {
    for (const name of ['gone', '__proto__', 'constructor', 'toString'])
      expect(standing({ on_change: 'keep' }, { upstream: name, epoch })).toBe('void')
  })

  it('of a record without an epoch the issuer is compared', () => {
    expect(standing({ client_id: 'c' }, {})).toBe('current')
    expect(standing({ issuer: 'https://another.test', on_change: 'revoke' }, {})).toBe('void')
  })
})
