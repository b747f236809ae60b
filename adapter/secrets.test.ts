// The secrets the adapter starts with: made once, kept sealed, the same after a restart, or taken from the configuration.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../service/log.ts'
import { configSchema, type Config } from './config/schema.ts'
import { ConfigError, StorageError } from './errors.ts'
import { KEY_RECORD } from './provider/keys/ring/key-record.ts'
import { generateSigningKeys } from './provider/keys/signing-keys.ts'
import { openSecrets, type Secrets } from './secrets.ts'
import type { Driver } from './storage/driver.ts'
import { createMemoryDriver } from './storage/drivers/memory.ts'
import type { Sealing } from './storage/sealing/sealing.ts'
import { loadOrCreateSealingKey } from './storage/sealing/sealing-key.ts'
import { claimsOf, headerOf } from './test-support/app.ts'
import { startChain, type Chain } from './test-support/chain.ts'

let folder: string
let driver: Driver
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-adapter-secrets-'))
  driver = createMemoryDriver({})
})
afterEach(async () => {
  await driver.close()
  rmSync(folder, { recursive: true, force: true })
})

function config(keys: Record<string, unknown> = {}): Config {
  const upstream = {
    kind: 'oidc',
    issuer: 'http://127.0.0.1:1',
    client_id: 'a',
    client_secret: 'b',
  }
  return configSchema.parse({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up: upstream },
    clients: {},
    keys: { alg: 'ES256', ...keys },
  })
}

const sealingKeyFile = () => join(folder, 'sealing.key')
const open = (keys: Record<string, unknown> = {}) =>
  openSecrets({
    config: config(keys),
    driver,
    sealingKeyFile: sealingKeyFile(),
    log: createLog({ level: 'error', pretty: false }),
    now: Date.now,
  })
/** What two processes must have alike. */
const shared = ({ signingKeys, cookieKeys, subjectKey }: Secrets) => ({
  keys: signingKeys.keys,
  cookieKeys,
  subjectKey,
})

