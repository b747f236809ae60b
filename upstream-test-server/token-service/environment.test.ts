import { describe, expect, it } from 'vitest'
import { envHelp } from '../../service/env.ts'
import { environmentTable, readEnvironment } from '../environment.ts'

const start = (env: Record<string, string>) => readEnvironment(env).start

describe('the environment of the token service', () => {
  it('has a gateway and a worker besides the client of the adapter, and no test tokens', () => {
    const { clients, hasTestToken } = start({ TEST_APP_PORT: '8099' })
    expect(hasTestToken).toBe(false)
    expect(clients.map(({ clientId }) => clientId)).toEqual([
      'test-client',
      'api-gateway',
      'worker',
    ])
    expect(clients[0]).not.toHaveProperty('pkce')
    const redirectUris = ['http://127.0.0.1:8099/callback']
    expect(clients[1]).toMatchObject({ redirectUris, pkce: 'optional' })
    expect(clients[2]).toMatchObject({ redirectUris: [], serviceAudiences: ['logging-backend'] })
  })

  it('reads services with several audiences', () => {
    const { clients } = start({ UPSTREAM_SERVICES: 'a:s1:x https://y.example/, b:s2:z' })
    expect(clients.slice(2)).toMatchObject([
      { clientId: 'a', clientSecret: 's1', serviceAudiences: ['x', 'https://y.example/'] },
      { clientId: 'b', clientSecret: 's2', serviceAudiences: ['z'] },
    ])
  })

  it.each([
    [{ UPSTREAM_SERVICES: 'worker:canary' }, 'UPSTREAM_SERVICES: expected'],
    [{ UPSTREAM_SERVICES: 'worker::canary' }, 'UPSTREAM_SERVICES: expected'],
    [{ UPSTREAM_SERVICES: 'a b:canary:x' }, 'UPSTREAM_SERVICES: expected'],
    [{ UPSTREAM_SERVICES: 'a:canary:x,a:canary:y' }, 'the client a is there twice'],
    [{ UPSTREAM_SERVICES: 'test-client:canary:x' }, 'the client test-client is there twice'],
    [{ UPSTREAM_GATEWAY_CLIENT_ID: 'test-client' }, 'the client test-client is there twice'],
    [{ UPSTREAM_TEST_TOKEN: 'yes' }, 'UPSTREAM_TEST_TOKEN: expected on or off'],
    [
      { UPSTREAM_TEST_TOKEN: 'on', NODE_ENV: 'production' },
      'UPSTREAM_TEST_TOKEN: is refused with NODE_ENV=production',
    ],
  ])('refuses %j, without showing a secret', (env, message) => {
    expect(() => readEnvironment(env as Record<string, string>)).toThrow(message)
    expect(() => readEnvironment(env as Record<string, string>)).not.toThrow('canary')
  })

  it('opens test tokens where asked to, outside production', () => {
    expect(start({ UPSTREAM_TEST_TOKEN: 'on' }).hasTestToken).toBe(true)
    expect(start({ NODE_ENV: 'production' }).hasTestToken).toBe(false)
  })

  it('trusts no gateway but those that are named', () => {
    expect(start({}).trustedProxies).toBeUndefined()
    const list = start({ UPSTREAM_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' }).trustedProxies
    expect(list).toEqual(['127.0.0.1', '10.0.0.0/8'])
    expect(() => start({ UPSTREAM_TRUSTED_PROXIES: 'gateway' })).toThrow('UPSTREAM_TRUSTED_PROXIES')
  })

  it('is in --help, without the secrets', () => {
    const help = envHelp('x', environmentTable)
    for (const name of ['UPSTREAM_GATEWAY_CLIENT_ID', 'UPSTREAM_SERVICES', 'UPSTREAM_TEST_TOKEN'])
      expect(help).toContain(name)
    expect(help).not.toMatch(/(?:gateway|worker)-secret/)
  })
})
