// What `keys list | rotate | revoke` print and how they end, with the real admin API over real keys.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLog } from '../../service/log.ts'
import { listen, type Listening } from '../../service/listen.ts'
import { createReadiness } from '../admin/health.ts'
import { loadConfig } from '../config/load-config.ts'
import { keyRoutes, type KeysAnswer, type RunningKeys } from '../provider/keys/key-routes.ts'
import { openKeys } from '../provider/keys/open-keys.ts'
import { generateSigningKeys } from '../provider/keys/signing-keys.ts'
import { createAdmin } from '../admin-server.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createSealing } from '../storage/sealing/sealing.ts'
import { listKeys, revokeKey, rotateKeys } from './keys.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
const LISTEN = { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 100 }
const START = Date.UTC(2026, 0, 31, 9, 30)

const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-keys-cli-'))
const file = join(folder, 'auth-adapter.yaml')
const env = { AUTH_ADAPTER_ADMIN_TOKEN: TOKEN }
const logged: string[] = []
const log = createLog({
  level: 'info',
  pretty: false,
  destination: { write: (line) => logged.push(line) },
})
let driver = createMemoryDriver({})
let admin: Listening
let keys: RunningKeys | undefined
let now = START
let out: string
let err: string

beforeAll(async () => {
  const routes = keyRoutes({ keys: () => keys, log, now: () => now })
  const api = { token: TOKEN, routes, host: '127.0.0.1' }
  const health = { driver, readiness: createReadiness() }
  admin = await listen(createAdmin({ ...health, api }), LISTEN)
})
afterAll(async () => {
  await admin.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  now = START
  driver = createMemoryDriver({ now: () => now })
  keys = await open({})
  logged.length = 0
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await driver.close()
})

async function open(settings: object): Promise<RunningKeys> {
  const up = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a', client_secret: 'b' }
  const settingsOfAll = {
    issuer: 'http://127.0.0.1:9000',
    admin: { port: admin.port },
    keys: { alg: 'ES256', ...settings },
    upstreams: { up },
    clients: {},
  }
  writeFileSync(file, JSON.stringify(settingsOfAll))
  const { config } = loadConfig({ file, env: {} })
  const sealing = createSealing([randomBytes(32)])
  return openKeys({ config, driver, sealing, log, now: () => now })
}

const options = (isJson = false) => ({ file, env, isJson })
const kids = () => keys?.signingKeys.keys.map(({ kid }) => kid) as [string, string]
const shown = () => out.split('\n').map((line) => line.trim().split(/ {2,}/))
const reasons = () => logged.map((line) => (JSON.parse(line) as { reason: string }).reason)

describe('keys list', () => {
  it('shows what each key does, since when, and what comes next', async () => {
    expect(await listKeys(options())).toBe(0)
    expect(shown()).toEqual([
      ['kid', 'alg', 'state', 'since', 'next'],
      [kids()[0], 'ES256', 'active', '2026-01-31 09:30 UTC', 'retiring 2026-05-01 09:30 UTC'],
      [''],
    ])
  })

  it('with --json one object, with no private part in it', async () => {
    expect(await listKeys(options(true))).toBe(0)
    expect(JSON.parse(out)).toEqual({
      rotated: true,
      keys: [
        {
          kid: kids()[0],
          alg: 'ES256',
          state: 'active',
          since: '2026-01-31T09:30:00.000Z',
          next: { state: 'retiring', at: '2026-05-01T09:30:00.000Z' },
        },
      ],
    })
    expect(out).not.toContain(keys?.signingKeys.keys[0]?.d)
  })
})

