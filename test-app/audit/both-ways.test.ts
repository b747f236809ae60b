import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askGraphql } from '../testing/ask-graphql.ts'
import type { GraphqlAnswer } from '../testing/ask-graphql.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain
let folder: string
let browser: TestBrowser

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'both-ways-'))
  whole = await startWholeChain({ app: { dataFolder: folder } })
})
afterAll(async () => {
  await whole.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  browser = whole.browser()
  whole.clock.offsetMs = 0
})

const login = (name: string, password = 'password'): Promise<GraphqlAnswer> =>
  askGraphql(browser, whole.url, 'login', { email: `${name}@example.test`, password })
const ask = (field: 'refresh' | 'logout', from = browser) => askGraphql(from, whole.url, field)

interface Story {
  flow_id: string
  outcome: string
  way: string
  sub?: string
  events: ({ event: string } & Record<string, unknown>)[]
}

async function stories(from = browser): Promise<Story[]> {
  const { status, text } = await from.open(`${whole.url}/audit.json`, { headers: {} })
  expect(status).toBe(200)
  return (JSON.parse(text) as { stories: Story[] }).stories
}

const names = (story: Story | undefined) => story?.events.map(({ event }) => event)
const storyOf = async (flow: string | undefined, from: TestBrowser) =>
  (await stories(from)).find(({ flow_id }) => flow_id === flow)