describe('openSecrets', () => {
  it('makes signing keys and cookie keys once, however many processes start at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, () => open()))
    const [first] = opened as [Secrets]
    for (const secrets of opened) expect(shared(secrets)).toEqual(shared(first))
    expect(first.cookieKeys.map((key) => Buffer.from(key, 'base64url').length)).toEqual([32])
    expect(shared(await open())).toEqual(shared(first))
  })

  it('the key of pairwise subjects is as configured, or made once and 32 bytes long', async () => {
    const { subjectKey } = await open()
    expect(subjectKey.length).toBe(32)
    expect((await open({ alg: 'EdDSA' })).subjectKey).toEqual(subjectKey)
    const given = await open({ subject_key: Buffer.alloc(32, 9).toString('base64url') })
    expect(given.subjectKey).toEqual(Buffer.alloc(32, 9))
  })

  it('another algorithm: the key that signs goes on until the new one has been published long enough', async () => {
    const es256 = await open()
    const eddsa = await open({ alg: 'EdDSA' })
    expect(eddsa.signingKeys.alg).toBe('ES256')
    await eddsa.keyRing?.settle()
    const [signs, waits] = eddsa.signingKeys.keys
    expect([signs, waits?.alg]).toEqual([es256.signingKeys.keys[0], 'EdDSA'])
    expect(eddsa.signingKeys.waiting).toEqual([waits])
  })

  it('nothing of them is in the store in clear', async () => {
    const { signingKeys, cookieKeys } = await open()
    const stored = JSON.stringify([
      await driver.get(KEY_RECORD),
      await driver.get('Sealed:cookie-keys'),
    ])
    expect(stored).toContain('v1.')
    for (const secret of [signingKeys.keys[0]?.d as string, ...cookieKeys])
      expect(stored).not.toContain(secret)
  })

  it('F71 another sealing key than the one that sealed them: refuses to start and says what to do', async () => {
    await open()
    const other = randomBytes(32).toString('base64url')
    await expect(open({ sealing_key: other })).rejects.toThrow(
      /sealed with key .* not configured.*sealing key/s,
    )
    await expect(open({ sealing_key: other })).rejects.toMatchObject({
      name: 'StorageError',
      code: 'unusable',
    })
  })

  describe('two sealing keys', () => {
    const [old, next] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64url'))
    const rounds = {
      before: { sealing_key: old },
      'the next one is known': { sealing_key: old, second_sealing_key: next },
      'it seals': { sealing_key: next, second_sealing_key: old },
      'the old one is gone': { sealing_key: next },
    }

    it('F71 rotated in rounds: every start opens the same secrets, and the last needs the old key no more', async () => {
      const first = shared(await open({ sealing_key: old }))
      for (const [round, keys] of Object.entries(rounds))
        expect(shared(await open(keys)), round).toEqual(first)
    })

    it('in each round what one process sealed is opened by those of the round before and after', async () => {
      const all: Sealing[] = []
      for (const keys of Object.values(rounds)) all.push((await open(keys)).sealing)
      all.forEach((sealing, at) => {
        for (const other of [all[at - 1], all[at + 1]])
          if (other) expect(other.unseal(sealing.seal('text', 'c'), 'c')).toBe('text')
      })
    })

    it('F71 taken away before it sealed anything: refuses to start, and nothing has changed', async () => {
      const first = shared(await open(rounds['the next one is known']))
      await expect(open(rounds['the old one is gone'])).rejects.toMatchObject({ code: 'unusable' })
      expect(shared(await open(rounds['it seals']))).toEqual(first)
    })

    it('a record that no key opens is left as it is where nobody needs it', async () => {
      const keys = await generateSigningKeys('ES256')
      writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys))
      await driver.set(KEY_RECORD, 'v1.another_.iv.text', 60)
      await open({ ...rounds['it seals'], file: join(folder, 'keys.json') })
      expect((await driver.get(KEY_RECORD))?.value).toBe('v1.another_.iv.text')
    })
  })

  it('writes no sealing key where the configuration gives one', async () => {
    await open({ sealing_key: randomBytes(32).toString('base64url') })
    expect(existsSync(sealingKeyFile())).toBe(false)
  })

  it('takes signing keys from a file', async () => {
    const keys = await generateSigningKeys('ES256')
    writeFileSync(join(folder, 'keys.json'), JSON.stringify(keys))
    expect((await open({ file: join(folder, 'keys.json') })).signingKeys.keys).toEqual(keys.keys)
    expect(await driver.get(KEY_RECORD)).toBeUndefined()
  })

  it('C42 of several keys in the file the first signs, and all are published', async () => {
    const [one, two] = await Promise.all([
      generateSigningKeys('ES256'),
      generateSigningKeys('ES256'),
    ])
    const file = join(folder, 'keys.json')
    writeFileSync(file, JSON.stringify({ keys: [...one.keys, ...two.keys] }))
    const rotated = await startChain({ config: { keys: { alg: 'ES256', file } } })
    try {
      const { keys } = (await (await fetch(`${rotated.url}/oauth2/jwks`)).json()) as {
        keys: { kid: string }[]
      }
      expect(keys.map(({ kid }) => kid)).toEqual([one.keys[0]?.kid, two.keys[0]?.kid])
      const request = rotated.app.request()
      const { body } = await rotated.app.finish(
        await rotated.signIn(rotated.newBrowser(), request.url),
        request,
      )
      for (const token of [body.access_token, body.id_token])
        expect(headerOf(token)['kid']).toBe(one.keys[0]?.kid)
    } finally {
      await rotated.close()
    }
  })

  it.each([
    ['is not there', undefined],
    ['is no JSON', '{'],
    ['is no key set', '{"kty":"EC"}'],
    ['is empty', '{"keys":[]}'],
  ])('F71 a key file that %s is a ConfigError at keys.file', async (_name, content) => {
    const file = join(folder, 'keys.json')
    if (content !== undefined) writeFileSync(file, content)
    const error = await open({ file }).catch((refused: unknown) => refused)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).faults[0]?.path).toBe('keys.file')
  })
})

