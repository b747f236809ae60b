// `auth-adapter forget <sub>` with real sign-ins behind it: what is erased, what others keep, and that the proof is one. The
// store is looked through by hand as well, beside all of our own code.
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startRedis, type RedisServer } from '../scripts/redis-server.ts'
import { forget } from './cli/forget.ts'
import { StorageError } from './errors.ts'
import type { ForgetAnswer } from './logout/forget/forget-routes.ts'
import { createConsents } from './storage/consents/consents.ts'
import { hashed } from './storage/provider/artefact-key.ts'
import { userSessionsIndex } from './storage/sessions/live-sessions.ts'
import { claimsOf, type App } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { ADMIN_TOKEN, UPSTREAM, type Chain } from './test-support/chain.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'
const REFRESH = { rotation: 'always', coupling: 'strict' }
const ALIAS = { group: 'staff', claim: 'sub' }

let redis: RedisServer
let out = ''
let err = ''

beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())
beforeEach(() => {
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
})
afterEach(() => void vi.restoreAllMocks())

/** Every key, value and member there is, as one text. */
const dumps = {
  sqlite: async ({ folder }: Chain) => {
    const database = new DatabaseSync(join(folder, 'adapter.sqlite'), { readOnly: true })
    const rows = ['records', 'members', 'leases'].map((table) =>
      database.prepare(`SELECT * FROM ${table}`).all(),
    )
    database.close()
    return JSON.stringify(rows)
  },
  redis: async () => {
    const client = await createClient({ url: redis.url }).connect()
    const all: unknown[] = []
    for (const key of await client.keys('*')) {
      const isSet = (await client.type(key)) === 'zset'
      all.push([key, isSet ? await client.zRange(key, 0, -1) : await client.get(key)])
    }
    client.destroy()
    return JSON.stringify(all)
  },
}

