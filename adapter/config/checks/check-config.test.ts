import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { loadConfig } from '../load-config.ts'

const SEALING_KEY = 'A'.repeat(43)

/** A configuration that is right, as the object that YAML would give. */
function sound() {
  return {
    issuer: 'https://id.example',
    listen: { host: '127.0.0.1', port: 9000 } as Record<string, unknown>,
    trusted_proxies: [] as string[],
    storage: { driver: 'sqlite' } as Record<string, unknown>,
    session: { idle: '8h', absolute: '12h' },
    keys: { file: 'keys.json', sealing_key: '${SEALING_KEY}' } as Record<string, unknown>,
    upstreams: {
      one: {
        kind: 'oidc',
        issuer: 'https://one.example',
        client_id: 'id',
        client_secret: '${SECRET}',
        subject: 'bare',
        claims: { name: 'name' } as Record<string, unknown>,
      } as Record<string, unknown>,
      two: {
        kind: 'oidc',
        issuer: 'https://two.example/path/',
        client_id: 'id',
        client_secret: '${SECRET}',
      } as Record<string, unknown>,
    } as Record<string, Record<string, unknown>>,
    clients: {
      app: { client_secret: '${SECRET}', redirect_uris: ['https://app.example/cb'] } as Record<
        string,
        unknown
      >,
    } as Record<string, Record<string, unknown>>,
  }
}

type Sound = ReturnType<typeof sound>

