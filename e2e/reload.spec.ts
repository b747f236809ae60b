// The configuration edited while people sign in, with the real process: by saving the file, by SIGHUP and by the command.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright/test'
import { parse, stringify } from 'yaml'
import { NODE } from '../scripts/managed-process.ts'
import { freePorts } from '../scripts/ports.ts'
import { createControlClient, type ControlClient } from '../upstream-test-server/control-client.ts'
import { mergeSettings, type Settings } from './support/chain-config.ts'
import { test as base, expect, fillSignIn, signIn } from './support/fixtures.ts'
import { logged, openApp } from './support/pages.ts'
import { startChain, withoutOurSettings, type Chain } from './support/processes.ts'

interface Live {
  chain: Chain
  control: ControlClient
}

const test = base.extend<{ live: Live }>({
  live: async ({ storage }, use) => {
    const [port = 0] = await freePorts(1)
    const chain = await startChain({
      storage,
      env: { UPSTREAM_CONTROL_PORT: String(port) },
      // Registered there, and added here by the tests.
      otherUpstreams: ['partner'],
      config: { upstreams: { partner: null } },
    })
    await use({ chain, control: createControlClient(`http://127.0.0.1:${port}`) })
    await chain.stop()
  },
})

const ROOT = join(import.meta.dirname, '..')
const UPSTREAM = 'test-auth-server'

/** As most editors save: a new file in the place of the old one. */
function save(chain: Chain, content: string): void {
  writeFileSync(`${chain.configFile}~`, content)
  renameSync(`${chain.configFile}~`, chain.configFile)
}

function edit(chain: Chain, changes: Settings): void {
  const settings = parse(readFileSync(chain.configFile, 'utf8')) as Settings
  save(chain, stringify(mergeSettings(settings, changes)))
}

const changeUpstream = (chain: Chain, changes: Settings) =>
  edit(chain, { upstreams: { [UPSTREAM]: changes } })

const events = (chain: Chain, name: string) => logged(chain.logs(chain.adapter), name)

async function untilLogged(chain: Chain, event: string, times = 1): Promise<void> {
  await expect
    .poll(() => events(chain, event).length, { intervals: [50], timeout: 20_000 })
    .toBe(times)
}

async function run(chain: Chain, ...args: string[]) {
  const env = {
    ...withoutOurSettings(process.env),
    ADAPTER_PORT: new URL(chain.adapterUrl).port,
    ADAPTER_ADMIN_PORT: new URL(chain.adminUrl).port,
    UPSTREAM_PORT: new URL(chain.upstreamUrl).port,
    AUTH_ADAPTER_DATA: chain.dataFolder,
    AUTH_ADAPTER_CONFIG: chain.configFile,
    NO_COLOR: '1',
  }
  const child = spawn(NODE, ['adapter/cli.ts', ...args], { cwd: ROOT, env })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: code as number, stdout, stderr }
}

const claimsOf = (page: Page) => page.getByLabel('Claims of the access token as JSON')

/** The app asks again; the session at the adapter stays. */
async function askAgain(page: Page, chain: Chain): Promise<void> {
  await page.context().clearCookies({ name: 'TEST_APP_SESSION' })
  await openApp(page, chain)
}

test('a login under way finishes as it began, the next one goes by the saved file', async ({
  page,
  live: { chain },
}) => {
  await openApp(page, chain)
  changeUpstream(chain, { claims: { renamed: 'sub' } })
  await untilLogged(chain, 'config.loaded')
  await fillSignIn(page)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
  await expect(claimsOf(page)).not.toContainText('renamed')

  await askAgain(page, chain)
  await expect(claimsOf(page)).toContainText('"renamed": "testuser"')
  const [loaded] = events(chain, 'config.loaded')
  expect(loaded).toMatchObject({ trigger: 'file', added: [], removed: [] })
  expect(String(loaded?.['changed'])).toContain(`${UPSTREAM}.claims.renamed: none → "sub"`)
})

