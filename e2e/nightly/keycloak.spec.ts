// Keycloak as the upstream: a large identity provider that nobody here wrote, through the whole chain and its own pages.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright/test'
import { issuerAt, startKeycloak, type Keycloak } from '../../scripts/keycloak/start-keycloak.ts'
import { NODE } from '../../scripts/managed-process.ts'
import { freePorts } from '../../scripts/ports.ts'
import { expect, test } from '../support/fixtures.ts'
import { startChain, withoutOurSettings, type Chain } from '../support/processes.ts'

const SECRET = 'secret-of-the-adapter'
const PASSWORD = 'password-of-everyone'
const CLI = join(import.meta.dirname, '..', '..', 'adapter', 'cli.ts')

const upstreamAt = (issuer: string) => ({
  preset: 'keycloak',
  issuer,
  client_id: 'auth-adapter',
  client_secret: SECRET,
  claims: {
    name: 'name',
    preferred_username: 'preferred_username',
    groups: 'groups',
    authorities: {
      from: 'realm_access.roles',
      values: { user: 'ROLE_USER', admin: 'ROLE_ADMIN' },
    },
  },
})

let chain: Chain
let keycloak: Keycloak

test.beforeAll(async () => {
  test.setTimeout(300_000)
  const [port = 0] = await freePorts(1)
  const upstreams = { 'test-auth-server': null, keycloak: upstreamAt(issuerAt(port)) }
  chain = await startChain({
    storage: 'sqlite',
    notStarted: ['upstream'],
    config: { upstreams },
  })
  keycloak = await startKeycloak({
    port,
    adapterOrigin: chain.adapterUrl,
    clientSecret: SECRET,
    userPassword: PASSWORD,
  })
  process.stdout.write(`${keycloak.describe}\n`)
})

test.afterAll(async () => {
  await keycloak.stop()
  await chain.stop()
})

async function signInAtKeycloak(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.goto(`${chain.appUrl}/authenticated`)
  await page.locator('#username').fill(username)
  await page.locator('#password').fill(password)
  await page.locator('#kc-login').click()
}

async function mintedClaims(page: Page): Promise<Record<string, unknown>> {
  const jwt = (await page.getByLabel('Access token', { exact: true }).textContent()) ?? ''
  const [, claims = ''] = jwt.trim().split('.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
}

test('signs a person in on Keycloak’s own form; roles and groups arrive as mapped', async ({
  page,
}) => {
  await signInAtKeycloak(page, 'alice')
  await expect(page.getByRole('heading', { name: 'Hello, Alice Example' })).toBeVisible()
  const claims = await mintedClaims(page)
  expect(claims).toMatchObject({
    iss: chain.adapterUrl,
    aud: 'client',
    name: 'Alice Example',
    preferred_username: 'alice',
    groups: ['staff'],
  })
  expect(claims['sub']).toMatch(/^keycloak:[\da-f-]{36}$/)
  expect((claims['authorities'] as string[]).toSorted()).toEqual(['ROLE_ADMIN', 'ROLE_USER'])
})

test('another person has another subject, and only their own roles', async ({ page }) => {
  await signInAtKeycloak(page, 'bob')
  await expect(page.getByRole('heading', { name: 'Hello, Bob Example' })).toBeVisible()
  const claims = await mintedClaims(page)
  expect(claims).toMatchObject({ preferred_username: 'bob', authorities: ['ROLE_USER'] })
})

test('a wrong password stays on Keycloak’s form, and the right one goes on', async ({ page }) => {
  await signInAtKeycloak(page, 'alice', 'wrong')
  await expect(page.getByText('Invalid username or password.')).toBeVisible()
  await page.locator('#password').fill(PASSWORD)
  await page.locator('#kc-login').click()
  await expect(page.getByRole('heading', { name: 'Hello, Alice Example' })).toBeVisible()
})

test('the doctor finds nothing that fails', async () => {
  const command = ['upstream', 'doctor', 'keycloak', '--config', chain.configFile]
  const doctor = spawn(NODE, [CLI, ...command], {
    env: {
      ...withoutOurSettings(process.env),
      AUTH_ADAPTER_DATA: chain.dataFolder,
      ADAPTER_PORT: new URL(chain.adapterUrl).port,
      ADAPTER_ADMIN_PORT: new URL(chain.adminUrl).port,
      TEST_APP_PORT: new URL(chain.appUrl).port,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = new Promise((resolve) => doctor.once('close', resolve))
  const report = await text(doctor.stdout)
  process.stdout.write(report)
  expect(await exit).toBe(0)
  expect(report).toMatch(/, 0 failed,/)
})
