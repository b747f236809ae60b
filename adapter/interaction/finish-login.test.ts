import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { configSchema, type UpstreamConfig } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { UpstreamIdentity } from '../upstream/upstream.ts'
import { mapIdentity } from './map-identity.ts'

function upstream(settings: object): UpstreamConfig {
  const up = {
    kind: 'oidc',
    issuer: 'https://up.test',
    client_id: 'a',
    client_secret: 'b',
    ...settings,
  }
  return configSchema.parse({ issuer: 'http://127.0.0.1:9000', upstreams: { up }, clients: {} })
    .upstreams['up'] as UpstreamConfig
}

const said = (claims: Record<string, unknown> = {}, sub = 'u1'): UpstreamIdentity => ({
  upstream: 'up',
  iss: 'https://up.test',
  sub,
  idTokenClaims: { sub, ...claims },
  tokens: {},
})

describe('an identity as the settings map it', () => {
  it('holds what is mapped and nothing else', () => {
    const identity = mapIdentity(
      upstream({ claims: { name: 'name', upstream_sub: 'sub' } }),
      said({ name: 'A', email: 'a@b.test', admin: true }),
    )
    expect(identity).toEqual({
      accountId: 'up:u1',
      upstream: 'up',
      upstreamIssuer: 'https://up.test',
      epoch: expect.any(String) as string,
      claims: { name: 'A', upstream_sub: 'u1' },
    })
  })

  it('A16 the subject is bare or prefixed, as configured', () => {
    expect(mapIdentity(upstream({ subject: 'bare' }), said()).accountId).toBe('u1')
    expect(mapIdentity(upstream({}), said({}, 'other:u1')).accountId).toBe('up:other:u1')
  })

  it('A16 a hashed subject is that of issuer and sub, whatever the upstream is called', () => {
    const { accountId } = mapIdentity(upstream({ subject: 'hashed' }), said())
    expect(accountId).toBe(
      createHash('sha256').update('15:https://up.test2:u1').digest('base64url'),
    )
  })

  it('userinfo fills in what the ID token lacks, and never overrides it', () => {
    const identity = mapIdentity(upstream({ claims: { name: 'name', email: 'email' } }), {
      ...said({ name: 'of the ID token' }),
      userinfoClaims: { sub: 'u1', name: 'of userinfo', email: 'a@b.test' },
    })
    expect(identity.claims).toEqual({ name: 'of the ID token', email: 'a@b.test' })
  })

  it.each([
    ['a required claim is missing', { claims: { email: { required: true } } }, said()],
    ['the subject with its prefix is longer than 255 characters', {}, said({}, 'x'.repeat(255))],
  ])('identity_invalid when %s', (_name, settings, identity) => {
    expect(() => mapIdentity(upstream(settings), identity)).toThrow(UpstreamError)
    try {
      mapIdentity(upstream(settings), identity)
    } catch (error) {
      expect(error).toMatchObject({ code: 'identity_invalid', upstream: 'up' })
    }
  })
})