test('a role that was taken away upstream, or is mapped no more, is gone at the next login', async ({
  page,
  live: { chain, control },
}) => {
  await control.putPerson('testuser', { sub: 'testuser', name: 'testuser', roles: ['admin'] })
  await signIn(page, chain)
  await expect(claimsOf(page)).toContainText('ROLE_ADMIN')

  await control.putPerson('testuser', { sub: 'testuser', name: 'testuser', roles: ['user'] })
  changeUpstream(chain, { display_name: 'People' })
  await untilLogged(chain, 'config.loaded')
  await page.context().clearCookies()
  await signIn(page, chain)
  await expect(claimsOf(page)).toContainText('ROLE_USER')
  await expect(claimsOf(page)).not.toContainText('ROLE_ADMIN')

  changeUpstream(chain, { claims: { authorities: { values: { user: 'ROLE_GUEST' } } } })
  chain.adapter.signal('SIGHUP')
  await expect.poll(() => events(chain, 'config.loaded').length).toBe(2)
  await askAgain(page, chain)
  await expect(claimsOf(page)).toContainText('ROLE_GUEST')
  await expect(claimsOf(page)).not.toContainText('ROLE_USER')
})

test('F72 a broken file: people sign in as before, the log and the command say what is wrong, and mended it is taken @redis', async ({
  page,
  live: { chain },
}) => {
  const good = readFileSync(chain.configFile, 'utf8')
  save(chain, good.replace('client_id: test-client', 'client_idd: test-client'))
  await untilLogged(chain, 'config.rejected')
  const [rejected] = events(chain, 'config.rejected')
  expect(String(rejected?.['faults'])).toMatch(
    /auth-adapter\.yaml:\d+:\d+: .*Did you mean "client_id"/,
  )
  await signIn(page, chain)

  const refused = await run(chain, 'config', 'reload')
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(/auth-adapter\.yaml:\d+:\d+: .*Did you mean "client_id"/)
  expect(refused.stderr).toContain('keeps the configuration it has')

  save(chain, good)
  edit(chain, { login: { ttl: '5m' } })
  const taken = await run(chain, 'config', 'reload', '--json')
  expect(taken.code).toBe(0)
  await untilLogged(chain, 'config.loaded')
  const again = await run(chain, 'config', 'reload')
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing changed') as unknown,
  })
  expect(chain.logs(chain.adapter).join('\n')).not.toContain('test-secret')
})

test('what needs a restart is refused as a whole, by name', async ({ live: { chain } }) => {
  edit(chain, { issuer: 'https://broker.example', login: { ttl: '5m' } })
  const refused = await run(chain, 'config', 'reload')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/issuer can not change while the adapter runs/)
  expect(events(chain, 'config.loaded')).toEqual([])
})

test('an upstream is added to the running demo, planned for, chosen, and taken out again', async ({
  page,
  live: { chain },
}) => {
  await signIn(page, chain)
  const partner = {
    kind: 'oidc',
    issuer: chain.upstreamUrl,
    client_id: 'test-client',
    client_secret: 'test-secret',
    display_name: 'Partner companies',
    claims: { preferred_username: 'preferred_username', name: 'name' },
  }
  edit(chain, { upstreams: { partner } })
  await untilLogged(chain, 'config.loaded')
  expect(events(chain, 'config.loaded')[0]).toMatchObject({ added: ['upstreams.partner'] })

  const plan = await run(chain, 'swap', 'plan', '--to', 'partner')
  expect([plan.code, plan.stderr]).toEqual([0, ''])
  expect(plan.stdout).toMatch(
    /test-auth-server +relogin +1 session, 1 grant live on +1 session sign/,
  )
  expect(plan.stdout).toContain('1 of its people would have another sub at partner: testuser')
  const unknown = await run(chain, 'swap', 'plan', '--to', 'nowhere')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('There are: test-auth-server, partner')

  await page.context().clearCookies()
  await openApp(page, chain)
  await page.getByRole('link', { name: 'Partner companies' }).click()
  await fillSignIn(page)
  await expect(claimsOf(page)).toContainText('"sub": "partner:testuser"')

  edit(chain, { upstreams: { partner: null } })
  await untilLogged(chain, 'config.loaded', 2)
  await askAgain(page, chain)
  await expect(claimsOf(page)).toContainText('"sub": "testuser"')
})
