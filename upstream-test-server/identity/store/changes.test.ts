// What is changed in the file while somebody is signed in.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../database.ts'
import { ask } from '../../../service/serve-for-test.ts'
import type { RunningUpstreamTestServer } from '../../start.ts'
import {
  authorizationRequest,
  claimsOf,
  createTestBrowser,
  signIn,
  startForTest,
} from '../../test-support/test-browser.ts'
import {
  bearer,
  cookieOf,
  expectError,
  expectSuccess,
  logIn,
  post,
  send,
} from '../test-support/api.ts'
import type { Answer } from '../test-support/api.ts'

let folder: string
let server: RunningUpstreamTestServer
let database: DatabaseSync
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upstream-identity-'))
  const databaseFile = join(folder, 'upstream.sqlite')
  server = await startForTest({ databaseFile })
  database = openDatabase(databaseFile)
})
afterAll(async () => {
  database.close()
  await server.close()
  rmSync(folder, { recursive: true })
})

const tables = ['account', 'credential', 'workspace', 'workspace_member', 'branch', 'branch_member']
const ofSingle = `(SELECT id FROM account WHERE email = 'single@example.test')`
const memberOfSingle = `(SELECT id FROM workspace_member WHERE account_id = ${ofSingle})`

const disable = (table: string, where: string) =>
  database.exec(`UPDATE ${table} SET status = 'DISABLED' WHERE ${where}`)
afterEach(() => {
  for (const table of tables) database.exec(`UPDATE ${table} SET status = 'ACTIVE'`)
})

const context = ({ body }: Answer) =>
  send(server.issuer, 'GET', 'context', { headers: bearer(body.data.auth.accessToken) })
const refreshed = (answer: Answer) => post(server.issuer, 'refresh', {}, cookieOf(answer))

const cases = [
  ['account', `id = ${ofSingle}`, 'ACCOUNT_DISABLED'],
  ['workspace', `id = 'ws-harbour'`, 'WORKSPACE_DISABLED'],
  ['workspace_member', `id = ${memberOfSingle}`, 'MEMBER_DISABLED'],
  ['branch', `id = 'br-north'`, 'BRANCH_CONTEXT_REQUIRED'],
  ['branch_member', `member_id = ${memberOfSingle}`, 'BRANCH_CONTEXT_REQUIRED'],
] as const

describe('somebody who is signed in', () => {
  it.each(cases)(
    'A52 is refused as soon as the %s is disabled, and goes on when it is not',
    async (table, where, code) => {
      const first = await logIn(server.issuer, 'single')
      disable(table, where)
      for (const answer of [
        await context(first),
        await refreshed(first),
        await logIn(server.issuer, 'single'),
      ])
        expectError(answer, code)
      for (const one of tables) database.exec(`UPDATE ${one} SET status = 'ACTIVE'`)
      expectSuccess(await context(first), 'context')
      expectSuccess(await refreshed(first), 'refresh')
    },
  )

  it('A48 has a role no longer in the next token once it was taken away', async () => {
    const first = await logIn(server.issuer, 'single')
    const rolesOf = ({ body }: Answer) => claimsOf(body.data.auth.accessToken)['branch_roles']
    expect(rolesOf(first)).toEqual(['member', 'clerk'])
    database.exec(`DELETE FROM branch_member_role WHERE branch_member_id IN
      (SELECT id FROM branch_member WHERE member_id = ${memberOfSingle})`)
    expect(rolesOf(await refreshed(first))).toEqual(['member'])
  })

  it('is signed in still after a restart of the server', async () => {
    const first = await logIn(server.issuer, 'single')
    const { port } = server
    await server.close()
    server = await startForTest({ databaseFile: join(folder, 'upstream.sqlite'), port })
    expectSuccess(await context(first), 'context')
    expectSuccess(await refreshed(first), 'refresh')
  })
})

describe('a password', () => {
  it('that may not be used is as good as a wrong one', async () => {
    disable('credential', `account_id = ${ofSingle}`)
    expectError(await logIn(server.issuer, 'single'), 'INVALID_CREDENTIALS')
  })

  it('of a disabled account does not let in at the form either', async () => {
    disable('account', `id = ${ofSingle}`)
    const request = authorizationRequest(server.issuer)
    const page = await signIn(createTestBrowser(server.issuer), request)
    expect(page.body).toContain('This account is disabled.')
  })
})

describe('the file', () => {
  it('knows of a sign-in when it was, and its session: ACTIVE, with jti and expires_at', async () => {
    const { body } = await logIn(server.issuer, 'single')
    const { account, auth } = body.data
    const { auth_session: id } = claimsOf(auth.accessToken)
    const found = database.prepare('SELECT last_login_at FROM account WHERE email = ?')
    const { last_login_at } = found.get('single@example.test') as { last_login_at: number }
    expect(new Date(last_login_at).toISOString()).toBe(account.lastLoginAt)
    const session = database.prepare('SELECT * FROM auth_session WHERE id = ?').get(id as string)
    expect(session).toMatchObject({ status: 'ACTIVE', branch_id: 'br-north' })
    const { jti, created_at, expires_at } = session as Record<string, number | string>
    expect(String(jti)).toMatch(/^[\w-]{16,}$/)
    expect(Number(expires_at) - Number(created_at)).toBe(604_800_000)
  })

  it('holds no refresh token, access token or e-mail address that was tried', async () => {
    const { body } = await logIn(server.issuer, 'single')
    await logIn(server.issuer, 'never-heard-of', 'wrong')
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
    const { accessToken, refreshToken } = body.data.auth
    for (const secret of [refreshToken, accessToken.split('.')[2], 'never-heard-of'])
      for (const file of files) expect(file.includes(secret)).toBe(false)
    expect(files.join('')).toContain('single@example.test')
  })
})

describe('two servers on one file', () => {
  it('answer one of forty refreshes at the same time', async () => {
    const { issuer } = server
    const second = await startForTest({ databaseFile: join(folder, 'upstream.sqlite'), issuer })
    const first = await logIn(issuer, 'single')
    const type = { 'content-type': 'application/json' }
    const headers = { ...type, ...cookieOf(first), host: new URL(issuer).host }
    const servers = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? server : second))
    const asked = servers.map((one) => ask(one, '/api/auth/refresh', { method: 'POST', headers }))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 39 }, () => 401)])
    expectError(await context(first), 'INVALID_TOKEN')
    await second.close()
  })
})
