import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { useClock } from '../../../adapter/test-support/use-chain.ts'
import { adapterToken } from '../../testing/adapter-tokens.ts'
import { askGraphql } from '../../testing/ask-graphql.ts'
import type { GraphqlAnswer, GraphqlField } from '../../testing/ask-graphql.ts'
import type { TestBrowser } from '../../testing/browser.ts'
import { startTestApp } from '../../testing/running-app.ts'
import { startWholeChain } from '../../testing/whole-chain.ts'
import type { WholeChain } from '../../testing/whole-chain.ts'

let whole: WholeChain
let browser: TestBrowser
const clock = useClock()

beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())
beforeEach(() => {
  browser = whole.browser()
})

type Variables = Readonly<Record<string, string>>
const ask = (field: GraphqlField, variables?: Variables, from = browser): Promise<GraphqlAnswer> =>
  askGraphql(from, whole.url, field, variables)
const login = (name: string, password = 'password', from = browser): Promise<GraphqlAnswer> =>
  ask('login', { email: `${name}@example.test`, password }, from)
const select = (branchId: string, from = browser): Promise<GraphqlAnswer> =>
  ask('selectBranch', { branchId }, from)

const tokenCookies = (from = browser): string[] =>
  ['TEST_APP_ACCESS', 'TEST_APP_REFRESH'].filter((name) => from.cookies.has(name))
const branchesOf = ({ result }: GraphqlAnswer): { id: string; name: string }[] =>
  result['branches'] as { id: string; name: string }[]

/** Another browser with the same cookies, as somebody has who took them. */
function copyOf(original: TestBrowser): TestBrowser {
  const copy = whole.browser()
  for (const [name, value] of original.cookies) copy.cookies.set(name, value)
  return copy
}

