// `auth-adapter sessions list | revoke` through the chain: what is shown, whose sessions end, on every instance.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { explainLogoutOf, listSessions, revokeSessions } from './cli/sessions.ts'
import { createAdapter, type Adapter } from './server.ts'
import { artefactKey } from './storage/provider/artefact-key.ts'
import { createGrantIdentities } from './storage/sessions/grant-identities.ts'
import { createUnitOfWork } from './storage/unit-of-work.ts'
import { claimsOf, type App } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { ADMIN_TOKEN } from './test-support/chain.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain } from './test-support/use-chain.ts'

let receiver: LogoutReceiver
let second: Adapter
const server = createServer((request, response) => void second.app(request, response))
const on = useChain(async () => {
  receiver = await startLogoutReceiver()
  return { config: { clients: { client: { backchannel_logout_uri: receiver.uri } } } }
})
let out: string
let err: string

beforeAll(async () => {
  const parts = { version: '0.0.0-test', now: () => Date.now() }
  const { config, driver, secrets, log } = on.chain
  second = await createAdapter({ ...parts, config, driver, secrets, log })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await Promise.all([second.close(), receiver.close()])
})
beforeEach(async () => {
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
  await run(revokeSessions, [['all', 'true']])
  receiver.tokens.length = 0
  out = ''
})
afterEach(() => void vi.restoreAllMocks())

type Command = typeof listSessions

async function run(command: Command, selected: [string, string][], isJson = false) {
  const port = new URL(on.chain.adminUrl).port
  const env = { AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, AUTH_ADAPTER_ADMIN__PORT: port }
  return command({ selected, file: on.chain.configFile, env, isJson })
}

async function login(app: App, username = 'testuser', browser?: Browser) {
  const used = browser ?? on.chain.newBrowser()
  const request = app.request()
  const visit = browser
    ? await used.open(request.url)
    : await on.chain.signIn(used, request.url, username)
  return { browser: used, ...(await app.finish(visit, request)).body }
}

/** At both instances. */
async function isAlive(token: string): Promise<boolean[]> {
  const { port } = server.address() as AddressInfo
  const headers = { authorization: `Bearer ${token}`, host: new URL(on.chain.issuer).host }
  const there = new Promise<boolean>((resolve) => {
    void import('node:http').then(({ get }) =>
      get({ port, host: '127.0.0.1', path: '/userinfo', headers }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      }),
    )
  })
  return [(await on.chain.app.userinfo(token)).status === 200, await there]
}

describe('sessions list', () => {
  it('shows who is signed in, where from, and at which apps', async () => {
    const { browser } = await login(on.chain.app)
    await login(on.chain.secondApp, 'testuser', browser)
    await login(on.chain.app, 'ada')
    expect(await run(listSessions, [])).toBe(0)
    expect(out).toMatch(/^sub +upstream +apps$/m)
    expect(out).toMatch(/^testuser +test-auth-server +client second-client$/m)
    expect(out).toMatch(/^user-0002 +test-auth-server +client$/m)
    out = ''
    await run(listSessions, [['client', 'second-client']], true)
    expect(JSON.parse(out)).toEqual({
      count: 1,
      sessions: [
        { sub: 'testuser', upstream: 'test-auth-server', clients: ['client', 'second-client'] },
      ],
    })
  })

  it('nobody is signed in', async () => {
    await run(listSessions, [['user', 'nobody']])
    expect(out).toBe('Nobody is signed in.\n')
  })
})