describe('keys rotate', () => {
  it('publishes a key, says when it signs, and changes nothing when it is said twice', async () => {
    const [before] = kids()
    expect(await rotateKeys(options(), false)).toBe(0)
    const [signs, waits] = kids()
    expect(signs).toBe(before)
    expect(out).toContain(`${waits} is published, and signs from 2026-01-31 09:40 UTC.\n`)
    expect(shown()[3]?.slice(2)).toEqual([
      'active',
      '2026-01-31 09:30 UTC',
      'retiring 2026-01-31 09:40 UTC',
    ])
    now += 60_000
    expect(await rotateKeys(options(), false)).toBe(0)
    expect(kids()).toEqual([signs, waits])
    expect(reasons()).toEqual(['command'])
  })

  it('a key that has been published long enough signs at once', async () => {
    await rotateKeys(options(), false)
    const [, waits] = kids()
    now += 600_000
    out = ''
    expect(await rotateKeys(options(), false)).toBe(0)
    expect(out).toMatch(`${waits} signs from now on.\n`)
  })

  it('--now does not wait', async () => {
    const [before] = kids()
    expect(await rotateKeys(options(), true)).toBe(0)
    expect(kids()[0]).not.toBe(before)
    expect(out).toContain(`${kids()[0]} signs from now on.`)
    expect(out).toContain('retiring  2026-01-31 09:30 UTC  gone 2026-02-07 21:30 UTC')
  })
})

describe('keys revoke', () => {
  it('another key signs at once, and the answer says what apps will notice', async () => {
    const [before] = kids()
    expect(await revokeKey(options(), before)).toBe(0)
    expect(kids()).toHaveLength(1)
    expect(kids()[0]).not.toBe(before)
    expect(out).toContain(`${before} is revoked. ${kids()[0]} signs from now on.\n- Tokens that it`)
    expect(out).toContain('within 300 seconds where they heed Cache-Control')
    expect(out).toContain('The key that signs now is new')
    expect(reasons()).toEqual(['revoked', 'revoked'])
  })

  it('where the next key was published before, apps know it', async () => {
    await rotateKeys(options(), false)
    const [signs, waits] = kids()
    now += 301_000
    expect(await revokeKey(options(), signs)).toBe(0)
    expect(kids()).toEqual([waits])
    expect(out).toContain('The key that signs now was published before: apps know it.')
  })

  it('a kid that no key has: the ones there are, and 1', async () => {
    expect(await revokeKey(options(), 'nothing')).toBe(1)
    expect([out, err]).toEqual(['', `No key has this kid. There are: ${kids()[0]}.\n`])
  })

  it.each([[{}], [{ kid: 1 }], [[]]])('the API refuses %j', async (body) => {
    const response = await fetch(`${admin.url}/api/keys/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'Expected a kid' },
    ])
  })
})

describe('keys of a file', () => {
  const useFile = async () => {
    const all = await Promise.all(['ES256', 'RS256', 'ES256'].map((alg) => made(alg as 'ES256')))
    const keyFile = join(folder, 'keys.json')
    writeFileSync(keyFile, JSON.stringify({ keys: all.flat() }))
    keys = await open({ file: keyFile })
  }
  const made = async (alg: 'ES256' | 'RS256') => (await generateSigningKeys(alg)).keys

  it('are listed: the first of the algorithm signs', async () => {
    await useFile()
    expect(await listKeys(options())).toBe(0)
    expect(out).toContain('rotating them is up to whoever gives them.')
    out = ''
    expect(await listKeys(options(true))).toBe(0)
    const answer = JSON.parse(out) as KeysAnswer
    expect(answer.rotated).toBe(false)
    expect(answer.keys.map(({ alg, state }) => [alg, state])).toEqual([
      ['ES256', 'active'],
      ['RS256', 'published'],
      ['ES256', 'published'],
    ])
  })

  it.each([
    ['rotate', () => rotateKeys(options(), false)],
    ['revoke', () => revokeKey(options(), 'any')],
  ])('%s is refused with one sentence, and 1', async (_name, work) => {
    await useFile()
    expect([await work(), out]).toEqual([1, ''])
    expect(err).toBe(
      'The signing keys are those of keys.file or keys.signer: change them there and restart each process, or leave it out and give rotate_every.\n',
    )
  })
})

it('before the store has answered: one sentence, and 1', async () => {
  keys = undefined
  expect([await listKeys(options()), out]).toEqual([1, ''])
  expect(err).toMatch(/^The store has not answered since the start\.\n$/)
})