describe('login of somebody in one branch', () => {
  it('answers with who it is, and with cookies that no script can read', async () => {
    const answer = await login('single')
    expect(answer.status).toBe(200)
    expect(answer.result).toMatchObject({
      __typename: 'SignedIn',
      code: 'SIGNED_IN',
      me: { subject: 'testuser', authorities: ['ROLE_USER'], via: 'COOKIE' },
    })
    for (const name of ['TEST_APP_ACCESS', 'TEST_APP_REFRESH']) {
      const line = browser.setCookies.find((set) => set.startsWith(`${name}=`))
      expect(line).toMatch(/; Path=\/;.*; HttpOnly; SameSite=Lax$/)
      const value = browser.cookies.get(name) ?? ''
      expect(value.split('.')).toHaveLength(3)
      expect(answer.text).not.toContain(value)
    }
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('makes the next request one of that person', async () => {
    await login('single')
    const me = await ask('me')
    expect(me).toMatchObject({ status: 200, result: { subject: 'testuser', via: 'COOKIE' } })
    const clients = await ask('clients')
    expect(clients.result).toEqual(['client'])
  })

  it('takes the place of who was signed in by the chain', async () => {
    await whole.signIn(browser, 'ada')
    expect((await ask('me')).result).toMatchObject({ subject: 'user-0002', via: 'SESSION' })
    const chain = copyOf(browser)
    await login('single')
    expect((await ask('me')).result).toMatchObject({ subject: 'testuser', via: 'COOKIE' })
    expect(browser.cookies.has('TEST_APP_SESSION')).toBe(false)
    expect((await ask('me', {}, chain)).status).toBe(401)
    const [end] = whole.events('audit.session.ended').filter(({ sub }) => sub === 'user-0002')
    expect(end).toMatchObject({ way: 'chain', failure: 'replaced' })
    expect(end?.['flow_id']).toBe(whole.events('audit.login.finished').at(-2)?.['flow_id'])
  })

  it('that is refused leaves who was signed in before', async () => {
    await login('single')
    const refused = await login('single', 'wrong')
    expect(refused.result['code']).toBe('INVALID_CREDENTIALS')
    expect((await ask('me')).result).toMatchObject({ subject: 'testuser' })
  })
})

describe('login of somebody in several branches', () => {
  it('asks for the branch, and signs nobody in before', async () => {
    const answer = await login('multi')
    expect(answer.result).toMatchObject({
      __typename: 'BranchChoice',
      code: 'SELECT_BRANCH',
      redirectTo: '/select-branch',
    })
    expect(branchesOf(answer)).toHaveLength(3)
    expect(tokenCookies()).toEqual([])
    expect(answer.text).not.toMatch(/eyJ/)
    expect((await ask('me')).status).toBe(401)
    const open = await ask('branchChoice')
    expect(open.result).toMatchObject({ code: 'SELECT_BRANCH', redirectTo: '/select-branch' })
    expect(branchesOf(open)).toHaveLength(3)
  })

  it('is finished by the choice', async () => {
    const [, second] = branchesOf(await login('multi'))
    const answer = await select(second?.id ?? '')
    expect(answer.result).toMatchObject({
      code: 'SIGNED_IN',
      me: { subject: 'user-multi', via: 'COOKIE' },
    })
    expect(tokenCookies()).toHaveLength(2)
    expect((await ask('branchChoice')).text).toBe('{"data":{"branchChoice":null}}')
  })

  it('A52 a choice that was made can not be replayed', async () => {
    const [first, second] = branchesOf(await login('multi'))
    const thief = copyOf(browser)
    await select(first?.id ?? '')
    const replayed = await select(second?.id ?? '', thief)
    expect(replayed.result).toMatchObject({ code: 'BRANCH_ALREADY_SELECTED' })
    expect(tokenCookies(thief)).toEqual([])
    expect((await ask('branchChoice', {}, thief)).text).toContain('null')
    const again = await select(first?.id ?? '')
    expect(again.result).toMatchObject({ code: 'NO_BRANCH_CHOICE' })
    expect((await ask('me')).result).toMatchObject({ subject: 'user-multi' })
  })

  it('of two choices at once one is made', async () => {
    const branches = branchesOf(await login('multi'))
    const tabs = branches.map(({ id }) => ({ id, tab: copyOf(browser) }))
    const answers = await Promise.all(tabs.map(({ id, tab }) => select(id, tab)))
    const codes = answers.map(({ result }) => result['code'])
    expect(codes.toSorted()).toEqual([
      'BRANCH_ALREADY_SELECTED',
      'BRANCH_ALREADY_SELECTED',
      'SIGNED_IN',
    ])
    expect(tabs.filter(({ tab }) => tokenCookies(tab).length > 0)).toHaveLength(1)
  })

  it('stays open after a branch of somebody else was named', async () => {
    const [first] = branchesOf(await login('multi'))
    for (const branchId of ['br-of-nobody', '', 'x'.repeat(300)]) {
      const { result } = await select(branchId)
      expect(result['code']).toMatch(/^(BRANCH_NOT_ALLOWED|VALIDATION_ERROR)$/)
    }
    expect((await select(first?.id ?? '')).result['code']).toBe('SIGNED_IN')
  })

  it('belongs to the browser that began it, for ten minutes', async () => {
    const [first] = branchesOf(await login('multi'))
    const other = whole.browser()
    expect((await select(first?.id ?? '', other)).result['code']).toBe('NO_BRANCH_CHOICE')
    other.cookies.set('TEST_APP_BRANCH_CHOICE', 'A'.repeat(43))
    expect((await select(first?.id ?? '', other)).result['code']).toBe('NO_BRANCH_CHOICE')
    clock.advance(10 * 60 + 1)
    expect((await select(first?.id ?? '')).result['code']).toBe('NO_BRANCH_CHOICE')
    expect((await ask('branchChoice')).text).toContain('null')
  })

  it('outlives a restart of this app', async () => {
    const [first] = branchesOf(await login('multi'))
    await whole.app.restart()
    expect((await select(first?.id ?? '')).result['code']).toBe('SIGNED_IN')
  })

  it('is over at a sign-out, here and at the identity service', async () => {
    const [first] = branchesOf(await login('multi'))
    const thief = copyOf(browser)
    expect((await ask('logout')).result).toMatchObject({ message: 'You are signed out.' })
    expect(browser.cookies.has('TEST_APP_BRANCH_CHOICE')).toBe(false)
    expect((await select(first?.id ?? '', thief)).result['code']).toBe('NO_BRANCH_CHOICE')
  })
})

describe('a login that is refused', () => {
  it.each([
    ['single', 'wrong', 'INVALID_CREDENTIALS'],
    ['nobody-of-this-name', 'password', 'INVALID_CREDENTIALS'],
    ['locked', 'password', 'ACCOUNT_LOCKED'],
    ['disabled', 'password', 'ACCOUNT_DISABLED'],
    ['workspace-disabled', 'password', 'WORKSPACE_DISABLED'],
    ['member-disabled', 'password', 'MEMBER_DISABLED'],
    ['no-branch', 'password', 'BRANCH_CONTEXT_REQUIRED'],
    ['system', 'password', 'SYSTEM_ACCOUNT'],
  ])('%s with %s: %s', async (name, password, code) => {
    const answer = await login(name, password)
    expect(answer.status).toBe(200)
    expect(answer.result).toMatchObject({ __typename: 'Refusal', code, fields: [] })
    expect(answer.result['message']).toMatch(/^[A-Z].*\.$/)
    expect(answer.result['requestId']).toBe(answer.headers['x-request-id'])
    expect(tokenCookies()).toEqual([])
  })

  it('says which field is wrong', async () => {
    const { result } = await ask('login', { email: 'no address', password: '' })
    expect(result['code']).toBe('VALIDATION_ERROR')
    expect(result['fields']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ field: 'email' }),
        expect.objectContaining({ field: 'password' }),
      ]),
    )
  })

  it('ten times locks the account for this address, and says for how long', async () => {
    for (let attempt = 0; attempt < 10; attempt++) await login('lock-me', 'wrong')
    const { result } = await login('lock-me')
    expect(result['code']).toBe('ACCOUNT_LOCKED')
    expect(result['retryAfterSeconds']).toBeGreaterThan(600)
    expect((await login('single')).result['code']).toBe('SIGNED_IN')
  })

  it.each(['single', 'multi'])(
    'says so where the store takes nothing, and the story of %s has its end',
    async (name) => {
      const dataFolder = mkdtempSync(path.join(tmpdir(), 'login-'))
      await whole.app.restart({ dataFolder })
      const other = new DatabaseSync(path.join(dataFolder, 'test-app.sqlite'))
      other.exec('begin immediate')
      expect((await login(name)).result).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        requestId: expect.any(String),
      })
      expect(tokenCookies()).toEqual([])
      const { failure } = whole.events('audit.login.failed').at(-1) ?? {}
      expect(failure).toBe('STORE_UNAVAILABLE')
      other.close()
      expect((await login(name)).result['code']).toMatch(/^(SIGNED_IN|SELECT_BRANCH)$/)
      await whole.app.restart()
      rmSync(dataFolder, { recursive: true })
    },
  )

  it('A30 is refused by its size where it is too large for the identity service', async () => {
    const { result } = await login('single', 'x'.repeat(20_000))
    expect(result['code']).toMatch(/^(PAYLOAD_TOO_LARGE|VALIDATION_ERROR)$/)
  })

  it.each([
    ['the identity service', 'IDENTITY_UNAVAILABLE', { identityUrl: 'http://127.0.0.1:1' }],
    ['the adapter', 'ADAPTER_UNAVAILABLE', { issuer: 'http://127.0.0.1:1' }],
    // The adapter knows no resource of an app that listens there.
    ['what the adapter has to be told', 'EXCHANGE_REFUSED', {}],
  ])('when %s is missing: %s', async (_what, code, change) => {
    const { issuer, identityUrl } = whole
    const app = await startTestApp(issuer, { identityUrl, ...change })
    try {
      const email = 'single@example.test'
      const answer = await askGraphql(browser, app.url, 'login', { email, password: 'password' })
      expect(answer.result).toMatchObject({ __typename: 'Refusal', code })
      expect(tokenCookies()).toEqual([])
      expect(app.log.text).not.toContain('graphql.failed')
    } finally {
      await app.stop()
    }
  })
})