describe('logout explain', () => {
  async function explain(sid: string, isJson = false) {
    const port = new URL(on.chain.adminUrl).port
    const env = { AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, AUTH_ADAPTER_ADMIN__PORT: port }
    return explainLogoutOf({ file: on.chain.configFile, env, isJson }, sid)
  }

  it('F73 says who was told, who answered and who did not; found by the sid of any app', async () => {
    const { browser, id_token } = await login(on.chain.app)
    await login(on.chain.secondApp, 'testuser', browser)
    const sid = String(claimsOf(id_token)['sid'])
    expect(await explain(sid)).toBe(1)
    expect(err).toBe('No session with this sid ended within a day.\n')
    receiver.answer = 500
    await run(revokeSessions, [['user', 'testuser']])
    await expect.poll(() => on.chain.events('backchannel.failed').length).toBeGreaterThan(0)
    receiver.answer = 200
    out = ''
    await expect
      .poll(async () => {
        out = ''
        return (await explain(sid)) === 0 && out.includes('failed')
      })
      .toBe(true)
    expect(out).toMatch(/^Ended \d{4}-[\dT:.-]+Z by an operator\.$/m)
    expect(out).toMatch(/^client +server +failed +1 +\S+Z +answered 500$/m)
    expect(out).toMatch(/^second-client +none +not_told +0$/m)
  })

  it('an app that took it is told', async () => {
    const { browser, id_token } = await login(on.chain.app)
    await browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' })
    await receiver.received(1)
    const sid = String(claimsOf(id_token)['sid'])
    await expect
      .poll(async () => {
        out = ''
        await explain(sid, true)
        return JSON.parse(out) as { cause: string; apps: object[] }
      })
      .toMatchObject({
        cause: 'person',
        apps: [{ client_id: 'client', state: 'told', attempts: 1 }],
      })
  })
})

describe('sessions revoke', () => {
  it.each([
    ['user', 'testuser', [false, true]],
    ['client', 'client', [false, false]],
    ['upstream', 'test-auth-server', [false, false]],
    ['all', 'true', [false, false]],
    ['user', 'another', [true, true]],
    ['client', 'another', [true, true]],
    ['upstream', 'another', [true, true]],
  ] as const)('--%s %s: tokens die at once on every instance', async (kind, name, alive) => {
    const [one, two] = [await login(on.chain.app), await login(on.chain.app, 'ada')]
    expect(await isAlive(one.access_token)).toEqual([true, true])
    expect(await run(revokeSessions, [[kind, name]])).toBe(0)
    expect(await isAlive(one.access_token)).toEqual([alive[0], alive[0]])
    expect(await isAlive(two.access_token)).toEqual([alive[1], alive[1]])
    const ended = alive.filter((isLeft) => !isLeft).length
    expect(out).toBe(`${ended} sessions ended. ${ended} apps are being told.\n`)
    await receiver.received(ended)
    const { url } = await one.browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(url.searchParams.has('code')).toBe(alive[0])
  })

  it('says what it needs, and ends nothing without it', async () => {
    const one = await login(on.chain.app)
    expect(await run(revokeSessions, [])).toBe(2)
    expect(
      await run(revokeSessions, [
        ['user', 'testuser'],
        ['all', 'true'],
      ]),
    ).toBe(2)
    expect(err).toContain('Say exactly one of --user, --client, --upstream and --all.')
    for (const body of ['{}', '{"all":"false"}', '{"user":["testuser"]}', '{"user":""}']) {
      const answer = await fetch(`${on.chain.adminUrl}/api/sessions/revoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body,
      })
      expect([body, answer.status]).toEqual([body, 400])
    }
    expect(await isAlive(one.access_token)).toEqual([true, true])
  })

  it.each([
    ['client', 'client', 1],
    ['client', 'second-client', 0],
    ['user', 'testuser', 1],
    ['user', 'ada', 0],
    ['upstream', 'test-auth-server', 1],
    ['all', 'true', 1],
  ] as const)(
    '--%s %s: refresh grants that outlived their session: %i',
    async (kind, name, count) => {
      const { driver } = on.chain
      const identity = {
        accountId: 'testuser',
        upstream: 'test-auth-server',
        upstreamIssuer: on.chain.upstreamIssuer,
        claims: {},
      }
      const grants = createGrantIdentities(createUnitOfWork(driver).driver, () => true)
      await grants.saveForGrant('a-grant', identity, 60)
      await driver.set(artefactKey('Grant', 'a-grant'), { payload: { clientId: 'client' } }, 60)
      await run(revokeSessions, [[kind, name]], true)
      expect(JSON.parse(out)).toEqual({ sessions: 0, told: 0, grants: count })
      expect((await grants.findForGrant('a-grant')) === undefined).toBe(count === 1)
    },
  )

  it('A52 a code that was issued before is worth nothing after it', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(browser, request.url)
    await run(revokeSessions, [['user', 'testuser']])
    const late = await on.chain.app.finish(visit, request)
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant'])
  })
})