describe('loadOrCreateSealingKey', () => {
  it('is made once, 32 bytes, for its owner only, in a folder that need not be there', () => {
    const file = join(folder, 'deep', 'down', 'sealing.key')
    const key = loadOrCreateSealingKey(file)
    expect(key).toHaveLength(32)
    expect(loadOrCreateSealingKey(file)).toEqual(key)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    expect(readdirSync(dirname(file))).toEqual(['sealing.key'])
  })

  it.each(['', 'short', 'x'.repeat(44), '*'.repeat(43)])(
    'F71 refuses a file that holds %j, naming it and not its content',
    (content) => {
      const file = sealingKeyFile()
      writeFileSync(file, content)
      try {
        loadOrCreateSealingKey(file)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(StorageError)
        expect((error as StorageError).code).toBe('unusable')
        expect((error as Error).message).toContain(file)
        if (content) expect((error as Error).message.replaceAll(file, '')).not.toContain(content)
      }
    },
  )

  it('refuses a file that can not be read', () => {
    expect(() => loadOrCreateSealingKey(folder)).toThrow(/can not be read/)
  })
})

describe('a restart with the SQLite file', () => {
  let chain: Chain
  beforeEach(async () => void (chain ??= await startChain({ storage: 'sqlite' })))
  afterAll(() => chain?.close())

  it('keys, sessions and tokens go on', async () => {
    const browser = chain.newBrowser()
    const request = chain.app.request()
    const { body } = await chain.app.finish(await chain.signIn(browser, request.url), request)
    const before = {
      jwks: await (await fetch(`${chain.url}/oauth2/jwks`)).text(),
      secrets: shared(chain.secrets),
    }
    await chain.restart()
    expect(await (await fetch(`${chain.url}/oauth2/jwks`)).text()).toBe(before.jwks)
    expect(shared(chain.secrets)).toEqual(before.secrets)
    expect((await chain.app.userinfo(body.access_token)).status).toBe(200)
    const silent = chain.app.request({ prompt: 'none' })
    const again = await chain.app.finish(await browser.open(silent.url), silent)
    expect(claimsOf(again.body.id_token)['sub']).toBe('testuser')
    expect(headerOf(again.body.id_token)['kid']).toBe(headerOf(body.id_token)['kid'])
  })

  it.each([
    '/oauth2/authorization/',
    '/login',
    '/login/oauth2/code/test-auth-server',
    '/oauth2/authorize/',
  ])('F53 a login that stood before %s is finished afterwards', async (path) => {
    const browser = chain.newBrowser()
    const request = chain.app.request()
    const stopBefore = (url: URL) =>
      url.pathname.startsWith(path) && (path !== '/login' || url.pathname === path)
    const first = await browser.open(request.url, { stopBefore })
    let visit = first
    if (!stopBefore(first.url))
      visit = await browser.submit(
        first,
        { username: 'testuser', password: 'password' },
        { stopBefore },
      )
    await chain.restart()
    let done = await browser.open(visit.url)
    if (done.url.pathname === '/login')
      done = await browser.submit(done, { username: 'testuser', password: 'password' })
    expect((await chain.app.finish(done, request)).status).toBe(200)
  })

  it('F48 a code issued before is redeemed afterwards, and a code used before stays used', async () => {
    const [one, two] = [chain.app.request(), chain.app.request()]
    const used = await chain.signIn(chain.newBrowser(), one.url)
    const fresh = await chain.signIn(chain.newBrowser(), two.url)
    await chain.app.finish(used, one)
    await chain.restart()
    expect((await chain.app.finish(fresh, two)).status).toBe(200)
    expect((await chain.app.finish(used, one)).body['error']).toBe('invalid_grant')
  })
})
