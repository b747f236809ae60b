import { describe, expect, expectTypeOf, it } from 'vitest'
import { envHelp, EnvError, readEnv } from './env.ts'

const table = {
  APP_HOST: { kind: 'string', help: 'Address to listen on', default: '127.0.0.1' },
  APP_PORT: { kind: 'port', help: 'Port to listen on', default: '8080' },
  APP_URL: {
    kind: 'url',
    help: 'Where browsers find the app',
    default: (text) => `http://127.0.0.1:${text('APP_PORT')}`,
  },
  APP_SECRET: { kind: 'string', help: 'Client secret', default: 'hidden-default', secret: true },
  APP_SCOPES: { kind: 'list', help: 'Scopes', default: 'openid, profile' },
  APP_REDIRECTS: {
    kind: 'urls',
    help: 'Redirect URIs',
    default: (text) => `http://127.0.0.1:${text('ADAPTER_PORT') || '9000'}/cb`,
  },
  APP_TLS_CERT: { kind: 'string', help: 'Certificate file', optional: true },
} as const satisfies Parameters<typeof readEnv>[1]

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readEnv(env, table)
    return []
  } catch (error) {
    return (error as EnvError).faults
  }
}

describe(readEnv, () => {
  it('gives typed values, defaults that follow other variables, and undefined for what is optional', () => {
    const values = readEnv({ APP_PORT: '8081', APP_HOST: '', ADAPTER_PORT: '9100' }, table)
    expectTypeOf(values.APP_PORT).toEqualTypeOf<number>()
    expectTypeOf(values.APP_TLS_CERT).toEqualTypeOf<string | undefined>()
    expect(values).toEqual({
      APP_HOST: '127.0.0.1',
      APP_PORT: 8081,
      APP_URL: 'http://127.0.0.1:8081',
      APP_SECRET: 'hidden-default',
      APP_SCOPES: ['openid', 'profile'],
      APP_REDIRECTS: ['http://127.0.0.1:9100/cb'],
      APP_TLS_CERT: undefined,
    })
  })

  it('reports every fault at once, without the value', () => {
    const faults = faultsOf({
      APP_PORT: '80a80',
      APP_URL: 'ftp://canary',
      APP_REDIRECTS: 'http://a,canary',
    })
    expect(faults).toEqual([
      'APP_PORT: expected a port from 0 to 65535',
      'APP_URL: expected an http or https URL',
      'APP_REDIRECTS: expected http or https URLs, separated by commas',
    ])
  })

  it.each(['-1', '65536', '1e3', '0x50', ' 80', '999999'])(
    'does not take %j for a port',
    (text) => {
      expect(faultsOf({ APP_PORT: text })).toContain('APP_PORT: expected a port from 0 to 65535')
    },
  )

  it('names a variable that must be set', () => {
    expect(() => readEnv({}, { APP_ISSUER: { kind: 'url', help: 'Issuer' } })).toThrow(
      new EnvError(['APP_ISSUER is not set']),
    )
  })
})

describe(envHelp, () => {
  it('lists every variable of the table with its default, secrets without', () => {
    const help = envHelp('node test-app/main.ts', table)
    for (const [name, { help: text }] of Object.entries(table))
      expect(help).toMatch(new RegExp(`${name} +${text}`))
    expect(help).toContain('(default http://127.0.0.1:8080)')
    expect(help).not.toContain('hidden-default')
  })
})
