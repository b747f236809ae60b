// `auth-adapter client …` as an operator uses it: the file before and after, what is said, and the chain with the outcome.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import * as openidClient from 'openid-client'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { runCli } from './cli.ts'
import { openClients } from './cli/client/file/edit-clients.ts'
import { LIBRARIES } from './cli/client/snippets/print-snippet.ts'
import { loadConfig } from './config/load-config.ts'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { createAdapter, type Adapter } from './server.ts'
import { useChain } from './test-support/use-chain.ts'

const FILE = `issuer: https://id.example # who we are
upstreams:
  one: { kind: oidc, issuer: "https://one.example", client_id: x, client_secret: "\${ONE:-y}" }
clients:
  # The shop.
  shop:
    client_secret: \${SHOP_SECRET:-secret} # from outside
    redirect_uris: [https://shop.example/cb]
  spa: { redirect_uris: [https://spa.example/cb] }
`
const folder = mkdtempSync(join(tmpdir(), 'client-commands-'))
afterAll(() => rmSync(folder, { recursive: true }))

let file: string
let out = ''
let err = ''
let files = 0
beforeEach(() => {
  files += 1
  file = join(folder, `${files}.yaml`)
  writeFileSync(file, FILE, { mode: 0o640 })
  out = err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

/** One command; its exit code. `out` and `err` hold what it said, alone. */
async function client(...args: string[]): Promise<number> {
  out = err = ''
  await runCli(['client', ...args, '--config', file], {})
  return Number(process.exitCode)
}
const text = () => readFileSync(file, 'utf8')
const secretIn = (said: string) => /client_secret {2}(\S{43})$/m.exec(said)?.[1] ?? ''
const json = () => JSON.parse(out) as Record<string, unknown>

describe('client add', () => {
  it('adds an app, shows its secret once, and keeps the rest of the file and its mode', async () => {
    const code = await client(
      'add',
      'app',
      '--redirect-uri',
      'https://app.example/cb',
      '--scope',
      'openid profile',
      '--name',
      'App',
    )
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`Client "app" is added to ${file}.`)
    expect(secretIn(out)).toMatch(/^[\w-]{43}$/)
    expect(text().startsWith(FILE)).toBe(true)
    expect(text()).not.toContain(secretIn(out))
    expect(loadConfig({ file, env: {} }).config.clients['app']).toMatchObject({
      client_name: 'App',
      redirect_uris: ['https://app.example/cb'],
      scope: 'openid profile',
      client_secrets: [{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    })
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('through a link, which stays one', async () => {
    const target = file
    file = join(folder, 'link.yaml')
    symlinkSync(target, file)
    expect(await client('add', 'app', '--public', '--redirect-uri', 'https://app.example/cb')).toBe(
      0,
    )
    expect(out).toContain('client_secret  none: a public client')
    expect(readFileSync(target, 'utf8')).toContain('  app:\n')
  })

  it('with the keys of an app there is no secret, and a private key is refused', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = join(folder, 'keys.json')
    writeFileSync(keys, JSON.stringify({ keys: [await exportJWK(publicKey)] }))
    expect(
      await client('add', 'signer', '--grant-type', 'client_credentials', '--jwks', keys),
    ).toBe(0)
    expect(out).toContain('none: it signs with its own key')
    const before = text()
    const jwk = await exportJWK(privateKey)
    writeFileSync(keys, JSON.stringify({ keys: [jwk] }))
    expect(await client('add', 'leaky', '--grant-type', 'client_credentials', '--jwks', keys)).toBe(
      2,
    )
    expect(err).toContain('A private key stays with its app')
    expect(err).not.toContain(jwk.d)
    expect(text()).toBe(before)
  })

  const WRONG: [name: string, args: string[], said: string][] = [
    ['no address to come back to', ['add', 'app'], '--redirect-uri https://app.example/callback'],
    [
      'one that is there',
      ['add', 'shop', '--redirect-uri', 'https://a.example/'],
      'There is already a client "shop"',
    ],
    [
      'public, and with keys',
      ['add', 'a', '--public', '--jwks', 'k', '--redirect-uri', 'https://a.example/'],
      'Either --public, or --jwks',
    ],
    [
      'keys that are not there',
      ['add', 'a', '--jwks', '/no/keys.json', '--redirect-uri', 'https://a.example/'],
      'Cannot read /no/keys.json (ENOENT)',
    ],
    [
      'keys that are none',
      ['add', 'a', '--jwks', 'package.json', '--redirect-uri', 'https://a.example/'],
      'Expected a JWK Set in package.json',
    ],
    [
      'what would not be valid',
      ['add', 'a', '--redirect-uri', 'http://a.example/'],
      'clients.a.redirect_uris.0: Expected https',
    ],
    [
      'an id that no client has',
      ['add', 'ä', '--redirect-uri', 'https://a.example/'],
      'Expected a client id of printable ASCII',
    ],
    [
      'a secret of one that is not there',
      ['rotate-secret', 'shpo'],
      'There is no client "shpo". Did you mean "shop"?',
    ],
    ['a secret of a public one', ['rotate-secret', 'spa'], 'it is a public client'],
    ['the only secret away', ['rotate-secret', 'shop', '--drop-old'], 'has one secret only'],
    [
      'a library that is not known',
      ['snippet', 'shop', '--for', 'sprin'],
      'Did you mean "spring"?',
    ],
    [
      'a library that has nothing like it',
      ['snippet', 'shop', '--for', 'cobol'],
      'there is openid-client, ',
    ],
    [
      'a library that can not do it',
      ['snippet', 'spa', '--for', 'oauth2-proxy'],
      'oauth2-proxy does not work without a secret',
    ],
  ]
  it.each(WRONG)('%s: one sentence, 2, and the file as it was', async (_name, args, said) => {
    expect([await client(...args), out]).toEqual([2, ''])
    expect(err).toContain(said)
    expect(text()).toBe(FILE)
  })

  it('says the same as JSON', async () => {
    expect(await client('rotate-secret', 'shpo', '--json')).toBe(2)
    expect([json(), err]).toEqual([
      { error: 'There is no client "shpo". Did you mean "shop"?' },
      '',
    ])
    expect(await client('add', 'app', '--redirect-uri', 'https://app.example/cb', '--json')).toBe(0)
    expect(json()).toEqual({
      client_id: 'app',
      client_secret: expect.stringMatching(/^.{43}$/) as string,
      file,
    })
  })

  it('where the new file can not be written: 1, why, and the file as it was', async () => {
    // With what the temporary name adds it is longer than a file system takes.
    file = join(folder, `${'n'.repeat(246)}.yaml`)
    writeFileSync(file, FILE)
    expect([await client('rotate-secret', 'shop'), out]).toEqual([1, ''])
    expect(err).toContain('ENAMETOOLONG')
    expect(text()).toBe(FILE)
  })

  it('what somebody else saved meanwhile is not written over', () => {
    const { save } = openClients({ file, env: {} })
    const theirs = `${FILE}# theirs\n`
    const outcome = save(['shop', 'scope'], (document) => {
      document.setIn(['clients', 'shop', 'scope'], 'openid')
      writeFileSync(file, theirs)
    })
    expect(outcome?.refusal).toContain('was changed meanwhile')
    expect(text()).toBe(theirs)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('client rotate-secret', () => {
  it('a new one beside the old one; two at most; then the old one goes', async () => {
    expect(await client('rotate-secret', 'shop')).toBe(0)
    const first = secretIn(out)
    expect(first).not.toBe('')
    expect(text()).toContain('client_secret: ${SHOP_SECRET:-secret} # from outside')
    expect(await client('rotate-secret', 'shop')).toBe(2)
    expect(err).toContain('has two secrets already')
    expect(await client('rotate-secret', 'shop', '--drop-old')).toBe(0)
    expect(text()).not.toContain('SHOP_SECRET')
    expect(await client('rotate-secret', 'shop')).toBe(0)
    const hashes = () => loadConfig({ file, env: {} }).config.clients['shop']?.client_secrets ?? []
    const [older, newer] = hashes()
    expect(await client('rotate-secret', 'shop', '--drop-old')).toBe(0)
    expect(hashes()).toEqual([newer])
    expect(newer).not.toEqual(older)
    expect(text()).toContain('# The shop.')
  })

  it('one that has expired makes room', async () => {
    const sha256 = 'a0'.repeat(32)
    const secrets = `client_secrets: [{ sha256: ${sha256}, expires: 2020-01-01 }, { sha256: ${sha256} }]`
    writeFileSync(file, FILE.replace(/client_secret: \$\{SHOP.*/, secrets))
    expect(await client('list')).toBe(0)
    expect(out).toContain('expired 2020-01-01; one')
    expect(await client('rotate-secret', 'shop')).toBe(0)
    expect(text()).not.toContain('2020-01-01')
  })

  const EXPIRED = `{ sha256: ${'b1'.repeat(32)}, created: 2019-06-01, expires: 2020-01-01 }`
  const GOOD = `{ sha256: ${'a0'.repeat(32)}, created: 2019-01-01 }`
  const shopWith = (lines: string) =>
    writeFileSync(file, FILE.replace(/client_secret: \$\{SHOP.*/, lines))

  it.each([
    ['a hash', `client_secrets: [${GOOD}, ${EXPIRED}]`],
    ['a secret as it is', `client_secret: plain\n    client_secrets: [${EXPIRED}]`],
  ])('drop-old leaves the one that is good, however old: %s', async (_name, lines) => {
    shopWith(lines)
    expect(await client('rotate-secret', 'shop', '--drop-old')).toBe(0)
    const { client_secret, client_secrets } =
      loadConfig({ file, env: {} }).config.clients['shop'] ?? {}
    const left = [client_secret, ...(client_secrets ?? []).map(({ sha256 }) => sha256)]
    expect(left.filter(Boolean)).toEqual([lines.includes('plain') ? 'plain' : 'a0'.repeat(32)])
  })

  it('secrets by an alias are nobody’s alone: neither lost nor changed for others', async () => {
    shopWith(`client_secrets: &shared [${GOOD}]`)
    writeFileSync(file, text().replace('spa: { ', 'spa: { client_secrets: *shared, '))
    const before = text()
    for (const id of ['shop', 'spa']) {
      expect(await client('rotate-secret', id)).toBe(1)
      expect(err).toContain('does not stand at its own place')
      expect([out, text()]).toEqual(['', before])
    }
  })

  it('a secret that the environment sets is not said to be gone', async () => {
    shopWith(`client_secrets: [${GOOD}]`)
    const env = { AUTH_ADAPTER_CLIENTS__SHOP__CLIENT_SECRET: 'from outside' }
    const before = text()
    await runCli(['client', 'rotate-secret', 'shop', '--drop-old', '--config', file], env)
    expect([process.exitCode, out, text()]).toEqual([1, '', before])
    expect(err).toContain('the environment sets it')
  })
})

describe('client list and snippet', () => {
  it('lists who is there, and how each proves itself, for people and as JSON', async () => {
    expect(await client('list')).toBe(0)
    expect(out.split('\n').map((line) => line.trimEnd())).toEqual([
      'client  name  proves itself with   secrets  scope',
      'shop          client_secret_basic  one      openid',
      'spa           nothing                       openid',
      '',
    ])
    await client('list', '--json')
    expect(json()['clients']).toHaveLength(2)
  })

  it.each(Object.keys(LIBRARIES))(
    '%s: names issuer and client, and holds no secret',
    async (name) => {
      expect(await client('snippet', 'shop', '--for', name, '--json')).toBe(0)
      const snippet = String(json()['text'])
      expect(snippet).toContain('https://id.example')
      expect(snippet).toContain('shop')
      expect(snippet).not.toMatch(/\bsecret-|:-secret/)
      if (name === 'spring' || name === 'kubernetes') expect(parse(snippet)).toBeTypeOf('object')
      expect(await client('snippet', 'shop')).toBe(0)
      expect(out).toContain(name)
    },
  )
})

describe('client snippet', () => {
  it('for openid-client is JavaScript, whatever the client proves itself with', async () => {
    const jwk = await exportJWK((await generateKeyPair('ES256')).publicKey)
    const keys = `spa: { jwks: ${JSON.stringify({ keys: [jwk] })}, `
    const loopback = FILE.replace('https://id.example', 'http://127.0.0.1:9000')
    for (const config of [FILE, loopback, loopback.replace('spa: { ', keys)]) {
      writeFileSync(file, config)
      expect(await client('snippet', 'spa', '--for', 'openid-client', '--json')).toBe(0)
      const code = String(json()['text']).replace(/^import .*\n/, '')
      const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => unknown
      expect(() => new AsyncFunction(code)).not.toThrow()
    }
  })

  it('says what a client has to do that not every library does', async () => {
    const demands = 'require_pushed_authorization_requests: true, dpop_bound_access_tokens: true'
    writeFileSync(file, FILE.replace('spa: { ', `spa: { ${demands}, `))
    expect(await client('snippet', 'spa', '--for', 'authlib')).toBe(0)
    expect(out).toContain('This client has to push each request first (PAR, RFC 9126)')
    expect(out).toContain('This client has to send DPoP proofs (RFC 9449)')
    expect(out).not.toContain('sign each request')
  })
})

describe('in the chain', () => {
  const on = useChain({ config: { keys: { alg: 'ES256' } } })
  let changed: Adapter | undefined
  afterEach(() => changed?.close())

  /** What a running adapter does with a changed file. */
  async function takeOver(): Promise<void> {
    await changed?.close()
    const { config } = loadConfig({ file, env: {} })
    const { driver, secrets, log } = on.chain
    const parts = { driver, secrets, log, now: () => Date.now(), version: '0.0.0-test' }
    changed = await createAdapter({ ...parts, config })
    on.chain.serve(changed.app)
  }

  it('a secret is replaced with nobody refused in between', async () => {
    file = on.chain.configFile
    await client('add', 'rotated', '--redirect-uri', 'http://127.0.0.1:8083/cb')
    const old = secretIn(out)
    await client('rotate-secret', 'rotated')
    const fresh = secretIn(out)
    const answers = async () => {
      await takeOver()
      const asked = [old, fresh, `${fresh.slice(0, -1)}!`].map(async (secret) => {
        const credentials = ['rotated', secret] as const
        return (await post(on.chain, '/oauth2/introspect', { token: 'x' }, credentials)).status
      })
      return Promise.all(asked)
    }
    expect(await answers()).toEqual([200, 200, 401])
    await client('rotate-secret', 'rotated', '--drop-old')
    expect(await answers()).toEqual([401, 200, 401])
  })

  it('a client that was added signs people in with the snippet for openid-client as it is printed', async () => {
    file = on.chain.configFile
    const redirectUri = 'http://127.0.0.1:8082/cb'
    await client('add', 'added', '--redirect-uri', redirectUri, '--scope', 'openid profile')
    const secret = secretIn(out)
    await takeOver()
    await client('snippet', 'added', '--for', 'openid-client', '--json')
    const code = String(json()['text']).replace(/^import .*\n/, '')
    vi.stubEnv('OIDC_CLIENT_SECRET', secret)
    const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (
      ...parameters: unknown[]
    ) => Promise<{
      url: URL
      config: openidClient.Configuration
      code_verifier: string
      state: string
    }>
    const run = new AsyncFunction('client', `${code}\nreturn { url, config, code_verifier, state }`)
    const { url, ...made } = await run(openidClient)
    const visit = await on.chain.signIn(on.chain.newBrowser(), url)
    const tokens = await openidClient.authorizationCodeGrant(made.config, visit.url, {
      pkceCodeVerifier: made.code_verifier,
      expectedState: made.state,
    })
    expect(tokens.claims()).toMatchObject({ sub: 'testuser', aud: 'added' })
    vi.unstubAllEnvs()
    expect(
      (await post(on.chain, '/oauth2/introspect', { token: 'x' }, ['added', secret])).status,
    ).toBe(200)
  })

  it('for an app of profile fapi2 the snippet pushes, proves and binds', async () => {
    file = on.chain.configFile
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const keys = join(folder, 'fapi.jwks.json')
    writeFileSync(keys, JSON.stringify({ keys: [await exportJWK(publicKey)] }))
    await client('add', 'bank', '--redirect-uri', 'http://127.0.0.1:8084/cb', '--jwks', keys)
    const config = parse(text()) as Record<string, unknown> & { clients: { bank: object } }
    config.clients.bank = { ...config.clients.bank, profile: 'fapi2' }
    writeFileSync(file, JSON.stringify(config))
    await takeOver()
    await client('snippet', 'bank', '--for', 'openid-client', '--json')
    expect(json()['notes']).toEqual([])
    const code = String(json()['text']).replace(/^import .*\n/, '')
    const AsyncFunction = (async () => {}).constructor as new (
      ...args: string[]
    ) => (...parameters: unknown[]) => Promise<{ url: URL }>
    const made = 'url, config, DPoP, code_verifier, state'
    const run = new AsyncFunction('client', 'privateKey', 'keyPair', `${code}\nreturn { ${made} }`)
    const keyPair = await openidClient.randomDPoPKeyPair()
    const begun = await run(openidClient, privateKey, keyPair)
    const { url } = await on.chain.signIn(on.chain.newBrowser(), begun.url)
    const rest = code.slice(code.indexOf('// const tokens')).replaceAll(/^\/\/ /gm, '')
    const finish = new AsyncFunction(
      'client',
      'currentUrl',
      `{ ${made} }`,
      `${rest}\nreturn tokens`,
    )
    expect(await finish(openidClient, url, begun)).toMatchObject({ token_type: 'dpop' })
  })
})