function faultsAfter(
  change: (config: Sound) => unknown,
  env: Record<string, string> = {},
): string[] {
  const config = sound()
  change(config)
  try {
    loadConfig({
      file: 'auth-adapter.yaml',
      text: JSON.stringify(config),
      env: { SEALING_KEY, SECRET: 'secret-from-outside-that-is-long-enough', ...env },
    })
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}

const EDITABLE =
  'Expected a claim that stays with one person for ever; this one can be changed, or given to another person'
const SECTOR_NEEDED =
  'Required with subject pairwise, unless all redirect URIs have one and the same host'
const set = (target: object, values: object) => Object.assign(target, values)

describe('checkConfig', () => {
  it('finds nothing wrong with what is right, in production either', () => {
    expect(faultsAfter(() => {})).toEqual([])
    expect(faultsAfter(() => {}, { NODE_ENV: 'production' })).toEqual([])
  })

  const ISSUERS: { value: string; gives: string | undefined }[] = [
    { value: 'https://id.example:8443', gives: undefined },
    { value: 'http://127.0.0.1:9000', gives: undefined },
    { value: 'http://[::1]:9000', gives: undefined },
    { value: 'http://localhost:9000', gives: undefined },
    { value: 'http://id.example', gives: 'Expected https (http on loopback only)' },
    { value: 'http://127.0.0.1.evil.example', gives: 'Expected https (http on loopback only)' },
    { value: 'http://localhost.evil.example', gives: 'Expected https (http on loopback only)' },
    { value: 'ftp://id.example', gives: 'Expected https (http on loopback only)' },
    { value: 'https://id.example/', gives: 'Leave out the trailing slash' },
    { value: 'https://id.example/a', gives: 'Expected an origin, without a path' },
    { value: 'https://id.example?', gives: 'An issuer has no query and no fragment' },
    { value: 'https://id.example#x', gives: 'An issuer has no query and no fragment' },
    { value: 'https://a:b@id.example', gives: 'An issuer has no user name and no password' },
    { value: 'https://ID.example', gives: 'Write it in lower case and without the standard port' },
    {
      value: 'https://id.example:443',
      gives: 'Write it in lower case and without the standard port',
    },
  ]
  it.each(ISSUERS)('judges the issuer $value', ({ value, gives }) => {
    expect(faultsAfter((config) => set(config, { issuer: value }))).toEqual(
      gives === undefined ? [] : [`issuer: ${gives}`],
    )
  })

  it.each(['state', 'nonce', 'redirect_uri', 'code_challenge_method', 'request_uri'])(
    'lets no authorization_params set %s',
    (name) => {
      const params = { authorization_params: { hd: 'example.com', [name]: 'x' } }
      expect(faultsAfter(({ upstreams }) => set(upstreams['one'] as object, params))).toEqual([
        `upstreams.one.authorization_params.${name}: This parameter belongs to the sign-in itself and can not be set`,
      ])
    },
  )

  it('takes an upstream of plain OAuth 2.0, without openid among its scopes', () => {
    const oauth2 = (changes: object, endpoints: object = {}) =>
      faultsAfter(({ upstreams }) => {
        const at = 'https://hub.example'
        upstreams['hub'] = {
          kind: 'oauth2',
          issuer: at,
          client_id: 'id',
          client_secret: '${SECRET}',
          scope: 'read:user',
          endpoints: {
            authorization: `${at}/a`,
            token: `${at}/t`,
            userinfo: `${at}/u`,
            ...endpoints,
          },
          ...changes,
        }
      })
    expect(oauth2({})).toEqual([])
    expect(oauth2({ scope: undefined })).toEqual([])
    expect(oauth2({}, { emails: 'http://hub.example/e' })).toEqual([
      'upstreams.hub.endpoints.emails: Expected https (http on loopback only)',
    ])
    expect(oauth2({}, { userinfo: undefined })).toEqual([
      'upstreams.hub.endpoints.userinfo: This setting is required',
    ])
    expect(oauth2({ kind: 'oauth', scope: 'openid' })).toEqual([
      'upstreams.hub.kind: Expected one of oidc, oauth2. Did you mean "oauth2"?',
    ])
  })

  it.each([
    {
      method: 'private_key_jwt',
      faults: ['client_secret: Not used', 'client_key: Required'],
    },
    {
      method: 'apple_jwt',
      faults: ['client_secret: Not used', 'client_key: Required', 'team_id: Required'],
    },
    { method: 'client_secret_post', faults: [] },
    { method: 'none', faults: ['client_secret: Not used'] },
  ])('wants the one credential that $method takes', ({ method, faults }) => {
    const found = faultsAfter(({ upstreams }) =>
      set(upstreams['one'] as object, { client_auth_method: method }),
    )
    const expected = faults.map((text) => `upstreams.one.${text} with client_auth_method ${method}`)
    expect(found.toSorted()).toEqual(expected.toSorted())
  })

  it.each([
    { value: 'http://127.0.0.1:9001/token', isRight: true },
    { value: 'https://inner.example/token?x=1', isRight: true },
    { value: 'http://inner.example/token', isRight: false },
    { value: 'https://a:b@inner.example/token', isRight: false },
    { value: 'https://inner.example/token#x', isRight: false },
  ])('judges the endpoint $value', ({ value, isRight }) => {
    const endpoints = { endpoints: { token: value } }
    expect(faultsAfter(({ upstreams }) => set(upstreams['one'] as object, endpoints))).toHaveLength(
      isRight ? 0 : 1,
    )
  })

  const REDIRECTS: { value: string; isRight: boolean }[] = [
    { value: 'https://app.example/cb?x=1', isRight: true },
    { value: 'http://127.0.0.1:8080/cb', isRight: true },
    { value: 'http://[::1]/cb', isRight: true },
    { value: 'org.example.app:/cb', isRight: true },
    { value: 'http://app.example/cb', isRight: false },
    { value: 'https://app.example/cb#', isRight: false },
    { value: 'https://*.example/cb', isRight: false },
    { value: 'https://app.example/*', isRight: false },
    { value: 'https://a:b@app.example/cb', isRight: false },
    { value: 'https:\\\\app.example/cb', isRight: false },
    { value: 'https://app.example/c b', isRight: false },
    { value: 'myapp:/cb', isRight: false },
    { value: 'javascript:alert(1)', isRight: false },
    { value: 'data:text/html,x', isRight: false },
    { value: '/cb', isRight: false },
  ]
  it.each(REDIRECTS)(
    'A12 script in redirect_uri, and other forms: $value',
    ({ value, isRight }) => {
      for (const setting of ['redirect_uris', 'post_logout_redirect_uris']) {
        const faults = faultsAfter((config) =>
          set(config.clients['app'] as object, { [setting]: [value] }),
        )
        expect(faults.map((fault) => fault.split(':')[0])).toEqual(
          isRight ? [] : [`clients.app.${setting}.0`],
        )
      }
    },
  )

  const PROTOCOL_CLAIMS = [
    'iss',
    'aud',
    'exp',
    'iat',
    'nbf',
    'jti',
    'sub',
    'nonce',
    'azp',
    'at_hash',
    'c_hash',
    'sid',
    'auth_time',
    'acr',
    'amr',
    'client_id',
    'scope',
    'typ',
    'cnf',
  ]
  const aliasFaults = (claim: string) =>
    faultsAfter(({ upstreams }) => {
      for (const upstream of Object.values(upstreams))
        set(upstream, { subject_alias: { group: 'staff', claim } })
    })

  it.each(['oid', 'employee_number', 'hr.id', 'sub', 'https://corp.example/person'])(
    'lets a subject_alias go by %s',
    (claim) => expect(aliasFaults(claim)).toEqual([]),
  )

  it.each([
    'email',
    'Mail',
    'preferred_username',
    'upn',
    'attributes.email',
    'name',
    'phone_number',
  ])('A14 lets no subject_alias go by %s, which can be changed', (claim) =>
    expect(aliasFaults(claim)).toEqual(
      ['one', 'two'].map((name) => `upstreams.${name}.subject_alias.claim: ${EDITABLE}`),
    ),
  )

  it.each(['iss', 'aud', 'tid', 'nonce', 'exp', 'acr', 'groups', 'org_id'])(
    'A16 lets no subject_alias go by %s, which many people share, or nobody keeps',
    (claim) => expect(aliasFaults(claim)[0]).toContain('does not belong to one person for ever'),
  )

  it.each(['sub', 'aud', 'scope', 'acr', 'with space'])(
    'A19 claims overridden: %s can not be mapped for a client either',
    (name) => {
      const [fault] = faultsAfter(({ clients }) =>
        set(clients['app'] as object, { claims: { [name]: 'x' } }),
      )
      expect(fault).toMatch(/^clients\.app\.claims\..*(belongs to the protocol|Expected a claim)/)
    },
  )

  it.each(PROTOCOL_CLAIMS)('A19 claims overridden: %s can not be mapped', (name) => {
    expect(
      faultsAfter((config) => set(config.upstreams['one']?.['claims'] as object, { [name]: 'x' })),
    ).toEqual([
      `upstreams.one.claims.${name}: This claim belongs to the protocol and can not be mapped`,
    ])
  })

  const ROWS: { name: string; change: (config: Sound) => unknown; gives: string }[] = [
    {
      name: 'A16 a hashed upstream beside a bare one, whose subs could be chosen to match',
      change: (c) => set(c.upstreams['two'] as object, { subject: 'hashed' }),
      gives:
        'upstreams.two.subject: Not beside a bare upstream: a sub of "one" could be made to equal a hash',
    },
    {
      name: 'A16 two hashed upstreams of one issuer',
      change: (c) => {
        const issuer = c.upstreams['one']?.['issuer']
        set(c.upstreams['one'] as object, { subject: 'hashed' })
        set(c.upstreams['two'] as object, { subject: 'hashed', issuer })
      },
      gives: 'upstreams.two.subject: "one" has the same issuer: their people would share subjects',
    },
    {
      name: 'two bare upstreams',
      change: (c) => set(c.upstreams['two'] as object, { subject: 'bare' }),
      gives: 'upstreams.two.subject: One upstream at most can be bare, and "one" is',
    },
    {
      name: 'an unknown default upstream',
      change: (c) => set(c, { default_upstream: 'tow' }),
      gives: 'default_upstream: There is no upstream of this name. Did you mean "two"?',
    },
    {
      name: 'an upstream for a client that does not exist',
      change: (c) => set(c.clients['app'] as object, { upstreams: ['one', 'tow'] }),
      gives: 'clients.app.upstreams.1: There is no upstream of this name. Did you mean "two"?',
    },
    {
      name: 'A15 a domain of two upstreams',
      change: (c) => {
        set(c.upstreams['one'] as object, { domains: ['corp.example'] })
        set(c.upstreams['two'] as object, { domains: ['two.example', 'corp.example'] })
      },
      gives: 'upstreams.two.domains.1: This domain leads to "one" already',
    },
    ...['Corp.example', 'corp.example.', 'a@corp.example', '*.corp.example', ''].map((domain) => ({
      name: `A15 a domain that no address can have: "${domain}"`,
      change: (c: Sound) => set(c.upstreams['one'] as object, { domains: [domain] }),
      gives: 'upstreams.one.domains.0: Expected a domain in lower case, such as corp.example',
    })),
    {
      name: 'an upstream on plain http',
      change: (c) => set(c.upstreams['one'] as object, { issuer: 'http://one.example' }),
      gives: 'upstreams.one.issuer: Expected https (http on loopback only)',
    },
    {
      name: 'an upstream scope without openid',
      change: (c) => set(c.upstreams['one'] as object, { scope: 'profile' }),
      gives: 'upstreams.one.scope: An OpenID Connect upstream needs the scope openid',
    },
    {
      name: 'an upstream without secret',
      change: (c) => delete c.upstreams['one']?.['client_secret'],
      gives: 'upstreams.one.client_secret: Required with client_auth_method client_secret_basic',
    },
    {
      name: 'a secret that is not used',
      change: (c) => set(c.upstreams['one'] as object, { client_auth_method: 'none' }),
      gives: 'upstreams.one.client_secret: Not used with client_auth_method none',
    },
    {
      name: 'a constant claim with more',
      change: (c) =>
        set(c.upstreams['one'] as object, { claims: { a: { constant: 1, from: 'b' } } }),
      gives: 'upstreams.one.claims.a.constant: A constant stands alone, without from',
    },
    {
      name: 'a bare upstream beside a group whose members may keep bare subs',
      change: (c) =>
        set(c.upstreams['two'] as object, { subject_alias: { group: 'staff', claim: 'oid' } }),
      gives:
        'upstreams.one.subject: Not beside subject_alias group "staff", which may keep a sub that equals one of its own. Let it join a group',
    },
    {
      name: 'a sector of a client that is not pairwise',
      change: (c) => set(c.clients['app'] as object, { sector: 'app.example' }),
      gives: 'clients.app.sector: Only used with subject pairwise',
    },
    {
      name: 'a pairwise client with redirect URIs at two hosts and no sector',
      change: (c) =>
        set(c.clients['app'] as object, {
          subject: 'pairwise',
          redirect_uris: ['https://a.example/cb', 'https://b.example/cb'],
        }),
      gives: `clients.app.sector: ${SECTOR_NEEDED}`,
    },
    {
      name: 'a pairwise client without a host and no sector',
      change: (c) =>
        set(c.clients['app'] as object, {
          subject: 'pairwise',
          redirect_uris: ['org.example.app:/cb'],
        }),
      gives: `clients.app.sector: ${SECTOR_NEEDED}`,
    },
    {
      name: 'rotation of keys that are in a file',
      change: (c) => set(c.keys, { rotate_every: '30d' }),
      gives: 'keys.rotate_every: Signing keys come from one place; leave out this or keys.file',
    },
    {
      name: 'a subject key that is too short',
      change: (c) => set(c.keys, { subject_key: 'AAAA' }),
      gives: 'keys.subject_key: Expected 32 bytes in base64url (43 characters, no padding)',
    },
    {
      name: 'a constant of a client and a path',
      change: (c) => set(c.clients['app'] as object, { claims: { a: { constant: 1, from: 'b' } } }),
      gives: 'clients.app.claims.a.constant: A constant stands alone, without from',
    },
    {
      name: 'a template with a path beside it',
      change: (c) =>
        set(c.upstreams['one'] as object, { claims: { a: { template: '{b}', from: 'b' } } }),
      gives: 'upstreams.one.claims.a.template: A template stands alone, without from',
    },
    ...['no path', '{open', 'close}', '{}', '{a{b}}', ''].map((template) => ({
      name: `a template that is none: "${template}"`,
      change: (c: Sound) => set(c.upstreams['one'] as object, { claims: { a: { template } } }),
      gives:
        'upstreams.one.claims.a.template: Expected a text with paths in braces, such as {given_name} {family_name}',
    })),
    {
      name: 'A13 PKCE downgrade: a public client without PKCE',
      change: (c) =>
        set(c.clients, { spa: { redirect_uris: ['https://spa.example/'], pkce: 'optional' } }),
      gives: 'clients.spa.pkce: A client without client_secret or jwks needs PKCE',
    },
    {
      name: 'a client id that is not ASCII',
      change: (c) => set(c.clients, { ä: c.clients['app'] }),
      gives: 'clients.ä: Expected a client id of printable ASCII characters',
    },
    {
      name: 'a start page that is a script',
      change: (c) => set(c.clients['app'] as object, { client_uri: 'javascript:alert(1)' }),
      gives: 'clients.app.client_uri: Expected https (http on loopback only)',
    },
    {
      name: 'A28 logout tokens over plain http',
      change: (c) =>
        set(c.clients['app'] as object, { backchannel_logout_uri: 'http://app.example/out' }),
      gives: 'clients.app.backchannel_logout_uri: Expected https (http on loopback only)',
    },
    {
      name: 'a logout page that is a script',
      change: (c) =>
        set(c.clients['app'] as object, { frontchannel_logout_uri: 'javascript:alert(1)' }),
      gives: 'clients.app.frontchannel_logout_uri: Expected https (http on loopback only)',
    },
    {
      name: 'idle longer than absolute',
      change: (c) => set(c.session, { idle: '13h' }),
      gives: 'session.idle: Can not be longer than session.absolute',
    },
    {
      name: 'redis without a server',
      change: (c) => set(c, { storage: { driver: 'redis' } }),
      gives: 'storage: Expected exactly one of url, cluster and sentinel',
    },
    {
      name: 'redis twice',
      change: (c) =>
        set(c, { storage: { driver: 'redis', url: 'redis://a', cluster: ['redis://b'] } }),
      gives: 'storage: Expected exactly one of url, cluster and sentinel',
    },
    {
      name: 'redis over http',
      change: (c) => set(c, { storage: { driver: 'redis', url: 'http://a' } }),
      gives: 'storage.url: Expected a redis:// or rediss:// URL',
    },
    {
      name: 'an open listener without TLS',
      change: (c) => set(c.listen, { host: '0.0.0.0' }),
      gives:
        'listen.host: Outside loopback either listen.tls or a TLS proxy in trusted_proxies is needed',
    },
    {
      name: 'TLS under an http issuer',
      change: (c) =>
        set(c, { issuer: 'http://127.0.0.1:9000', listen: { tls: { cert: 'a', key: 'b' } } }),
      gives: 'issuer: With listen.tls the issuer begins with https:',
    },
    {
      name: 'one port for both listeners',
      change: (c) => set(c.listen, { port: 9010 }),
      gives: 'admin.port: The admin listener needs a port of its own',
    },
    {
      name: 'a proxy by name',
      change: (c) => set(c, { trusted_proxies: ['proxy.example'] }),
      gives: 'trusted_proxies.0: Expected an IP address or a range such as 10.0.0.0/8',
    },
    {
      name: 'a range too narrow',
      change: (c) => set(c, { trusted_proxies: ['10.0.0.0/33'] }),
      gives: 'trusted_proxies.0: Expected an IP address or a range such as 10.0.0.0/8',
    },
    {
      name: 'A46 X-Forwarded poisoning: a range of everybody',
      change: (c) => set(c, { trusted_proxies: ['::/0'] }),
      gives: 'trusted_proxies.0: This range believes everybody; name the proxies',
    },
    {
      name: 'a sealing key of 31 bytes',
      change: (c) => set(c.keys, { sealing_key: 'A'.repeat(42) }),
      gives: 'keys.sealing_key: Expected 32 bytes in base64url (43 characters, no padding)',
    },
    {
      name: 'F71 a second sealing key of 31 bytes',
      change: (c) =>
        set(c.keys, { sealing_key: 'A'.repeat(43), second_sealing_key: 'B'.repeat(42) }),
      gives: 'keys.second_sealing_key: Expected 32 bytes in base64url (43 characters, no padding)',
    },
    {
      name: 'F71 the same sealing key twice, written differently',
      change: (c) =>
        set(c.keys, {
          sealing_key: `${'x'.repeat(42)}A`,
          second_sealing_key: `${'x'.repeat(42)}B`,
        }),
      gives:
        'keys.second_sealing_key: The same as sealing_key; expected the old key, or the next one',
    },
    {
      name: 'F71 a second sealing key without a first',
      change: (c) => {
        delete c.keys['sealing_key']
        set(c.keys, { second_sealing_key: 'A'.repeat(43) })
      },
      gives:
        'keys.second_sealing_key: Needs sealing_key beside it: the one that seals; the generated one is in sealing.key',
    },
  ]
  it.each(ROWS)('refuses $name', ({ change, gives }) => {
    expect(faultsAfter(change)).toEqual([gives])
  })

  it('accepts an open listener behind TLS or a named proxy', () => {
    expect(
      faultsAfter((c) =>
        set(c, { listen: { host: '0.0.0.0' }, trusted_proxies: ['10.0.0.0/8', '::1', 'fd00::/8'] }),
      ),
    ).toEqual([])
    expect(
      faultsAfter((c) => set(c, { listen: { host: '0.0.0.0', tls: { cert: 'a', key: 'b' } } })),
    ).toEqual([])
  })

  const PRODUCTION: { name: string; change: (config: Sound) => unknown; gives: string }[] = [
    {
      name: 'memory storage',
      change: (c) => set(c, { storage: { driver: 'memory' } }),
      gives: 'storage.driver: Memory is refused in production; use sqlite or redis',
    },
    {
      name: 'generated signing keys',
      change: (c) => delete c.keys['file'],
      gives:
        'keys.file: Required in production; or signer; or rotate_every, to have keys made, kept in storage under sealing_key, and rotated',
    },
    {
      name: 'pairwise clients without a subject key',
      change: (c) => set(c.clients['app'] as object, { subject: 'pairwise' }),
      gives: 'keys.subject_key: Required in production, where no key is generated',
    },
    {
      name: 'a generated sealing key',
      change: (c) => delete c.keys['sealing_key'],
      gives: 'keys.sealing_key: Required in production, where no key is generated',
    },
    {
      name: 'an inline secret',
      change: (c) => set(c.clients['app'] as object, { client_secret: 'x' }),
      gives:
        'clients.app.client_secret: A secret in the file itself is refused in production; use ${NAME} or ${file:path}',
    },
    {
      name: 'a secret as default',
      change: (c) => set(c.clients['app'] as object, { client_secret: '${NOT_SET:-x}' }),
      gives:
        'clients.app.client_secret: A secret in the file itself is refused in production; use ${NAME} or ${file:path}',
    },
    {
      name: 'a password in a URL',
      change: (c) => set(c, { storage: { driver: 'redis', url: 'redis://:x@a' } }),
      gives:
        'storage.url: A secret in the file itself is refused in production; use ${NAME} or ${file:path}',
    },
  ]
  it.each(PRODUCTION)('refuses in production: $name', ({ change, gives }) => {
    expect(faultsAfter(change, { NODE_ENV: 'production' })).toEqual([gives])
    expect(faultsAfter(change)).toEqual([])
  })

  it('accepts in production a server’s URL without password, and secrets by variable', () => {
    const change = (c: Sound) =>
      set(c, { storage: { driver: 'redis', url: 'rediss://redis.example:6379' } })
    expect(
      faultsAfter(change, {
        NODE_ENV: 'production',
        AUTH_ADAPTER_CLIENTS__APP__CLIENT_SECRET: 'x'.repeat(32),
      }),
    ).toEqual([])
  })
})
