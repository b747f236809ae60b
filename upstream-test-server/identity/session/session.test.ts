import { describe, expect, it } from 'vitest'
import { claimsOf } from '../../test-support/test-browser.ts'
import { useControl } from '../../test-support/use-control.ts'
import {
  bearer,
  cookieOf,
  expectError,
  expectSuccess,
  logIn,
  post,
  refreshCookieOf,
  send,
} from '../test-support/api.ts'
import type { Answer, Headed } from '../test-support/api.ts'

const on = useControl()
const issuer = () => on.server.issuer

const context = (token: string) => send(issuer(), 'GET', 'context', { headers: bearer(token) })
const choose = (token: string, branchId: string, headers: Headed = {}) =>
  post(issuer(), 'select-branch', { branchId }, { ...bearer(token), ...headers })
const refreshWith = (headers: Headed, body: object = {}) => post(issuer(), 'refresh', body, headers)
const accessTokenOf = ({ body }: Answer): string => body.data.auth.accessToken
const accountTokenOf = ({ body }: Answer): string => body.data.auth.accountAccessToken
const refreshTokenOf = ({ body }: Answer): string => body.data.auth.refreshToken

async function signedIn(name = 'single'): Promise<Answer> {
  const answer = await logIn(issuer(), name)
  expectSuccess(answer, 'login')
  return answer
}

describe('GET /api/auth/context', () => {
  it('says who it is and where', async () => {
    const answer = await context(accessTokenOf(await signedIn()))
    expectSuccess(answer, 'context')
    expect(answer.body.data).toMatchObject({
      account: { email: 'single@example.test' },
      workspace: { id: 'ws-harbour' },
      member: { roles: ['member'] },
      branch: { id: 'br-north', roles: ['clerk'] },
    })
  })

  it('asks for a branch where none is chosen, and of a program', async () => {
    expectError(await context(accountTokenOf(await signedIn('multi'))), 'BRANCH_CONTEXT_REQUIRED')
    const body = { email: 'system@example.test', password: 'password' }
    const system = await post(issuer(), 'system/login', body)
    expectError(await context(system.body.data.auth.systemAccessToken), 'BRANCH_CONTEXT_REQUIRED')
  })

  it('refuses a token that is absent, expired, changed, of another key or another kind', async () => {
    const token = accessTokenOf(await signedIn())
    const [header = '', claims = '', signature = ''] = token.split('.')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const other = encode({ ...claimsOf(token), branch_id: 'br-south' })
    const none = `${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.`
    for (const bad of ['', 'x', 'a.b.c', `${header}.${other}.${signature}`, none])
      expectError(await context(bad), 'INVALID_TOKEN')
    expectError(await send(issuer(), 'GET', 'context'), 'INVALID_TOKEN')
    const basic = { authorization: 'Basic dGVzdC1jbGllbnQ6dGVzdC1zZWNyZXQ=' }
    expectError(await send(issuer(), 'GET', 'context', { headers: basic }), 'INVALID_TOKEN')
    await on.control.advance(901)
    expectError(await context(token), 'INVALID_TOKEN')
  })

  it('refuses a token whose key was withdrawn', async () => {
    const token = accessTokenOf(await signedIn())
    await on.control.rotateKeys({ publishFirst: false, old: 'withdrawn' })
    expectError(await context(token), 'INVALID_TOKEN')
    expectSuccess(await context(accessTokenOf(await signedIn())), 'context')
  })

  it('A52 refuses at once who was disabled or removed, or whose grants were revoked', async () => {
    const token = accessTokenOf(await signedIn())
    await on.control.disablePerson('testuser')
    await on.control.enablePerson('testuser')
    expectError(await context(token), 'INVALID_TOKEN')
    const again = accessTokenOf(await signedIn())
    await on.control.revokeGrants('testuser')
    expectError(await context(again), 'INVALID_TOKEN')
  })
})