describe('the story of a login', () => {
  it('by way of the chain: from the first redirect to the page that was asked for', async () => {
    await whole.signIn(browser)
    const [story] = await stories()
    expect(names(story)).toEqual([
      'login.started',
      'login.returned',
      'login.code_redeemed',
      'login.finished',
      'login.landed',
    ])
    expect(story).toMatchObject({ outcome: 'signed_in', way: 'chain', sub: 'testuser' })
    expect(story?.events[3]).toMatchObject({
      aud: ['client'],
      code_hash: story?.events[1]?.['code_hash'],
      token_hash: story?.events[4]?.['token_hash'],
      address: '127.0.0.1',
    })
  })

  it('with the form: from the password to the home page, refreshes and the sign-out', async () => {
    await login('single')
    await browser.open(`${whole.url}/`)
    await ask('refresh')
    const [story] = await stories()
    expect(names(story)).toEqual([
      'login.started',
      'login.password_accepted',
      'login.token_exchanged',
      'login.finished',
      'login.landed',
      'tokens.refreshed',
    ])
    expect(story).toMatchObject({ outcome: 'signed_in', way: 'form', sub: 'testuser' })
    expect(story?.events[3]).toMatchObject({
      aud: ['client'],
      email_hash: expect.stringMatching(/^[\w-]{22}$/) as string,
      token_hash: story?.events[4]?.['token_hash'],
      address: '127.0.0.1',
    })
    expect(story?.events[5]?.['token_hash']).not.toBe(story?.events[4]?.['token_hash'])
    await ask('logout')
    expect(await stories()).toEqual([])
    await whole.signIn(browser)
    const after = await storyOf(story?.flow_id, browser)
    expect(after?.outcome).toBe('signed_out')
    expect(names(after)?.at(-1)).toBe('logout.here')
  })

  it('tells of the branch that was chosen', async () => {
    const answer = await login('multi')
    const [branch] = answer.result['branches'] as { id: string }[]
    await askGraphql(browser, whole.url, 'selectBranch', { branchId: branch?.id ?? '' })
    const [story] = await stories()
    expect(names(story)).toEqual([
      'login.started',
      'login.password_accepted',
      'login.branch_asked',
      'login.branch_chosen',
      'login.token_exchanged',
      'login.finished',
    ])
    expect(story?.events[2]).toMatchObject({ branches: 3 })
    expect(story?.events[3]).toMatchObject({ branch: branch?.id })
  })

  it('tells who could not sign in why, in that browser only', async () => {
    await login('single', 'wrong')
    await login('disabled')
    const failed = await stories()
    expect(failed.map(({ outcome, sub }) => [outcome, sub])).toEqual([
      ['failed', undefined],
      ['failed', undefined],
    ])
    expect(failed.map(({ events }) => events.at(-1)?.['failure'])).toEqual([
      'ACCOUNT_DISABLED',
      'INVALID_CREDENTIALS',
    ])
    expect(await stories(whole.browser())).toEqual([])
  })

  it('ends where another sign-in takes its place', async () => {
    await login('single')
    const [first] = await stories()
    await login('single')
    const [second, before] = await stories()
    expect(second?.flow_id).not.toBe(first?.flow_id)
    expect([before?.flow_id, before?.outcome]).toEqual([first?.flow_id, 'signed_out'])
    expect(before?.events.at(-1)).toMatchObject({ event: 'session.ended', failure: 'replaced' })
  })

  it('ends where the chain takes its place, and the other way round', async () => {
    await login('single')
    await whole.signIn(browser, 'testuser', '/sign-in')
    const [chain, form] = await stories()
    expect([chain?.outcome, form?.outcome]).toEqual(['signed_in', 'signed_out'])
    expect(form?.events.at(-1)).toMatchObject({ event: 'session.ended', failure: 'replaced' })
    await login('single')
    const replaced = await storyOf(chain?.flow_id, browser)
    expect(replaced?.events.at(-1)).toMatchObject({ event: 'session.ended', failure: 'replaced' })
  })

  it('ends where somebody else, or the same person, comes by way of the chain', async () => {
    await whole.signIn(browser)
    const [first] = await stories()
    await browser.go(`${whole.url}/sign-in`)
    const [second, before] = await stories()
    expect(before?.flow_id).toBe(first?.flow_id)
    expect([second?.outcome, before?.outcome]).toEqual(['signed_in', 'signed_out'])
    expect(before?.events.at(-1)).toMatchObject({ event: 'session.ended', failure: 'replaced' })
  })

  it('ends with a refresh token that comes again', async () => {
    await login('single')
    const [{ flow_id: flow } = { flow_id: '' }] = await stories()
    const thief = whole.browser()
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value)
    await ask('refresh')
    whole.clock.offsetMs = 11_000
    expect((await ask('refresh', thief)).result['code']).toBe('REFRESH_REFUSED')
    const owner = whole.browser()
    whole.clock.offsetMs = 0
    await whole.signIn(owner)
    const story = await storyOf(flow, owner)
    expect(names(story)).toContain('tokens.reused')
    expect(story?.outcome).toBe('signed_out')
  })

  it('is one event each, login.finished, for logins that come together', async () => {
    const browsers = [1, 2, 3, 4].map(() => whole.browser())
    const before = whole.events('audit.login.finished').length
    await Promise.all(
      browsers.map((one) =>
        askGraphql(one, whole.url, 'login', {
          email: 'single@example.test',
          password: 'password',
        }),
      ),
    )
    const lines = whole.events('audit.login.finished').slice(before)
    expect(lines).toHaveLength(4)
    expect(new Set(lines.map((line) => line['flow_id'])).size).toBe(4)
    for (const line of lines)
      expect(line).toMatchObject({ sub: 'testuser', aud: ['client'], address: '127.0.0.1' })
  })

  it('is seen by administrators, whoever it is of', async () => {
    await login('multi')
    await whole.signIn(browser, 'ada')
    const people = new Set((await stories()).map(({ sub }) => sub))
    expect(people.has('user-0002')).toBe(true)
    expect(people.size).toBeGreaterThan(2)
  })

  it('A43 has no password, e-mail address, token, cookie or code in it, in no file and no line', async () => {
    await login('single', 'canary-wrong-password')
    await login('single')
    await ask('refresh')
    await ask('logout')
    await whole.signIn(browser)
    const files = readdirSync(folder, { recursive: true })
      .map((name) => path.join(folder, String(name)))
      .map((name) => readFileSync(name, 'latin1'))
      .join('')
    const page = await browser.open(`${whole.url}/audit`)
    expect(page.text).toContain('login.finished')
    const cookies = browser.setCookies.map(
      (line) => line.slice(line.indexOf('=') + 1).split(';')[0],
    )
    const secrets = ['canary-wrong-password', 'single@example.test', ...cookies]
    for (const secret of secrets.filter((text) => (text?.length ?? 0) > 8)) {
      expect(files).not.toContain(secret)
      expect(whole.log.text).not.toContain(secret)
      expect(page.text).not.toContain(secret)
    }
    expect(page.text).not.toMatch(/eyJ[\w-]{10}/)
  })
})
