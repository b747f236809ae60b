// No password, token, cookie, code, e-mail address or body of either way to sign in is in a log of the three, at its most talkative.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askGraphql } from './testing/ask-graphql.ts'
import type { GraphqlField } from './testing/ask-graphql.ts'
import { startWholeChain } from './testing/whole-chain.ts'
import type { WholeChain } from './testing/whole-chain.ts'
import { formOf } from '../adapter/test-support/browser.ts'
import { NAVIGATION, OWN_SCRIPT } from './testing/browser.ts'
import type { Answer, TestBrowser } from './testing/browser.ts'

const CANARY = 'canary-Passw0rd-7731'
const BODY = 'canary-in-a-body-7732'

/** Value → what it is. */
const secrets = new Map<string, string>()
let whole: WholeChain
const folder = mkdtempSync(path.join(tmpdir(), 'test-app-canary-'))

function keep(kind: string, value: string | null | undefined): void {
  if (value === undefined || value === null || value.length < 8) return
  const as = secrets.get(value) ?? kind
  secrets.set(value, as)
  const parts = value.split('.')
  // What of a JWT nobody else could write; the rest of it is no secret.
  if (parts.length === 3) secrets.set(parts[2] as string, as)
}

const TOKENS = /"(\w*[tT]oken)":"([^"]{16,})"/g
const CODES = ['code', 'state', 'nonce', 'id_token_hint']

function keepFrom(browser: TestBrowser, answer: Answer): Answer {
  for (const [, name, value] of answer.text.matchAll(TOKENS)) keep(String(name), value)
  for (const address of [answer.url, ...answer.hops])
    for (const name of CODES) keep(name, new URL(address).searchParams.get(name))
  for (const line of browser.setCookies) {
    const value = line.split(';')[0]?.split('=').slice(1).join('=') ?? ''
    keep('cookie', value)
    keep('cookie', decodeURIComponent(value))
  }
  return answer
}

async function byGateway(): Promise<void> {
  const browser = whole.browser()
  const send = async (path: string, json: unknown, headers = {}) =>
    keepFrom(
      browser,
      await browser.open(`${whole.url}/api/auth/${path}`, {
        json,
        headers: { ...OWN_SCRIPT, ...headers },
      }),
    )
  const logIn = (name: string, password: string, more = {}) =>
    send('login', { email: `${name}@example.test`, password, ...more })
  await logIn('single', CANARY)
  await logIn('single', 'password', { [BODY]: BODY })
  await send('login', BODY)
  await send(`login?password=${CANARY}`, { email: BODY, password: CANARY })
  await send('login', { email: 'single@example.test', password: CANARY.repeat(2000) })
  await logIn('locked', 'password')
  await logIn('single', 'password')
  await send('refresh', {})
  await send('refresh', { refreshToken: BODY })
  const multi = JSON.parse((await logIn('multi', 'password')).text)
  const authorization = `Bearer ${multi.data.auth.accountAccessToken}`
  await send('select-branch', { branchId: BODY }, { authorization })
  const { id: branchId } = multi.data.branches[0]
  const chosen = JSON.parse((await send('select-branch', { branchId }, { authorization })).text)
  const bearer = { authorization: `Bearer ${chosen.data.auth.accessToken}` }
  await browser.open(`${whole.url}/api/auth/context`, { headers: { ...OWN_SCRIPT, ...bearer } })
  await send('logout', {}, { authorization: `Bearer ${BODY}` })
  await send('logout', {})
}

async function byChain(): Promise<void> {
  const browser = whole.browser()
  const start = keepFrom(browser, await browser.go(`${whole.url}/authenticated`))
  const person = { username: 'testuser', password: 'password' }
  const page = keepFrom(browser, await browser.submit(start, person))
  expect(page.url).toBe(`${whole.url}/authenticated`)
  for (const path of ['/', '/api/me', '/authenticated', `/authenticated?token=${CANARY}`])
    keepFrom(browser, await browser.go(whole.url + path))
  const asked = { headers: { ...OWN_SCRIPT, authorization: `Bearer ${CANARY}.${BODY}` } }
  await browser.open(`${whole.url}/api/me`, asked)
  const form = await browser.go(`${whole.url}/logout`)
  const { fields } = formOf({ body: form.text, url: new URL(form.url) })
  const own = { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }
  const everywhere = { ...fields, where: 'adapter' }
  keepFrom(browser, await browser.go(form.url, { form: everywhere, headers: own }))
  const other = whole.browser()
  const login = await other.go(`${whole.url}/authenticated`)
  keepFrom(other, await other.submit(login, { username: 'testuser', password: CANARY }))
}