describe.each(['sqlite', 'redis'] as const)('forget on %s', (store) => {
  let receiver: LogoutReceiver
  let second: LogoutReceiver
  let person = ''
  let people = 0
  const on = useChain(async () => {
    ;[receiver, second] = await Promise.all([startLogoutReceiver(), startLogoutReceiver()])
    const storage = store === 'redis' ? { storage: { driver: 'redis', url: redis.url } } : {}
    return {
      isAudited: true,
      ...(store === 'sqlite' ? { storage: 'sqlite' as const } : {}),
      config: {
        ...storage,
        upstreams: {
          [UPSTREAM]: { scope: 'openid profile offline_access', subject_alias: ALIAS },
        },
        clients: {
          client: { scope: OFFLINE, refresh: REFRESH, backchannel_logout_uri: receiver.uri },
          'second-client': {
            scope: OFFLINE,
            refresh: REFRESH,
            backchannel_logout_uri: second.uri,
            // What lets it be told of a person whose session is over long since.
            backchannel_logout_session_required: false,
          },
        },
      },
    }
  })
  afterAll(() => Promise.all([receiver.close(), second.close()]))
  beforeEach(async () => {
    person = `zelda-${store}-${(people += 1)}`
    for (const app of [receiver, second]) Object.assign(app, { answer: 200 }).tokens.length = 0
    await on.chain.upstreamControl.putPerson(person, { name: `Name of ${person}`, roles: ['user'] })
  })

  async function login(app: App, browser: Browser = on.chain.newBrowser(), username = person) {
    const request = app.request({ scope: OFFLINE })
    const page = await browser.open(request.url)
    const visit = page.url.searchParams.has('code')
      ? page
      : await browser.submit(page, { username, password: 'password' })
    const { body } = await app.finish(visit, request)
    return { browser, ...body, refresh_token: String(body['refresh_token']) }
  }

  const refresh = (app: App, refresh_token: string) =>
    app.redeem('', {
      redirectUri: undefined,
      form: { grant_type: 'refresh_token', code: undefined, refresh_token },
    })

  async function run(sub: string, flags: { isDryRun?: boolean; isQueueDropped?: boolean } = {}) {
    const port = new URL(on.chain.adminUrl).port
    const env = { AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, AUTH_ADAPTER_ADMIN__PORT: port }
    const options = { isDryRun: false, isQueueDropped: false, ...flags }
    out = ''
    err = ''
    return forget({ file: on.chain.configFile, env, isJson: true, sub, ...options })
  }
  const said = () => JSON.parse(out) as ForgetAnswer & { error?: string }

  it('erases a person who is signed in twice, at two apps, with refresh tokens and a sign-in under way', async () => {
    const { app, secondApp } = on.chain
    // A grant that outlives its session.
    const offline = await login(secondApp)
    for (const member of await on.chain.driver.members(userSessionsIndex(person)))
      for (const kind of ['Session', 'Identity']) await on.chain.driver.delete(`${kind}:${member}`)
    const consent = { clientId: 'client', accountId: person }
    await createConsents(on.chain.driver).give(consent, ['read'])
    // It counts no more, and may still be on the disk.
    await on.chain.driver.set('Interaction:expired', { accountId: person }, 0.001)
    const first = await login(app)
    const there = await login(secondApp, first.browser)
    await login(app)
    const other = await login(app, undefined, 'ada')
    // A code that nobody has redeemed yet.
    await first.browser.open(app.request({ scope: OFFLINE }).url)
    expect((await dumps[store](on.chain)).includes(person)).toBe(true)

    expect(await run(person, { isDryRun: true })).toBe(0)
    const before = said()
    expect(before).toMatchObject({ outcome: 'dry_run', sessions: 0, told: 0 })
    expect((await app.userinfo(first.access_token)).status).toBe(200)

    expect(await run(person)).toBe(0)
    expect(said()).toMatchObject({
      outcome: 'forgotten',
      sessions: 2,
      told: 4,
      left: {},
      found: {
        Session: 2,
        Identity: 2,
        GrantIdentity: 4,
        UpstreamTokens: 3,
        Consent: 1,
        SubjectAlias: 1,
        SubjectOwner: 1,
      },
    })
    // The audit may have written one more of its batches since the dry run, and never one less.
    const { AuditBatch = 0, ...found } = said().found
    const { AuditBatch: batchesBefore = 0, ...foundBefore } = before.found
    expect(found).toEqual(foundBefore)
    expect(AuditBatch).toBeGreaterThanOrEqual(Math.max(1, batchesBefore))
    expect(said().looked).toBeGreaterThan(5)

    const rest = await dumps[store](on.chain)
    const hash = hashed(person)
    const agreed = hashed(JSON.stringify(['client', person]))
    const traces = [person, `Name of ${person}`, hash, agreed].filter((trace) =>
      rest.includes(trace),
    )
    expect(traces).toEqual([])
    expect(rest.includes('user-0002')).toBe(true)
    for (const [of, tokens] of [
      [app, first],
      [secondApp, there],
      [secondApp, offline],
    ] as const) {
      expect((await of.userinfo(tokens.access_token)).status).toBe(401)
      expect((await refresh(of, tokens.refresh_token)).body['error']).toBe('invalid_grant')
    }
    const { url } = await first.browser.open(app.request({ prompt: 'none' }).url)
    expect(url.searchParams.get('error')).toBe('login_required')
    expect((await app.userinfo(other.access_token)).status).toBe(200)
    expect((await refresh(app, other.refresh_token)).status).toBe(200)
    for (const { tokens } of [receiver, second])
      expect(new Set(tokens.map((token) => claimsOf(token)['sub']))).toEqual(new Set([person]))

    const { event, ...entry } = on.chain.auditEntries().at(-1) ?? {}
    expect(event).not.toBe(undefined)
    expect(JSON.stringify([event, entry])).not.toContain(person)
    expect(on.chain.events('person.forgotten').at(-1)).toMatchObject({ sessions: 2, left: 0 })
    expect(await run(person)).toBe(1)
    expect(said().error).toBe('unknown_person')
  }, 60_000)

  it('who signs in again is known again', async () => {
    await login(on.chain.app)
    expect(await run(person)).toBe(0)
    const again = await login(on.chain.app)
    expect(claimsOf(again.access_token)['sub']).toBe(person)
    expect(await run(person)).toBe(0)
  })

  it('an app that does not take its logout token: said, exit code 1, and gone with --drop-queue', async () => {
    receiver.answer = 500
    await login(on.chain.app)
    expect(await run(person)).toBe(1)
    expect(said()).toMatchObject({ outcome: 'left', told: 1, left: { LogoutDelivery: 1 } })
    expect(await run(person, { isQueueDropped: true })).toBe(0)
    expect(said()).toMatchObject({ outcome: 'forgotten', left: {} })
    expect((await dumps[store](on.chain)).includes(person)).toBe(false)
  })

  it('a record of a kind that nobody knows is found by the proof: left, exit code 1', async () => {
    await login(on.chain.app)
    await on.chain.driver.set('Unheard:of', { list: [{ whose: person }] }, 60)
    expect(await run(person)).toBe(1)
    expect(said()).toMatchObject({ outcome: 'left', left: { Unheard: 1 } })
    await on.chain.driver.delete('Unheard:of')
  })

  it('the audit trail keeps its events, and none of them is the person’s any more', async () => {
    await login(on.chain.app)
    await expect
      .poll(async () => (await run(person, { isDryRun: true }), said().found['AuditBatch'] ?? 0), {
        timeout: 5000,
      })
      .toBeGreaterThan(0)
    expect(await run(person)).toBe(0)
    expect(said().events).toBeGreaterThanOrEqual(2)
    const [login1] = on.chain
      .auditEntries()
      .filter(({ event }) => event === 'login.succeeded')
      .slice(-1)
    expect(login1?.['person']).toEqual(expect.any(String))
    const hash = String(login1?.['person'])
    expect((await dumps[store](on.chain)).includes(hash)).toBe(false)
  })
})