describe('refresh and logout', () => {
  const refreshes = () =>
    whole.events('gateway.forwarded').filter(({ path }) => path === '/api/auth/refresh').length

  it('without anybody: 401 with a challenge and the way to sign in', async () => {
    for (const field of ['me', 'clients'] as const) {
      const answer = await ask(field)
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(answer.errors).toEqual([
        expect.objectContaining({
          message: 'Nobody is signed in.',
          extensions: { code: 'UNAUTHENTICATED', login_url: '/login.html' },
        }),
      ])
    }
    expect((await ask('refresh')).result['code']).toBe('REFRESH_REFUSED')
    expect((await ask('logout')).result).toMatchObject({
      code: 'SIGNED_OUT',
      message: 'Nobody was signed in.',
    })
  })

  it('refresh gives other cookies, and the same person', async () => {
    await login('single')
    const before = browser.cookies.get('TEST_APP_REFRESH')
    const { result } = await ask('refresh')
    expect(result).toMatchObject({ code: 'SIGNED_IN', me: { subject: 'testuser' } })
    expect(browser.cookies.get('TEST_APP_REFRESH')).not.toBe(before)
    expect((await ask('me')).status).toBe(200)
  })

  it.each(['me', 'refresh', 'logout'] as const)(
    'an access token that is over is refreshed once for %s',
    async (field) => {
      await login('single')
      const old = browser.cookies.get('TEST_APP_ACCESS')
      const before = refreshes()
      clock.advance(301)
      const answer = await ask(field)
      expect([answer.status, answer.errors]).toEqual([200, []])
      expect(refreshes()).toBe(before + 1)
      expect(browser.cookies.get('TEST_APP_ACCESS')).not.toBe(old)
      expect((await ask('me')).status).toBe(field === 'logout' ? 401 : 200)
    },
  )

  it('ten at once are one refresh, and all go on', async () => {
    await login('single')
    const tabs = Array.from({ length: 10 }, () => copyOf(browser))
    const before = refreshes()
    const answers = await Promise.all(tabs.map((tab) => ask('refresh', {}, tab)))
    expect(answers.map(({ result }) => result['code'])).toEqual(tabs.map(() => 'SIGNED_IN'))
    expect(refreshes()).toBe(before + 1)
    const cookies = tabs.map((tab) => tab.cookies.get('TEST_APP_REFRESH'))
    expect(new Set(cookies).size).toBe(1)
    for (const tab of tabs) expect((await ask('me', {}, tab)).status).toBe(200)
  })

  it('logout ends the sign-in for whoever has its cookies', async () => {
    await login('single')
    const thief = copyOf(browser)
    expect((await ask('logout')).result['code']).toBe('SIGNED_OUT')
    expect(tokenCookies()).toEqual([])
    expect((await ask('me')).status).toBe(401)
    expect((await ask('refresh', {}, thief)).result['code']).toBe('REFRESH_REFUSED')
  })

  it('logout ends a session of the chain in this app', async () => {
    await whole.signIn(browser)
    expect((await ask('me')).result).toMatchObject({ via: 'SESSION' })
    expect((await ask('refresh')).result).toMatchObject({ code: 'SIGNED_IN' })
    const thief = copyOf(browser)
    expect((await ask('logout')).result).toMatchObject({ message: 'You are signed out.' })
    expect((await ask('me', {}, thief)).status).toBe(401)
  })

  it('while the adapter is away nobody is told to sign in again', async () => {
    await whole.signIn(browser)
    const form = whole.browser()
    await login('single', 'password', form)
    await whole.app.restart({ issuer: 'http://127.0.0.1:1' })
    for (const tab of [browser, form]) {
      const me = await ask('me', {}, tab)
      expect([me.status, me.errors[0]?.extensions]).toEqual([503, { code: 'ADAPTER_UNAVAILABLE' }])
      expect((await ask('refresh', {}, tab)).result['code']).toBe('ADAPTER_UNAVAILABLE')
    }
    await whole.app.restart()
    for (const tab of [browser, form]) expect((await ask('me', {}, tab)).status).toBe(200)
  })

  it('a token in the header can be asked who it is, and nothing else', async () => {
    await login('single')
    const authorization = `Bearer ${browser.cookies.get('TEST_APP_ACCESS')}`
    const program = whole.browser()
    const by = (field: GraphqlField) =>
      askGraphql(program, whole.url, field, {}, { headers: { authorization } })
    expect((await by('me')).result).toMatchObject({ subject: 'testuser', via: 'BEARER' })
    expect((await by('refresh')).result['code']).toBe('BEARER_TOKEN')
    expect((await by('logout')).result['code']).toBe('BEARER_TOKEN')
  })
})

