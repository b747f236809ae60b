// `auth-adapter upstream test` beside the demo with three upstreams: the command prints an address, a person signs in there in a browser,
// and page and command say what the draft would change. Nobody is signed in by it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright/test'
import { parse, stringify } from 'yaml'
import { NODE } from '../scripts/managed-process.ts'
import { mergeSettings, type Settings } from './support/chain-config.ts'
import { test as base, expect, fillSignIn } from './support/fixtures.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain, withoutOurSettings, type Chain } from './support/processes.ts'

const ROOT = join(import.meta.dirname, '..')
const EXAMPLE = join(ROOT, 'docs', 'examples', 'three-upstreams.yaml')
const UPSTREAM = 'test-auth-server'

const test = base.extend<object, { chain: Chain }>({
  chain: [
    async ({ storage }, use) => {
      const config = parse(readFileSync(EXAMPLE, 'utf8')) as Settings
      const chain = await startChain({ storage, config })
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

interface Command {
  url: string
  ended: Promise<{ code: number; said: string }>
}

/** The live file with changes to its upstream, as a person would edit a copy of it. */
function writeDraft(chain: Chain, upstream: string, changes: Settings): string {
  const live = parse(readFileSync(chain.configFile, 'utf8')) as Settings
  const file = join(chain.dataFolder, 'draft.yaml')
  writeFileSync(file, stringify(mergeSettings(live, { upstreams: { [upstream]: changes } })))
  return file
}

/** Finds address and token as an operator's shell would: by the live file, and by the data folder. */
async function startCommand(
  chain: Chain,
  changes: Settings,
  upstream = UPSTREAM,
): Promise<Command> {
  const env = {
    ...withoutOurSettings(process.env),
    ADAPTER_PORT: new URL(chain.adapterUrl).port,
    ADAPTER_ADMIN_PORT: new URL(chain.adminUrl).port,
    UPSTREAM_PORT: new URL(chain.upstreamUrl).port,
    AUTH_ADAPTER_DATA: chain.dataFolder,
    AUTH_ADAPTER_CONFIG: chain.configFile,
  }
  const args = ['adapter/cli.ts', 'upstream', 'test', upstream]
  const child = spawn(NODE, [...args, '--config', writeDraft(chain, upstream, changes)], {
    cwd: ROOT,
    env,
  })
  let said = ''
  const address = Promise.withResolvers<string>()
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [url] = /http\S+\/oauth2\/test\/\S+/.exec(said) ?? []
      if (url !== undefined) address.resolve(url)
    })
  const ended = once(child, 'close').then(([code]) => {
    address.reject(new Error(`The command ended: ${said}`))
    return { code: code as number, said }
  })
  return { url: await address.promise, ended }
}

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

test('a draft that changes the subject: the page says so in words, the command in words and with 1', async ({
  page,
  chain,
}) => {
  const errors = listenToConsole(page)
  const authorities = { from: 'roles', add_prefix: 'GROUP_' }
  const command = await startCommand(chain, { subject: 'prefixed', claims: { authorities } })
  await page.goto(command.url)
  await fillSignIn(page, { username: 'ada' })
  await expect(heading(page)).toHaveText('The test worked, but the subject changes')
  await expect(page.getByText('Subject with the draft (changed)')).toBeVisible()
  await expect(page.getByText('test-auth-server:user-0002').first()).toBeVisible()
  const changes = page.getByRole('table', { name: 'What changes' })
  await expect(changes.getByRole('row', { name: /^authorities/ })).toContainText('GROUP_ROLE_ADMIN')
  await page.getByText('Access token, as it would be').click()
  await expect(page.getByRole('region', { name: 'Access token' })).toContainText(
    '"GROUP_ROLE_ADMIN"',
  )
  await expectSoundPage(page)
  const { code, said } = await command.ended
  expect(code).toBe(1)
  expect(said).toContain('The sub changes: user-0002 today, test-auth-server:user-0002')
  expect(said).not.toContain('\u001b')
  expect(errors).toEqual([])
})

test('nobody is signed in by it, and its token file is for the user of the process alone', async ({
  page,
  chain,
}) => {
  const command = await startCommand(chain, {})
  await page.goto(command.url)
  await fillSignIn(page)
  await expect(heading(page)).toHaveText('The test worked: nothing changes')
  expect((await command.ended).code).toBe(0)
  const names = (await page.context().cookies()).map(({ name }) => name)
  expect(names.filter((name) => name.startsWith('AUTH_ADAPTER'))).toEqual([
    expect.stringMatching(/^AUTH_ADAPTER_TEST_/),
  ])
  expect(statSync(join(chain.dataFolder, 'admin.token')).mode & 0o777).toBe(0o600)
  await page.reload()
  await expect(heading(page)).toHaveText('The test worked: nothing changes')
})

test('a draft whose secret is wrong, or whose rule keeps the person out: a page without detail', async ({
  page,
  chain,
}) => {
  const wrong = await startCommand(chain, { client_secret: 'another' })
  await page.goto(wrong.url)
  await fillSignIn(page)
  await expect(heading(page)).toHaveText('The test failed')
  await expectSoundPage(page)
  const failed = await wrong.ended
  expect([failed.code, failed.said]).toEqual([
    1,
    expect.stringContaining('it does not accept client_id, client_secret or client_auth_method'),
  ])
  const strict = await startCommand(chain, { require: { claims: { name: 'Somebody else' } } })
  await page.goto(strict.url)
  await expect(heading(page)).toHaveText('The draft would not let you in')
  await expectSoundPage(page)
  const refused = await strict.ended
  expect([refused.code, refused.said]).toEqual([
    1,
    expect.stringContaining('Denied by require.claims.name'),
  ])
})

const OTHERS = [
  {
    name: 'second-auth-server',
    sub: 'second-auth-server:b1946ac9-2492-4d23-8f3e-7a5c0e3b9f10',
    changes: { claims: { company: { constant: 'Second Office' } } },
  },
  {
    name: 'github-like',
    sub: 'github-like:583231',
    changes: { claims: { company: { from: 'company', strip_prefix: '@' } } },
  },
]

for (const { name, sub, changes } of OTHERS)
  test(`${name} is tried likewise, and only what the draft changes changes`, async ({
    page,
    chain,
  }) => {
    const command = await startCommand(chain, changes, name)
    await page.goto(command.url)
    await fillSignIn(page)
    await expect(heading(page)).toHaveText('The test worked: claims change')
    const rows = page.getByRole('table', { name: 'What changes' }).locator('tbody tr')
    await expect(rows).toHaveCount(1)
    await expect(rows).toContainText('company')
    const { code, said } = await command.ended
    expect([code, said]).toEqual([0, expect.stringContaining(`The sub stays ${sub}.`)])
  })