describe('forget while the store fails', () => {
  let isFailing = false
  let receiver: LogoutReceiver
  const on = useChain(async () => {
    receiver = await startLogoutReceiver()
    return {
      config: { clients: { client: { backchannel_logout_uri: receiver.uri } } },
      wrapDriver: (driver) => ({
        ...driver,
        members: async (index) => {
          if (isFailing && index === 'logout-deliveries')
            throw new StorageError('unavailable', 'broken by the test')
          return driver.members(index)
        },
      }),
    }
  })
  afterAll(() => receiver.close())

  it('on the way to the apps: what waits for them is said to be left, and the process goes on', async () => {
    const request = on.chain.app.request()
    await on.chain.app.finish(await on.chain.signIn(on.chain.newBrowser(), request.url), request)
    const failed: unknown[] = []
    const fail = (error: unknown) => void failed.push(error)
    process.on('unhandledRejection', fail)
    isFailing = true
    const response = await fetch(`${on.chain.adminUrl}/api/forget`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'testuser' }),
    })
    isFailing = false
    process.off('unhandledRejection', fail)
    expect(await response.json()).toMatchObject({ outcome: 'left', left: { LogoutDelivery: 1 } })
    expect(failed).toEqual([])
  })
})

describe('forget, in words', () => {
  const on = useChain()
  async function run(sub: string, isDryRun = false) {
    const port = new URL(on.chain.adminUrl).port
    const env = { AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, AUTH_ADAPTER_ADMIN__PORT: port }
    const file = on.chain.configFile
    return forget({ file, env, isJson: false, sub, isDryRun, isQueueDropped: false })
  }

  it('says what was erased and that nothing is left', async () => {
    const request = on.chain.app.request()
    await on.chain.app.finish(
      await on.chain.signIn(on.chain.newBrowser(), request.url, 'ada'),
      request,
    )
    expect(await run('user-0002', true)).toBe(0)
    expect(out).toMatch(/^sessions +1$/m)
    expect(out).toMatch(/^Nothing was erased \(--dry-run\)\. \d+ records were looked at\.$/m)
    out = ''
    expect(await run('user-0002')).toBe(0)
    expect(out).toMatch(/^records +erased$/m)
    expect(out).toMatch(/^\d+ records were looked at afterwards: 0 left\.$/m)
  })

  it('a sub that nobody has, and none at all', async () => {
    expect(await run('nobody')).toBe(1)
    expect(err).toMatch(/^None of \d+ records names this person: give the sub as/)
    err = ''
    expect(await run('')).toBe(1)
    expect(err).toBe('Expected the sub of a person, 255 characters at most.\n')
  })
})