describe('POST /api/auth/select-branch', () => {
  it('gives a token for the branch with its roles, and a refresh token in place of the first', async () => {
    const first = await signedIn('multi')
    const answer = await choose(accountTokenOf(first), 'br-south', cookieOf(first))
    expectSuccess(answer, 'selectBranch')
    expect(claimsOf(accessTokenOf(answer))).toMatchObject({
      sub: 'user-multi',
      branch_id: 'br-south',
      branch_roles: ['member', 'clerk'],
    })
    expect(refreshCookieOf(answer)).toContain(refreshTokenOf(answer))
    expect((await context(accessTokenOf(answer))).body.data.branch.name).toBe('South Pier')
  })

  it('is refused when it is sent again, and the session goes on as it was', async () => {
    const first = await signedIn('multi')
    const chosen = await choose(accountTokenOf(first), 'br-south')
    for (const branch of ['br-south', 'br-north'])
      expectError(await choose(accountTokenOf(first), branch), 'BRANCH_ALREADY_SELECTED')
    expect((await context(accessTokenOf(chosen))).body.data.branch.id).toBe('br-south')
    expectSuccess(await refreshWith({}, { refreshToken: refreshTokenOf(chosen) }), 'refresh')
  })

  it('is done once, however many come at the same time', async () => {
    const token = accountTokenOf(await signedIn('multi'))
    const branches = ['br-north', 'br-south', 'br-depot', 'br-north', 'br-south']
    const answers = await Promise.all(branches.map((branch) => choose(token, branch)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409])
  })

  it.each(['br-mill', 'br-none', '__proto__'])(
    'refuses %s, which is none of theirs',
    async (id) => {
      const token = accountTokenOf(await signedIn('multi'))
      expectError(await choose(token, id), 'BRANCH_NOT_ALLOWED')
      expectSuccess(await choose(token, 'br-north'), 'selectBranch')
    },
  )

  it('refuses a refresh cookie of another person, and changes nothing', async () => {
    const [multi, single] = [await signedIn('multi'), await signedIn('single')]
    const mixed = await choose(accountTokenOf(multi), 'br-north', cookieOf(single))
    expectError(mixed, 'INVALID_REFRESH_TOKEN')
    expectSuccess(await choose(accountTokenOf(multi), 'br-north', cookieOf(multi)), 'selectBranch')
    expectSuccess(await refreshWith(cookieOf(single)), 'refresh')
  })

  it('refuses a token for a branch, of a program, and of a session that is over', async () => {
    const single = accessTokenOf(await signedIn())
    expectError(await choose(single, 'br-north'), 'BRANCH_ALREADY_SELECTED')
    const multi = accountTokenOf(await signedIn('multi'))
    await post(issuer(), 'logout', {}, bearer(multi))
    expectError(await choose(multi, 'br-north'), 'INVALID_TOKEN')
    const body = { email: 'system@example.test', password: 'password' }
    const { systemAccessToken } = (await post(issuer(), 'system/login', body)).body.data.auth
    expectError(await choose(systemAccessToken, 'br-north'), 'INVALID_TOKEN')
  })
})

