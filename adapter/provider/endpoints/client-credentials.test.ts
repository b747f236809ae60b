// Tokens that a client gets for itself: for whom, with which scopes, and what they are good for.
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { claimsOf, headerOf } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { post, type Form } from './test-support/token-calls.ts'

const MACHINE: readonly [string, string] = ['machine', 'machine-secret']
const API: readonly [string, string] = ['api', 'api-secret']
const on = useChain({
  config: {
    clients: {
      machine: {
        client_secret: 'machine-secret',
        grant_types: ['client_credentials'],
        scope: 'openid offline_access jobs:read jobs:write',
      },
      api: { client_secret: 'api-secret', grant_types: ['client_credentials'] },
      'machine-opaque': {
        client_secret: 'opaque-secret',
        grant_types: ['client_credentials'],
        scope: 'jobs:read',
        access_token: { format: 'opaque', ttl: '1m' },
      },
    },
    resources: {
      'https://jobs.test': { scope: 'jobs:read jobs:write', resource_server: 'api' },
      'https://legacy.test/x': {
        audience: 'legacy',
        scope: 'jobs:read',
        access_token: { typ: 'JWT', ttl: '1m' },
      },
      'https://closed.test': { scope: 'jobs:read', clients: ['client'] },
    },
  },
})
const clock = useClock()

const ask = (form: Form = {}, credentials: readonly [string, string] | null = MACHINE) =>
  post(
    on.chain,
    '/oauth2/token',
    [['grant_type', 'client_credentials'], ...(Array.isArray(form) ? form : Object.entries(form))],
    credentials,
  )
const tokenOf = ({ body }: { body: Record<string, unknown> }) => String(body['access_token'])
const introspect = async (token: string, credentials = MACHINE) =>
  (await post(on.chain, '/oauth2/introspect', { token }, credentials)).body

