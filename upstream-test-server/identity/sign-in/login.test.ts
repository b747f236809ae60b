import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { createLog } from '../../../service/log.ts'
import { requestLog } from '../../../service/request-log.ts'
import { createPeopleRules } from '../../behaviour/sign-in/people-rules.ts'
import { openDatabase } from '../../database.ts'
import { createUsers } from '../../people/users.ts'
import { signerOf } from '../../test-support/signer-of.ts'
import {
  authorizationRequest,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
} from '../../test-support/test-browser.ts'
import { useControl } from '../../test-support/use-control.ts'
import { createIdentity } from '../identity.ts'
import { seedIdentity } from '../store/seed-identity.ts'
import { expectError, expectSuccess, logIn, post, refreshCookieOf } from '../test-support/api.ts'

const lines: string[] = []
const cheap = { memoryKib: 8, passes: 1, parallelism: 1 }
const on = useControl()
const issuer = () => on.server.issuer

describe('POST /api/auth/login', () => {
  it('gives a branch-scoped token at once to who is in one branch', async () => {
    const answer = await logIn(issuer(), 'single')
    expectSuccess(answer, 'login')
    const { data } = answer.body
    expect(data).toMatchObject({
      account: { email: 'single@example.test', kind: 'CUSTOMER', status: 'ACTIVE' },
      workspace: { name: 'Harbour Goods' },
      member: { roles: ['member'] },
      branches: [{ name: 'North Pier', roles: ['clerk'] }],
      auth: { tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: 604_800 },
      nextAction: { type: 'load_current_context' },
    })
    expect(Date.now() - Date.parse(data.account.lastLoginAt)).toBeLessThan(60_000)
    expect(await signerOf(issuer(), data.auth.accessToken)).toBeDefined()
    const claims = claimsOf(data.auth.accessToken)
    expect(claims).toMatchObject({
      iss: issuer(),
      sub: 'testuser',
      aud: ['test-client', `${issuer()}/api/auth`],
      client_id: 'test-client',
      branch_id: data.branches[0].id,
      branch_roles: ['member', 'clerk'],
    })
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(900)
  })

  it('gives a token for choosing, and the branches, to who is in several', async () => {
    const answer = await logIn(issuer(), 'multi')
    expectSuccess(answer, 'login')
    const { data } = answer.body
    expect(Object.keys(data).toSorted()).toEqual(['auth', 'branches', 'nextAction'])
    expect(data.branches.map(({ name, roles }: never) => [name, roles])).toEqual([
      ['Depot', ['auditor']],
      ['North Pier', ['clerk', 'manager']],
      ['South Pier', ['clerk']],
    ])
    expect(data.nextAction).toEqual({ type: 'select_branch', redirectTo: '/select-branch' })
    const claims = claimsOf(data.auth.accountAccessToken)
    expect(claims).toMatchObject({ aud: `${issuer()}/api/auth`, scope: 'select_branch' })
    expect(claims).not.toHaveProperty('branch_id')
    expect(claims).not.toHaveProperty('client_id')
  })

  it('says the same of a person as a sign-in with the form does', async () => {
    const request = authorizationRequest(issuer())
    const page = await signIn(createTestBrowser(issuer()), request)
    const { body } = await redeem(issuer(), codeOf(page), request.verifier)
    const fromForm = claimsOf(body.id_token)
    const fromApi = claimsOf((await logIn(issuer(), 'single')).body.data.auth.accessToken)
    for (const name of ['sub', 'preferred_username', 'name', 'roles', 'locale', 'groups'])
      expect([name, fromApi[name]]).toEqual([name, fromForm[name]])
  })

  it('sets the refresh token as a cookie that no script and no other site gets', async () => {
    const answer = await logIn(issuer(), 'single')
    const cookie = refreshCookieOf(answer)
    expect(cookie).toContain(`TEST_AUTH_SERVER_REFRESH=${answer.body.data.auth.refreshToken};`)
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/api/auth', 'Max-Age=604800'])
      expect(cookie).toContain(part)
  })

  it('knows an address in capitals', async () => {
    expectSuccess(
      await post(issuer(), 'login', { email: 'Single@Example.TEST', password: 'password' }),
      'login',
    )
  })

  it('takes the password that the form takes, and no longer the old one', async () => {
    await on.control.putPerson('multi', { password: 'correct horse' })
    expectSuccess(await logIn(issuer(), 'multi', 'correct horse'), 'login')
    expectError(await logIn(issuer(), 'multi', 'password'), 'INVALID_CREDENTIALS')
    await on.control.putPerson('multi')
  })

  it.each([
    ['locked', 'ACCOUNT_LOCKED'],
    ['disabled', 'ACCOUNT_DISABLED'],
    ['workspace-disabled', 'WORKSPACE_DISABLED'],
    ['member-disabled', 'MEMBER_DISABLED'],
    ['no-branch', 'BRANCH_CONTEXT_REQUIRED'],
    ['system', 'SYSTEM_ACCOUNT'],
  ] as const)('answers %s with %s, and only after the right password', async (name, code) => {
    expectError(await logIn(issuer(), name), code)
    expectError(await logIn(issuer(), name, 'wrong'), 'INVALID_CREDENTIALS')
  })

  it.each(['locked', 'disabled', 'system'])('keeps %s out at the form, too', async (username) => {
    const page = await signIn(createTestBrowser(issuer()), authorizationRequest(issuer()), username)
    expect([page.status, page.url.pathname]).toEqual([400, '/login'])
  })

  it('refuses who was disabled by a test', async () => {
    await on.control.disablePerson('testuser')
    expectError(await logIn(issuer(), 'single'), 'ACCOUNT_DISABLED')
  })

  it('A45 answers an unknown address as it answers a wrong password', async () => {
    const unknown = await logIn(issuer(), 'nobody', 'wrong')
    const wrong = await logIn(issuer(), 'single', 'wrong')
    expectError(unknown, 'INVALID_CREDENTIALS')
    const shown = ({ body, headers }: typeof unknown) => [
      { ...body, request_id: undefined },
      [...headers.keys()],
    ]
    expect(shown(wrong)).toEqual(shown(unknown))
  })

  it('is not there at another issuer', async () => {
    await on.control.createIssuer('plain', { redirectUris: ['http://127.0.0.1:9/cb'] })
    expect((await logIn(`${issuer()}/plain`, 'single')).status).toBe(404)
  })
})

