import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import type { ConfigFault } from '../errors.ts'
import { loadConfig } from './load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'load-config-'))
const file = join(folder, 'auth-adapter.yaml')
afterAll(() => rmSync(folder, { recursive: true }))

const SMALL = `issuer: http://127.0.0.1:9000
upstreams:
  test-auth-server:
    kind: oidc
    issuer: http://127.0.0.1:9001
    client_id: test-client
    client_secret: canary-upstream
    claims: { name: name }
clients:
  client:
    client_secret: canary-client
    redirect_uris: [ "http://127.0.0.1:8080/cb" ]
`

type Env = Record<string, string | undefined>

function load(text: string, env: Env = {}, flags?: Record<string, unknown>) {
  return loadConfig({ file, text, env, flags })
}

function faultsOf(text: string, env: Env = {}): readonly ConfigFault[] {
  try {
    load(text, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

function briefly({ path, message, line, column }: ConfigFault): string {
  return `${line}:${column} ${path}: ${message}`
}

describe('loadConfig: values', () => {
  it('fills in defaults, durations in seconds, and absolute paths', () => {
    const { config } = load(SMALL)
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 9000, drain: 0.5 })
    expect(config.session).toEqual({ idle: 28_800, absolute: 43_200 })
    expect(config.data).toBe(join(folder, 'data'))
    expect(config.storage).toEqual({
      driver: 'sqlite',
      file: join(folder, 'data', 'adapter.sqlite'),
    })
    expect(config.upstreams['test-auth-server']).toMatchObject({
      timeout: 5,
      clock_tolerance: 30,
      id_token_algs: ['RS256'],
    })
  })

  it('takes relative paths from the file’s folder and leaves absolute ones', () => {
    const { config } = load(
      `${SMALL}keys: { file: keys/signing.json }\nlisten: { tls: { cert: /etc/tls/a.pem, key: b.pem } }\n`.replace(
        'http://127.0.0.1:9000',
        'https://id.example',
      ),
    )
    expect(config.keys.file).toBe(join(folder, 'keys', 'signing.json'))
    expect(config.listen.tls).toEqual({ cert: '/etc/tls/a.pem', key: join(folder, 'b.pem') })
  })

  it('puts the database into the data folder, wherever that is', () => {
    expect(load(SMALL, { AUTH_ADAPTER_DATA: '/var/lib/adapter' }).config).toMatchObject({
      data: '/var/lib/adapter',
      storage: { file: '/var/lib/adapter/adapter.sqlite' },
    })
    expect(load(`${SMALL}storage: { driver: sqlite }\ndata: state\n`).config.storage).toMatchObject(
      {
        file: join(folder, 'state', 'adapter.sqlite'),
      },
    )
  })

  it('interpolates variables, defaults and files anywhere, and numbers where one is expected', () => {
    mkdirSync(join(folder, 'secrets'), { recursive: true })
    writeFileSync(join(folder, 'secrets', 'client'), 'from-file\n')
    const text = SMALL.replace('canary-client', () => '${file:secrets/client}').replace(
      'canary-upstream',
      () => 'a$${b}${X}-${Y:-dflt}',
    )
    const { config } = load(`${text}listen: { port: "\${PORT}" }\n`, { X: 'x', PORT: '9100' })
    expect(config.clients['client']?.client_secret).toBe('from-file')
    expect(config.upstreams['test-auth-server']?.client_secret).toBe('a${b}x-dflt')
    expect(config.listen.port).toBe(9100)
  })
})

describe('loadConfig: layers', () => {
  it('lets flags win over the environment, that over the file, that over defaults, and says which', () => {
    const text = `${SMALL}listen: { host: localhost, port: 9001 }\n`
    const { config, origins } = load(
      text,
      { AUTH_ADAPTER_LISTEN__PORT: '9002', AUTH_ADAPTER_ADMIN__PORT: '9003' },
      { 'admin.port': 9004 },
    )
    expect([config.listen.host, config.listen.port, config.admin.port]).toEqual([
      'localhost',
      9002,
      9004,
    ])
    expect(origins.get('listen.host')).toEqual({
      kind: 'file',
      line: 13,
      column: 17,
      isLiteral: true,
    })
    expect(origins.get('listen.port')).toEqual({
      kind: 'environment',
      variable: 'AUTH_ADAPTER_LISTEN__PORT',
    })
    expect(origins.get('admin.port')).toEqual({ kind: 'flag', flag: 'admin.port' })
    expect(origins.get('session.idle')).toEqual({ kind: 'default' })
  })

  it('matches names with dashes in variables, and takes a text setting as it stands', () => {
    const { config } = load(SMALL, {
      AUTH_ADAPTER_UPSTREAMS__TEST_AUTH_SERVER__ISSUER: 'https://idp.example',
      AUTH_ADAPTER_CLIENTS__CLIENT__CLIENT_SECRET: '0123456789',
      AUTH_ADAPTER_CLIENTS__CLIENT__REDIRECT_URIS: '[https://a.example/cb, https://b.example/cb]',
    })
    expect(config.upstreams['test-auth-server']?.issuer).toBe('https://idp.example')
    expect(config.clients['client']).toMatchObject({
      client_secret: '0123456789',
      redirect_uris: ['https://a.example/cb', 'https://b.example/cb'],
    })
  })

  it('replaces a whole group by one variable, and then one setting in it by another', () => {
    const { config } = load(SMALL, {
      AUTH_ADAPTER_STORAGE: '{"driver":"redis","url":"redis://127.0.0.1:6379"}',
      AUTH_ADAPTER_STORAGE__PREFIX: 'x:',
    })
    expect(config.storage).toEqual({ driver: 'redis', url: 'redis://127.0.0.1:6379', prefix: 'x:' })
  })

  it('adds an upstream and a client by variables alone', () => {
    const { config } = load(SMALL, {
      AUTH_ADAPTER_UPSTREAMS__MY_IDP:
        '{ kind: oidc, issuer: "https://b.example", client_id: b, client_secret: c }',
      AUTH_ADAPTER_CLIENTS__CLI__REDIRECT_URIS: '["http://127.0.0.1/cb"]',
    })
    expect(Object.keys(config.upstreams)).toEqual(['test-auth-server', 'my-idp'])
    expect(config.clients['cli']).toMatchObject({
      redirect_uris: ['http://127.0.0.1/cb'],
      pkce: 'required',
    })
  })

  it('ignores the variables that are for the commands, and those set to nothing', () => {
    const env = {
      AUTH_ADAPTER_CONFIG: 'x',
      AUTH_ADAPTER_ADMIN_TOKEN: 'x',
      AUTH_ADAPTER_NIGHTLY: '1',
      AUTH_ADAPTER_LOG__LEVEL: '',
    }
    expect(faultsOf(SMALL, env)).toEqual([])
  })
})

describe('loadConfig: faults', () => {
  it('names the place of every fault in one run, of shape and of meaning', () => {
    const text = SMALL.replace('issuer: http://127.0.0.1:9000', 'isuer: http://127.0.0.1:9000')
      .replace('kind: oidc', 'kind: saml')
      .replace('http://127.0.0.1:9001', 'http://idp.example')
      .replace('"http://127.0.0.1:8080/cb"', '"http://127.0.0.1:8080/cb#x"')
    expect(faultsOf(text).map(briefly)).toEqual([
      '1:1 isuer: Unknown setting "isuer". Did you mean "issuer"?',
      '4:11 upstreams.test-auth-server.kind: Expected one of oidc, oauth2',
      '5:13 upstreams.test-auth-server.issuer: Expected https (http on loopback only)',
      '12:22 clients.client.redirect_uris.0: A redirect URI has no fragment',
    ])
  })

  const rows: { name: string; from: string; to: string; gives: string }[] = [
    {
      name: 'a setting that is missing',
      from: '    client_id: test-client\n',
      to: '',
      gives: '3:3 upstreams.test-auth-server.client_id: This setting is required',
    },
    {
      name: 'a number for a text',
      from: 'test-client',
      to: '123',
      gives:
        '6:16 upstreams.test-auth-server.client_id: Expected a text, found a number; put it in quotes',
    },
    {
      name: 'a text for a list',
      from: '[ "http://127.0.0.1:8080/cb" ]',
      to: 'x',
      gives: '12:20 clients.client.redirect_uris: Expected a list, found a text',
    },
    {
      name: 'a wrong item of a list',
      from: '"http://127.0.0.1:8080/cb"',
      to: 'x',
      gives: '12:22 clients.client.redirect_uris.0: Expected an absolute URL',
    },
    {
      name: 'a list that is empty',
      from: '[ "http://127.0.0.1:8080/cb" ]',
      to: '[]',
      gives: '12:20 clients.client.redirect_uris: This setting is required',
    },
    {
      name: 'a duration without a unit',
      from: 'claims:',
      to: 'timeout: "5"\n    claims:',
      gives:
        '8:14 upstreams.test-auth-server.timeout: Expected a duration such as 30s, 5m, 8h or 14d',
    },
    {
      name: 'an upstream name in capitals',
      from: 'test-auth-server:',
      to: 'Test:',
      gives: '3:3 upstreams.Test: Expected a name of lower-case letters, digits and dashes',
    },
    {
      name: 'a claim rule of the wrong kind',
      from: 'name: name',
      to: 'name: [x]',
      gives: '8:21 upstreams.test-auth-server.claims.name: Expected a text or a map, found a list',
    },
    {
      name: 'a mistyped claim rule',
      from: 'name: name',
      to: 'name: { form: x }',
      gives:
        '8:23 upstreams.test-auth-server.claims.name.form: Unknown setting "form". Did you mean "from"?',
    },
    {
      name: 'a name set twice',
      from: '    claims:',
      to: '    kind: oidc\n    claims:',
      gives: '8:5 : This name was already set above',
    },
    {
      name: 'a variable that is not set',
      from: 'canary-client',
      to: '${NOPE}',
      gives:
        '11:20 clients.client.client_secret: Environment variable NOPE is not set, and there is no default (${NOPE:-...})',
    },
    {
      name: 'a file that is not there',
      from: 'canary-client',
      to: '${file:nope}',
      gives:
        '11:20 clients.client.client_secret: Cannot read the file named in ${file:...} (ENOENT)',
    },
    {
      name: 'an interpolation that is none',
      from: 'canary-client',
      to: '${A-B}',
      gives:
        '11:20 clients.client.client_secret: Expected ${NAME}, ${NAME:-default} or ${file:path}; write "$${" for a literal "${"',
    },
    {
      name: 'a storage driver that is none',
      from: 'clients:',
      to: 'storage: { driver: sqlit }\nclients:',
      gives: '9:20 storage.driver: Expected one of memory, sqlite, redis. Did you mean "sqlite"?',
    },
    {
      name: 'a quote left open',
      from: 'canary-client',
      to: '"canary-client',
      gives: '11:20 : The quote that begins here is not closed',
    },
    {
      name: 'a bracket left open',
      from: '{ name: name }',
      to: '{ name: name',
      gives: '9:1 : Wrong indentation',
    },
    {
      name: 'a tab',
      from: '    kind',
      to: '\tkind',
      gives: '4:1 : Indent with spaces; found a tab',
    },
    {
      name: 'an alias without anchor',
      from: 'test-client',
      to: '*x',
      gives: '6:16 : There is no anchor of this name above',
    },
    {
      name: 'a tag',
      from: 'test-client',
      to: '!!js x',
      gives: '6:16 : Tags ("!...") are not used here',
    },
    {
      name: 'a second document',
      from: 'clients:',
      to: '---\nclients:',
      gives: '9:1 : Expected one YAML document, found another after "---"',
    },
    {
      name: 'A41 prototype pollution: a name that reaches a prototype',
      from: 'name: name',
      to: '__proto__: { a: b }',
      gives: '8:15 : This name is not allowed',
    },
  ]
  it.each(rows)('points at $name', ({ from, to, gives }) => {
    expect(SMALL).toContain(from)
    expect(faultsOf(SMALL.replace(from, () => to)).map(briefly)).toContain(gives)
  })

  it('shows the line with a caret below the place', () => {
    const [fault] = faultsOf(SMALL.replace('kind: oidc', '"kind":   saml   # was oidc'))
    expect(fault?.excerpt).toBe('    "kind":   saml\n              ^')
  })

  it('names the variable when a fault comes from the environment', () => {
    expect(
      faultsOf(SMALL, {
        AUTH_ADAPTER_LISTEN__PORT: 'x',
        AUTH_ADAPTER_LISTEN__PROT: '1',
        AUTH_ADAPTER_ISUER: 'x',
      }),
    ).toEqual([
      {
        path: 'AUTH_ADAPTER_ISUER',
        message: 'Environment variable sets no setting. Did you mean "AUTH_ADAPTER_ISSUER"?',
      },
      {
        path: 'AUTH_ADAPTER_LISTEN__PROT',
        message: 'Environment variable sets no setting. Did you mean "AUTH_ADAPTER_LISTEN__PORT"?',
      },
      {
        path: 'listen.port',
        message: 'Expected a number, found a text (set by AUTH_ADAPTER_LISTEN__PORT)',
      },
    ])
  })

  it('says what is wrong with a file that can not be read', () => {
    expect(() => loadConfig({ file: join(folder, 'nope.yaml'), env: {} })).toThrow(
      'Cannot read the configuration: there is no such file',
    )
    expect(() => loadConfig({ file: folder, env: {} })).toThrow('it is a folder')
    expect(faultsOf('')).toMatchObject([{ message: 'The configuration is empty' }])
  })

  it('ends quickly on a text made to be expensive', () => {
    const bomb = [
      'a: &a0 [x]',
      ...Array.from({ length: 30 }, (_, i) => `b${i}: &a${i + 1} [*a${i},*a${i},*a${i}]`),
    ].join('\n')
    const started = performance.now()
    for (const text of [
      bomb,
      '['.repeat(50_000),
      '{a: '.repeat(5000),
      '&a [*a]',
      `issuer: "${'${'.repeat(100_000)}"`,
      'a'.repeat(2_000_000),
    ]) {
      expect(faultsOf(text)).not.toEqual([])
    }
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('loadConfig: secrets', () => {
  it('A43 secrets in errors: a secret’s value is in no message and no excerpt, whatever is wrong with it', () => {
    const texts = [
      SMALL.replace('client_secret: canary', 'client_secert: canary'),
      SMALL.replace('client_secret: canary', 'whatever: canary'),
      SMALL.replace('client_secret: canary-client', 'client_secret: [canary-client]'),
      SMALL.replace('client_secret: canary-client', 'client_secret: { canary-client: 1 }'),
      SMALL.replace('client_secret: canary', 'client_secret: "canary'),
      SMALL.replace('client_secret: canary-client', 'client_secret:canary-client'),
      SMALL.replace('client_secret: canary-client', 'client_secret: canary-client: x'),
      `${SMALL}storage: { driver: redis, url: "http://u:canary@h", prefixx: y }\n`,
      `${SMALL}storage: { driver: redis, cluster: ["redis://u:canary@h"], url: "redis://u:canary@h" }\n`,
      `${SMALL}keys: { sealing_key: canary }\n`,
      SMALL.replace('http://127.0.0.1:9000', 'http://u:canary@127.0.0.1:9000'),
    ]
    for (const text of texts) {
      const faults = faultsOf(text)
      expect(faults, text).not.toEqual([])
      expect(JSON.stringify(faults), text).not.toContain('canary')
    }
    const fromOutside = faultsOf(SMALL, {
      AUTH_ADAPTER_KEYS__SEALING_KEY: 'canary-key',
      AUTH_ADAPTER_STORAGE: '{driver: redis, url: "x:canary"}',
      AUTH_ADAPTER_CLIENTS__CLIENT: '{ redirect_uris: ["https://a.example/"], "canary-client" }',
    })
    expect(fromOutside).toHaveLength(3)
    expect(JSON.stringify(fromOutside)).not.toContain('canary')
  })
})