async function byForm(): Promise<void> {
  const browser = whole.browser()
  const ask = async (field: GraphqlField, variables: Record<string, string> = {}) => {
    const answer = await askGraphql(browser, whole.url, field, variables)
    keepFrom(browser, { ...answer, url: whole.url, location: undefined, hops: [] })
    return answer
  }
  const login = (name: string, password = 'password') =>
    ask('login', { email: `${name}@example.test`, password })
  await login('single', CANARY)
  await ask('login', { email: BODY, password: CANARY })
  await login('multi')
  await ask('selectBranch', { branchId: BODY })
  const { result } = await login('multi')
  const [branch] = result['branches'] as { id: string }[]
  await ask('selectBranch', { branchId: branch?.id ?? '' })
  await ask('me')
  const before = new Map(browser.cookies)
  await ask('refresh')
  browser.cookies.delete('TEST_APP_ACCESS')
  await ask('me')
  await ask('logout')
  for (const [name, value] of before) browser.cookies.set(name, value)
  await ask('refresh')
  browser.cookies.set('TEST_APP_ACCESS', `${CANARY}.${BODY}.${CANARY}`)
  browser.cookies.set('TEST_APP_REFRESH', BODY)
  await ask('me')
  await login('single')
}

beforeAll(async () => {
  whole = await startWholeChain({
    logLevel: 'trace',
    config: { trusted_proxies: ['127.0.0.1'] },
    app: { dataFolder: folder },
  })
  await byGateway()
  await byChain()
  await byForm()
  for (const value of [CANARY, BODY]) keep('canary', value)
  for (const name of ['single', 'multi', 'locked']) keep('address', `${name}@example.test`)
})
afterAll(async () => {
  await whole.close()
  rmSync(folder, { recursive: true })
})

const logs = () => ({
  'test-app': whole.log.text,
  adapter: whole.chain.logLines.join(''),
  upstream: whole.chain.upstreamLogLines.join(''),
})

describe('A43 canaries through the gateway and the chain', () => {
  it('there is one of each kind, and what was done is in all three logs', () => {
    expect(new Set(secrets.values())).toEqual(
      new Set([
        'accessToken',
        'accountAccessToken',
        'refreshToken',
        'id_token_hint',
        'address',
        'canary',
        'code',
        'cookie',
        'nonce',
        'state',
      ]),
    )
    expect(logs()['test-app']).toContain('"event":"gateway.forwarded"')
    expect(logs()['test-app']).toContain('"event":"login.finished"')
    expect(logs()['test-app']).toContain('"event":"token_login.refreshed"')
    expect(logs().adapter).toContain('"event":"token.issued"')
    expect(logs().upstream).toContain('"event":"identity.branch_selected"')
  })

  it.each(['test-app', 'adapter', 'upstream'] as const)('none is in the log of the %s', (name) => {
    for (const line of logs()[name].split('\n')) {
      const found = [...secrets].filter(
        ([secret]) => line.includes(secret) || line.includes(encodeURIComponent(secret)),
      )
      expect([found.map(([, kind]) => kind), line]).toEqual([[], line])
    }
  })
  it('none is in the files of the app', () => {
    const files = readdirSync(folder).filter((name) => name.startsWith('test-app.sqlite'))
    const bytes = files.map((name) => readFileSync(path.join(folder, name), 'latin1')).join('')
    expect(bytes.includes('login.finished')).toBe(true)
    const found = [...secrets].filter(([secret]) => bytes.includes(secret))
    expect(found.map(([, kind]) => kind)).toEqual([])
  })
})