describe('POST /api/auth/refresh', () => {
  it.each([
    ['cookie', (answer: Answer) => refreshWith(cookieOf(answer))],
    ['body', (answer: Answer) => refreshWith({}, { refreshToken: refreshTokenOf(answer) })],
  ])('takes the token from the %s and gives other tokens', async (_place, ask) => {
    const first = await signedIn()
    const answer = await ask(first)
    expectSuccess(answer, 'refresh')
    expect(refreshTokenOf(answer)).not.toBe(refreshTokenOf(first))
    expect(accessTokenOf(answer)).not.toBe(accessTokenOf(first))
    expect(refreshCookieOf(answer)).toContain(refreshTokenOf(answer))
    expectSuccess(await context(accessTokenOf(answer)), 'context')
    expectSuccess(await ask(answer), 'refresh')
  })

  it('does not make the session longer', async () => {
    const first = await signedIn()
    await on.control.advance(604_000)
    const answer = await refreshWith(cookieOf(first))
    expect(answer.body.data.auth.refreshExpiresIn).toBeLessThanOrEqual(800)
    await on.control.advance(801)
    expectError(await refreshWith(cookieOf(answer)), 'INVALID_REFRESH_TOKEN')
  })

  it('leads to a token for choosing where no branch is chosen yet; the one before is over', async () => {
    const first = await signedIn('multi')
    const answer = await refreshWith(cookieOf(first))
    expectSuccess(answer, 'refresh')
    expectError(await choose(accountTokenOf(first), 'br-north'), 'INVALID_TOKEN')
    expectSuccess(await choose(accountTokenOf(answer), 'br-north'), 'selectBranch')
  })

  it('A52 ends the session when a used token comes back', async () => {
    const first = await signedIn()
    const second = await refreshWith(cookieOf(first))
    expectError(await refreshWith(cookieOf(first)), 'INVALID_REFRESH_TOKEN')
    expectError(await refreshWith(cookieOf(second)), 'INVALID_REFRESH_TOKEN')
    expectError(await context(accessTokenOf(second)), 'INVALID_TOKEN')
  })

  it('answers one of fifty at the same time, and ends the session', async () => {
    const first = await signedIn()
    const all = await Promise.all(Array.from({ length: 50 }, () => refreshWith(cookieOf(first))))
    const answered = all.filter(({ status }) => status === 200)
    expect(answered).toHaveLength(1)
    for (const refused of all.filter(({ status }) => status !== 200))
      expectError(refused, 'INVALID_REFRESH_TOKEN')
    expectError(await refreshWith(cookieOf(answered[0] as Answer)), 'INVALID_REFRESH_TOKEN')
  })

  it('refuses the cookie of another person beside an access token or a body, and changes nothing', async () => {
    const [multi, single] = [await signedIn('multi'), await signedIn('single')]
    const mixed = { ...cookieOf(multi), ...bearer(accessTokenOf(single)) }
    expectError(await refreshWith(mixed), 'INVALID_REFRESH_TOKEN')
    const two = await refreshWith(cookieOf(multi), { refreshToken: refreshTokenOf(single) })
    expectError(two, 'VALIDATION_ERROR')
    for (const untouched of [multi, single])
      expectSuccess(await refreshWith(cookieOf(untouched)), 'refresh')
  })

  it('takes an expired access token of the same session beside it', async () => {
    const first = await signedIn()
    await on.control.advance(901)
    const both = { ...cookieOf(first), ...bearer(accessTokenOf(first)) }
    expectSuccess(await refreshWith(both), 'refresh')
  })

  it.each([{}, { cookie: 'TEST_AUTH_SERVER_REFRESH=' }, { cookie: 'TEST_AUTH_SERVER_REFRESH=x' }])(
    'refuses %j',
    async (headers) => {
      expectError(await refreshWith(headers as Headed), 'INVALID_REFRESH_TOKEN')
    },
  )
})

describe('POST /api/auth/logout', () => {
  it.each([
    ['the cookie', cookieOf],
    ['the access token', (answer: Answer) => bearer(accessTokenOf(answer))],
  ])('A52 ends the session of %s, and clears the cookie', async (_name, headersOf) => {
    const first = await signedIn()
    const answer = await post(issuer(), 'logout', {}, headersOf(first))
    expectSuccess(answer, 'logout')
    expect(refreshCookieOf(answer)).toMatch(/^TEST_AUTH_SERVER_REFRESH=;.*Expires=Thu, 01 Jan 1970/)
    expectError(await context(accessTokenOf(first)), 'INVALID_TOKEN')
    expectError(await refreshWith(cookieOf(first)), 'INVALID_REFRESH_TOKEN')
    expectSuccess(await post(issuer(), 'logout', {}, cookieOf(first)), 'logout')
  })

  it('A38 signs nobody out by an ID token, or by tokens of two sessions', async () => {
    const [one, other] = [await signedIn(), await signedIn()]
    const mixed = { ...cookieOf(one), ...bearer(accessTokenOf(other)) }
    expectError(await post(issuer(), 'logout', {}, mixed), 'INVALID_REFRESH_TOKEN')
    const [, claims = '', signature = ''] = accessTokenOf(one).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT' })).toString('base64url')
    const asId = bearer(`${header}.${claims}.${signature}`)
    expectError(await post(issuer(), 'logout', {}, asId), 'INVALID_TOKEN')
    for (const session of [one, other])
      expectSuccess(await context(accessTokenOf(session)), 'context')
  })

  it('leaves other sessions of the same account alone', async () => {
    const [one, other] = [await signedIn(), await signedIn()]
    await post(issuer(), 'logout', {}, cookieOf(one))
    expectSuccess(await context(accessTokenOf(other)), 'context')
  })
})
