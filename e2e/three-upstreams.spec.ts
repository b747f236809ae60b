// docs/examples/three-upstreams.yaml in a browser: people choose among three identity providers, and each sign-in says in the
// token who vouched for it. Nobody becomes another by having the same name elsewhere.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright/test'
import { parse, stringify } from 'yaml'
import { NODE } from '../scripts/managed-process.ts'
import { freePorts } from '../scripts/ports.ts'
import { createControlClient } from '../upstream-test-server/control-client.ts'
import type { Settings } from './support/chain-config.ts'
import { answerTo, requestTo } from './support/authorization-request.ts'
import { test as base, expect, fillSignIn } from './support/fixtures.ts'
import { recordHops } from './support/hops.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain, withoutOurSettings, type Chain } from './support/processes.ts'

const ROOT = join(import.meta.dirname, '..')
const EXAMPLE = join(ROOT, 'docs', 'examples', 'three-upstreams.yaml')

let controlUrl: string

const test = base.extend<object, { chain: Chain }>({
  chain: [
    async ({ storage }, use) => {
      const config = parse(readFileSync(EXAMPLE, 'utf8')) as Settings
      const [port = 0] = await freePorts(1)
      controlUrl = `http://127.0.0.1:${port}`
      const env = { UPSTREAM_CONTROL_PORT: String(port) }
      const chain = await startChain({ storage, config, env })
      await use(chain)
      await chain.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
})

interface SignIn {
  /** Its button. */
  upstream: string
  username: string
  /** The one claim that only this upstream maps. */
  minted: string
  claims: Record<string, unknown>
}

const SIGN_INS: readonly SignIn[] = [
  {
    upstream: 'Test users',
    username: 'testuser',
    minted: 'test_auth_server_sub',
    claims: {
      sub: 'testuser',
      test_auth_server_sub: 'testuser',
      name: 'testuser',
      authorities: ['ROLE_USER'],
    },
  },
  {
    upstream: 'Second office',
    username: 'testuser',
    minted: 'second_auth_server_sub',
    claims: {
      sub: 'second-auth-server:b1946ac9-2492-4d23-8f3e-7a5c0e3b9f10',
      second_auth_server_sub: 'b1946ac9-2492-4d23-8f3e-7a5c0e3b9f10',
      preferred_username: 'testuser',
      name: 'Terry Testuser',
      department: 'Second Office',
      authorities: ['ROLE_USER'],
    },
  },
  {
    upstream: 'Second office',
    username: 'ada',
    minted: 'second_auth_server_sub',
    claims: {
      sub: 'second-auth-server:591785b7-94f0-4c1a-9b8e-0d6c9a2f4e77',
      name: 'Adaeze Obi',
      department: 'Direction',
      authorities: ['ROLE_USER', 'ROLE_ADMIN'],
    },
  },
  {
    upstream: 'Code host',
    username: 'testuser',
    minted: 'github_like_id',
    claims: {
      sub: 'github-like:583231',
      github_like_id: 583_231,
      preferred_username: 'testuser',
      name: 'Tess Tuser',
      company: '@octo-test',
      authorities: ['ROLE_USER'],
    },
  },
]

const MINTED = ['test_auth_server_sub', 'second_auth_server_sub', 'github_like_id']

const CONNECT_CHECKS = ['discovery', 'issuer', 'keys', 'pkce', 'scopes', 'client', 'redirect-uri']

/** testuser's subject at each, and what the doctor says. */
const UPSTREAMS = [
  { name: 'test-auth-server', sub: 'testuser', passes: CONNECT_CHECKS, warns: [] },
  {
    name: 'second-auth-server',
    sub: 'second-auth-server:b1946ac9-2492-4d23-8f3e-7a5c0e3b9f10',
    passes: CONNECT_CHECKS,
    warns: [],
  },
  {
    name: 'github-like',
    sub: 'github-like:583231',
    passes: ['userinfo', 'client', 'subject', 'callback'],
    // It shows its sign-in page to the doctor, as GitHub does, and so does not tell.
    warns: ['redirect-uri'],
  },
] as const
const heading = (page: Page) => page.getByRole('heading', { level: 1 })

const CHOOSER = 'How do you want to sign in?'

async function openChooser(page: Page, chain: Chain): Promise<void> {
  await page.goto(`${chain.appUrl}/authenticated`)
  await expect(heading(page)).toHaveText(CHOOSER)
}

async function claimsShown(page: Page, chain: Chain): Promise<Record<string, unknown>> {
  await page.waitForURL(`${chain.appUrl}/authenticated`)
  const shown = await page.getByLabel('Claims of the access token as JSON').textContent()
  return JSON.parse(shown ?? '') as Record<string, unknown>
}

test('the chooser offers the three, and is a sound page', async ({ page, chain }, testInfo) => {
  const errors = listenToConsole(page)
  await openChooser(page, chain)
  const buttons = page.getByRole('main').getByRole('link')
  await expect(buttons).toHaveText([/Test users/, /Second office/, /Code host/])
  await page.screenshot({ path: testInfo.outputPath('chooser.png') })
  await expectSoundPage(page)
  expect(errors).toEqual([])
})

for (const { upstream, username, minted, claims } of SIGN_INS)
  test(`${username} at "${upstream}" is who that provider says, and nobody else`, async ({
    page,
    chain,
  }) => {
    await openChooser(page, chain)
    await page.getByRole('link', { name: upstream }).click()
    await fillSignIn(page, { username })
    const shown = await claimsShown(page, chain)
    expect(shown).toMatchObject({ iss: chain.adapterUrl, aud: 'client', ...claims })
    expect(MINTED.filter((name) => name in shown)).toEqual([minted])
  })

test('in one browser, each provider asks for itself, and the person of the last one counts', async ({
  page,
  chain,
}) => {
  for (const { name, sub } of UPSTREAMS) {
    const hops = recordHops(page)
    await page.goto(requestTo(chain, { upstream: name }))
    await fillSignIn(page)
    await page.waitForURL(`${chain.appUrl}/**`)
    await expect.poll(() => answerTo(hops, chain)['code']).toBeTruthy()
    await page.context().clearCookies({ name: 'TEST_APP_SESSION' })
    await page.goto(`${chain.appUrl}/authenticated`)
    expect(await claimsShown(page, chain)).toMatchObject({ sub })
  }
})

const ADA = { username: 'ada' }

test('a role that is taken away there is gone at the next sign-in', async ({ page, chain }) => {
  const second = createControlClient(controlUrl, { issuer: 'second' })
  const ada = await second.person('ada')
  const rolesAtSignIn = async () => {
    await page.context().clearCookies()
    await openChooser(page, chain)
    await page.getByRole('link', { name: 'Second office' }).click()
    await fillSignIn(page, ADA)
    return (await claimsShown(page, chain))['authorities']
  }
  expect(await rolesAtSignIn()).toEqual(['ROLE_USER', 'ROLE_ADMIN'])
  const { username: _, ...person } = ada
  await second.putPerson('ada', { ...person, roles: ['member'] })
  expect(await rolesAtSignIn()).toEqual(['ROLE_USER'])
  await second.putPerson('ada', person)
})

test('the same is reached by editing the file of a running demo', async ({ page, storage }) => {
  const chain = await startChain({ storage })
  try {
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByLabel('User name')).toBeVisible()
    const running = parse(readFileSync(chain.configFile, 'utf8')) as Settings
    const { upstreams } = parse(readFileSync(EXAMPLE, 'utf8')) as Settings
    writeFileSync(chain.configFile, stringify({ ...running, upstreams }))
    await expect(async () => {
      await page.goto(`${chain.appUrl}/authenticated`)
      await expect(heading(page)).toHaveText(CHOOSER, { timeout: 500 })
    }).toPass()
    await page.getByRole('link', { name: 'Code host' }).click()
    await fillSignIn(page)
    expect(await claimsShown(page, chain)).toMatchObject({ sub: 'github-like:583231' })
  } finally {
    await chain.stop()
  }
})

/** As an operator calls it, with the running chain's ports. */
async function doctor(chain: Chain, upstream: string) {
  const args = ['adapter/cli.ts', 'upstream', 'doctor', upstream, '--json']
  const ports = {
    ADAPTER_PORT: new URL(chain.adapterUrl).port,
    UPSTREAM_PORT: new URL(chain.upstreamUrl).port,
    AUTH_ADAPTER_DATA: chain.dataFolder,
  }
  const env = { ...withoutOurSettings(process.env), ...ports }
  const options = { cwd: ROOT, env }
  const child = spawn(NODE, [...args, '--config', chain.configFile], options)
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { code: code as number, report: JSON.parse(output) as { findings: Finding[] } }
}

interface Finding {
  check: string
  verdict: string
}

for (const { name, passes, warns } of UPSTREAMS)
  test(`the doctor finds ${name} in order`, async ({ chain }) => {
    const { code, report } = await doctor(chain, name)
    const checksThat = (status: string) =>
      report.findings.filter(({ verdict }) => verdict === status).map(({ check }) => check)
    expect(code).toBe(0)
    expect(checksThat('fail')).toEqual([])
    expect(checksThat('warn')).toEqual(warns)
    expect(checksThat('pass')).toEqual(expect.arrayContaining([...passes]))
  })