describe('POST /api/auth/system/login', () => {
  it('gives a program a token that is good here only, without a refresh token', async () => {
    const body = { email: 'system@example.test', password: 'password' }
    const answer = await post(issuer(), 'system/login', body)
    expectSuccess(answer, 'systemLogin')
    const { auth } = answer.body.data
    expect(claimsOf(auth.systemAccessToken)).toMatchObject({
      sub: 'user-system',
      aud: `${issuer()}/api/auth`,
    })
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  it('is for nobody else', async () => {
    const body = { email: 'single@example.test', password: 'password' }
    expectError(await post(issuer(), 'system/login', body), 'NOT_A_SYSTEM_ACCOUNT')
  })
})

async function serveIdentity(hasKey: boolean, passwordCost = cheap) {
  const database = openDatabase(':memory:')
  const users = await createUsers(database, passwordCost)
  await seedIdentity(database, passwordCost)
  const log = createLog({ pretty: false, destination: { write: (line) => lines.push(line) } })
  const app = express().use(requestLog({ log }))
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { generateKeyPairSync } = await import('node:crypto')
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'k' }
  const kids = { active: 'k', next: null, retained: [], withdrawn: [] }
  const keys = { active: () => (hasKey ? key : undefined), find: () => key, kids: () => kids }
  const people = createPeopleRules()
  const base = { database, users, people, log, keys, now: Date.now }
  const identity = createIdentity({ ...base, issuer: origin, clientId: 'test-client' })
  app.use('/api/auth', identity.handler)
  return {
    origin,
    database,
    close: () => {
      server.close()
      database.close()
    },
  }
}

describe('a server without a signing key', () => {
  it('says so once the password is right, and starts no session', async () => {
    const { origin, database, close } = await serveIdentity(false)
    expectError(await logIn(origin, 'single', 'wrong'), 'INVALID_CREDENTIALS')
    expectError(await logIn(origin, 'single'), 'JWT_KEY_NOT_CONFIGURED')
    const { sessions } =
      database.prepare('SELECT count(*) AS sessions FROM auth_session').get() ?? {}
    expect(sessions).toBe(0)
    const { last } = database.prepare('SELECT max(last_login_at) AS last FROM account').get() ?? {}
    expect(last).toBeNull()
    close()
  })
})

describe('the time of an answer', () => {
  it('A44 is as long for an unknown address as for a wrong password', async () => {
    const cost = { memoryKib: 16_384, passes: 3, parallelism: 1 }
    const { origin, close } = await serveIdentity(true, cost)
    const timeOf = async (name: string) => {
      const start = performance.now()
      await logIn(origin, name, 'wrong')
      return performance.now() - start
    }
    const times: { known: number; unknown: number }[] = []
    for (let round = 0; round < 9; round++)
      times.push({ known: await timeOf('single'), unknown: await timeOf('nobody') })
    const known = Math.min(...times.map((time) => time.known))
    const unknown = Math.min(...times.map((time) => time.unknown))
    // Without a hash it would be a thirtieth; the machine may be busy with other tests.
    expect(unknown).toBeGreaterThan(known / 6)
    expect(known).toBeGreaterThan(unknown / 6)
    close()
  })
})