describe('a page of another origin', () => {
  it.each([
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    { origin: 'https://evil.example' },
  ])('can neither sign anybody in nor out: %j', async (headers) => {
    await login('single')
    for (const field of ['logout', 'refresh'] as const)
      expect((await askGraphql(browser, whole.url, field, {}, { headers })).status).toBe(403)
    const victim = whole.browser()
    const variables = { email: 'single@example.test', password: 'password' }
    const forged = await askGraphql(victim, whole.url, 'login', variables, { headers })
    expect([forged.status, tokenCookies(victim)]).toEqual([403, []])
    expect(forged.errors[0]?.extensions).toEqual({ code: 'CROSS_ORIGIN' })
    expect((await ask('me')).status).toBe(200)
  })
})

describe('another method than POST', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    '%s is 405 for everybody',
    async (method) => {
      for (const authorization of [undefined, `Bearer ${await adapterToken(whole)}`]) {
        const headers = authorization === undefined ? {} : { authorization }
        const answer = await fetch(`${whole.url}/graphql`, { method, headers })
        expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
      }
    },
  )
})

describe('what is said of it', () => {
  it('A43 no password, token, cookie or address of a person is in the log', async () => {
    const password = 'canary-7f3e1a-password'
    await login('single', password)
    await login('single')
    await ask('refresh')
    const secrets = [...browser.cookies.values()].filter((value) => value.length > 30)
    const [first] = branchesOf(await login('multi'))
    secrets.push(browser.cookies.get('TEST_APP_BRANCH_CHOICE') ?? 'missing')
    await select(first?.id ?? '')
    secrets.push(...[...browser.cookies.values()].filter((value) => value.length > 30))
    await ask('logout')
    for (const secret of [password, 'single@example.test', 'multi@example.test', ...secrets])
      expect(whole.log.text).not.toContain(secret)
  })

  it('each login is one story', async () => {
    const said = () => whole.log.text.length
    const from = said()
    const [first] = branchesOf(await login('multi'))
    await select(first?.id ?? '')
    const lines = whole.log.text
      .slice(from)
      .split('\n')
      .filter((line) => line.includes('"event":"audit.'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ event }) => event)).toEqual([
      'audit.login.started',
      'audit.login.password_accepted',
      'audit.login.branch_asked',
      'audit.login.branch_chosen',
      'audit.login.token_exchanged',
      'audit.login.finished',
    ])
    expect(new Set(lines.map(({ flow_id }) => flow_id)).size).toBe(1)
    expect(lines.at(-1)).toMatchObject({
      sub: 'user-multi',
      way: 'form',
      aud: ['client'],
      email_hash: expect.stringMatching(/^[\w-]{22}$/) as string,
      token_hash: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      address: '127.0.0.1',
    })
  })

  it('and a login that fails says why', async () => {
    const before = whole.events('audit.login.failed').length
    await login('disabled')
    expect(whole.events('audit.login.failed').slice(before)).toEqual([
      expect.objectContaining({ failure: 'ACCOUNT_DISABLED', way: 'form' }),
    ])
  })
})