describe('client_credentials', () => {
  it('without a resource: a token for the client itself, signed, with the scopes it asked for', async () => {
    const answer = await ask({ scope: 'jobs:read' })
    expect([answer.status, answer.body['token_type'], answer.body['expires_in']]).toEqual([
      200,
      'Bearer',
      300,
    ])
    expect(answer.body).not.toHaveProperty('refresh_token')
    expect(answer.body).not.toHaveProperty('id_token')
    const token = tokenOf(answer)
    const jwks = createRemoteJWKSet(new URL(`${on.chain.url}/oauth2/jwks`))
    const { payload } = await jwtVerify(token, jwks, {
      issuer: on.chain.issuer,
      audience: 'machine',
      typ: 'at+jwt',
    })
    expect(payload).toMatchObject({ sub: 'machine', client_id: 'machine', scope: 'jobs:read' })
    expect(Object.keys(payload).sort()).toEqual(
      ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'scope', 'sub'].sort(),
    )
  })

  it('for a resource: its audience, type and lifetime', async () => {
    const jobs = tokenOf(await ask({ scope: 'jobs:read', resource: 'https://jobs.test' }))
    expect(claimsOf(jobs)).toMatchObject({ aud: 'https://jobs.test', scope: 'jobs:read' })
    expect(headerOf(jobs)['typ']).toBe('at+jwt')
    const answer = await ask({ scope: 'jobs:read jobs:write', resource: 'https://legacy.test/x' })
    expect(answer.body).toMatchObject({ expires_in: 60, scope: 'jobs:read' })
    expect(claimsOf(tokenOf(answer))).toMatchObject({ aud: 'legacy', scope: 'jobs:read' })
    expect(headerOf(tokenOf(answer))['typ']).toBe('JWT')
    expect(await introspect(tokenOf(answer))).toMatchObject({ active: true, aud: 'legacy' })
  })

  it('A48 the scopes of a person are never in it', async () => {
    const answer = await ask({ scope: 'openid offline_access jobs:read' })
    expect(answer.body['scope']).toBe('jobs:read')
    expect((await on.chain.app.userinfo(tokenOf(answer))).status).toBe(401)
  })

  const REFUSED: [name: string, form: [string, string][], error: string][] = [
    ['A48 a scope of other clients', [['scope', 'profile']], 'invalid_scope'],
    ['an unknown resource', [['resource', 'https://nothing.test']], 'invalid_target'],
    ['A18 a resource of other clients', [['resource', 'https://closed.test']], 'invalid_target'],
    ['a resource that is no URI', [['resource', 'jobs']], 'invalid_target'],
    ['a fragment', [['resource', 'https://jobs.test#x']], 'invalid_target'],
    ['a name of Object', [['resource', 'constructor']], 'invalid_target'],
    [
      'two resources',
      [
        ['resource', 'https://jobs.test'],
        ['resource', 'https://legacy.test/x'],
      ],
      'invalid_target',
    ],
    [
      'two scopes',
      [
        ['scope', 'jobs:read'],
        ['scope', 'jobs:write'],
      ],
      'invalid_request',
    ],
    ['64 kB', [['scope', 'x'.repeat(64 * 1024)]], 'invalid_request'],
  ]
  it.each(REFUSED)('%s: refused', async (_name, form, error) => {
    const { status, body } = await ask(form)
    expect([status, body['error']]).toEqual([400, error])
    expect(body).not.toHaveProperty('access_token')
  })

  it('only clients that may: others are refused, and so is a wrong secret', async () => {
    const other = await ask({}, ['client', 'secret'])
    expect([other.status, other.body['error']]).toEqual([400, 'unauthorized_client'])
    const wrong = await ask({}, ['machine', 'wrong'])
    expect([wrong.status, wrong.body['error']]).toEqual([401, 'invalid_client'])
    const { status } = await fetch(
      `${on.chain.url}/oauth2/authorize?client_id=machine&response_type=code&redirect_uri=https://evil.test/`,
      { redirect: 'manual' },
    )
    expect(status).toBe(400)
  })

  it('A18 the service of the resource may introspect it, another client may not', async () => {
    const token = tokenOf(await ask({ scope: 'jobs:read', resource: 'https://jobs.test' }))
    expect(await introspect(token, API)).toMatchObject({
      active: true,
      sub: 'machine',
      aud: 'https://jobs.test',
    })
    expect(await introspect(token, ['client', 'secret'])).toEqual({ active: false })
    const own = tokenOf(await ask({ scope: 'jobs:read' }))
    expect(await introspect(own, API)).toEqual({ active: false })
  })

  it('A52 revoked by its client it is over at once; the service can not revoke it', async () => {
    const token = tokenOf(await ask({ resource: 'https://jobs.test' }))
    await post(on.chain, '/oauth2/revoke', { token }, API)
    expect(await introspect(token)).toMatchObject({ active: true })
    await post(on.chain, '/oauth2/revoke', { token }, MACHINE)
    expect(await introspect(token)).toEqual({ active: false })
    const verdict = await fetch(`${on.chain.url}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, audience: 'https://jobs.test' }),
    })
    expect(await verdict.json()).toEqual({ valid: false, error: 'revoked' })
  })

  it('opaque: a random text; introspected, revoked, over after its minute', async () => {
    const credentials = ['machine-opaque', 'opaque-secret'] as const
    const token = tokenOf(await ask({ scope: 'jobs:read' }, credentials))
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(await introspect(token, credentials)).toMatchObject({
      active: true,
      client_id: 'machine-opaque',
      aud: 'machine-opaque',
      scope: 'jobs:read',
    })
    expect(await introspect(token)).toEqual({ active: false })
    await post(on.chain, '/oauth2/revoke', { token }, MACHINE)
    expect(await introspect(token, credentials)).toMatchObject({ active: true })
    await post(on.chain, '/oauth2/revoke', { token }, credentials)
    expect(await introspect(token, credentials)).toEqual({ active: false })
    const next = tokenOf(await ask({}, credentials))
    clock.advance(80)
    expect(await introspect(next, credentials)).toEqual({ active: false })
  })

  it('is in the metadata where a client uses it', async () => {
    const response = await fetch(`${on.chain.url}/.well-known/openid-configuration`)
    const metadata = (await response.json()) as Record<string, unknown>
    expect(metadata['grant_types_supported']).toContain('client_credentials')
  })
})
