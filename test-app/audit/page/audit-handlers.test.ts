import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestBrowser, NAVIGATION } from '../../testing/browser.ts'
import type { TestBrowser } from '../../testing/browser.ts'
import { startOpenidProvider } from '../../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../../testing/openid-provider.ts'
import { startTestApp } from '../../testing/running-app.ts'
import type { RunningApp } from '../../testing/running-app.ts'
import { after } from './audit-page.ts'

let provider: TestOpenidProvider
let app: RunningApp
let folder: string

beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(() => provider.stop())
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'))
  app = await startTestApp(provider.issuer, { dataFolder: folder })
})
afterEach(async () => {
  for (const name of Object.keys(provider.faults))
    delete provider.faults[name as keyof typeof provider.faults]
  await app.stop()
  rmSync(folder, { recursive: true })
})

async function signIn(person: Record<string, unknown> = {}, browser = createTestBrowser()) {
  provider.faults.person = person
  const page = await browser.go(`${app.url}/authenticated`)
  expect(page.status).toBe(200)
  return browser
}

async function failToSignIn(browser = createTestBrowser()) {
  provider.faults.authorizeError = { error: 'access_denied' }
  expect((await browser.go(`${app.url}/authenticated`)).status).toBe(403)
  delete provider.faults.authorizeError
  return browser
}

interface Seen {
  sees: string
  next?: string
  stories: {
    flow_id: string
    outcome: string
    way?: string
    sub?: string
    events: ({ event: string } & Record<string, unknown>)[]
  }[]
}

async function seenBy(browser: TestBrowser, query = ''): Promise<Seen> {
  const { status, text } = await browser.open(`${app.url}/audit.json${query}`, { headers: {} })
  expect(status).toBe(200)
  return JSON.parse(text) as Seen
}

const outline = ({ stories }: Seen) => stories.map(({ outcome, sub }) => [outcome, sub])

describe('/audit', () => {
  it('tells the story of a login from its first redirect', async () => {
    const browser = await signIn()
    const { sees, stories } = await seenBy(browser)
    expect(sees).toBe('own')
    expect(stories).toHaveLength(1)
    expect(stories[0]).toMatchObject({ outcome: 'signed_in', way: 'chain', sub: 'testuser' })
    expect(stories[0]?.events.slice(0, 4).map(({ event }) => event)).toEqual([
      'login.started',
      'login.returned',
      'login.code_redeemed',
      'login.finished',
    ])
    const page = await browser.open(`${app.url}/audit`)
    expect(page.status).toBe(200)
    expect(page.text).toContain('The adapter sent the browser back with an authorization code.')
    expect(page.text).toContain(stories[0]?.flow_id)
    const hash = String(stories[0]?.events[1]?.['code_hash'])
    expect(hash).toMatch(/^[0-9a-f]{12}$/)
    expect(page.text).toContain(hash)
  })

  it('shows a person their own logins only, an administrator all', async () => {
    const anna = await signIn({ sub: 'anna' })
    const bert = await signIn({ sub: 'bert' })
    const admin = await signIn({ sub: 'root', authorities: ['ROLE_USER', 'ROLE_ADMIN'] })
    await failToSignIn()
    expect(outline(await seenBy(anna))).toEqual([['signed_in', 'anna']])
    expect(outline(await seenBy(bert))).toEqual([['signed_in', 'bert']])
    const all = await seenBy(admin)
    expect(all.sees).toBe('everything')
    expect(all.stories.map(({ sub }) => sub).toSorted()).toEqual([
      'anna',
      'bert',
      'root',
      undefined,
    ])
    const [hers] = (await seenBy(anna)).stories
    expect(outline(await seenBy(bert, `?flow=${hers?.flow_id}`))).toEqual([])
    expect(outline(await seenBy(admin, `?flow=${hers?.flow_id}`))).toEqual([['signed_in', 'anna']])
    expect((await bert.open(`${app.url}/audit?flow=${hers?.flow_id}`)).text).toContain(
      'There is no such login, or it is not yours.',
    )
  })

  it('shows failed logins to the browser in which they failed, also when nobody is signed in', async () => {
    const browser = await failToSignIn()
    expect(outline(await seenBy(browser))).toEqual([['failed', undefined]])
    expect(outline(await seenBy(createTestBrowser()))).toEqual([])
    const page = await browser.open(`${app.url}/audit`)
    expect(page.text).toContain('access_denied')
    expect(page.text).toContain('You are not signed in')
    await signIn({ sub: 'anna' }, browser)
    expect(outline(await seenBy(browser))).toEqual([
      ['signed_in', 'anna'],
      ['failed', undefined],
    ])
  })

  it('does not show a finished login to whoever uses the browser next', async () => {
    const browser = await signIn({ sub: 'anna' })
    browser.cookies.delete('TEST_APP_SESSION')
    expect(outline(await seenBy(browser))).toEqual([])
    await signIn({ sub: 'bert' }, browser)
    expect(outline(await seenBy(browser))).toEqual([['signed_in', 'bert']])
  })

  it('has pages of twenty logins', async () => {
    const browser = createTestBrowser()
    for (let n = 0; n < 23; n += 1) await browser.open(`${app.url}/sign-in`)
    const first = await seenBy(browser)
    expect(first.stories).toHaveLength(20)
    const page = await browser.open(`${app.url}/audit`)
    const older = /href="(\/audit\?before=\d+)"/.exec(page.text)?.[1]
    expect(first.next).toBe(older?.replace('/audit', '/audit.json'))
    const second = await seenBy(browser, older?.replace('/audit', ''))
    expect([second.stories.length, second.next]).toEqual([3, undefined])
    const flows = [...first.stories, ...second.stories].map((story) => story.flow_id)
    expect(new Set(flows).size).toBe(23)
  })

  it('says so when there is nothing, and ignores parameters that are none', async () => {
    const browser = createTestBrowser()
    const { status, text } = await browser.open(`${app.url}/audit`)
    expect(status).toBe(200)
    expect(text).toContain('There is nothing to show yet.')
    for (const query of ['?flow=%27%3B--', '?before=-1', '?before=1e99', '?flow=a&flow=b'])
      expect((await browser.open(`${app.url}/audit${query}`)).status).toBe(200)
  })

  it('A40 shows what a browser says of itself as text', async () => {
    const browser = createTestBrowser()
    await browser.open(`${app.url}/sign-in`, {
      headers: { ...NAVIGATION, 'user-agent': '<script>alert(1)</script>' },
    })
    const { text } = await browser.open(`${app.url}/audit`)
    expect(text).toContain('&lt;script&gt;alert(1)')
    expect(text).not.toContain('<script>alert')
  })

  it('A43 shows a cookie value, code or token nowhere', async () => {
    const browser = await signIn({ email: 'canary@example.test' })
    const { text } = await browser.open(`${app.url}/audit`)
    const json = JSON.stringify(await seenBy(browser))
    const cookies = browser.setCookies.map((line) => line.split(';')[0]?.split('=')[1] ?? '')
    const secrets = [...provider.secrets, ...cookies.filter((value) => value.length > 8)]
    for (const secret of [...secrets, 'canary@example.test']) {
      expect(text).not.toContain(secret)
      expect(json).not.toContain(secret)
    }
  })

  it('is an error of its own when the trail can not be read', async () => {
    const browser = await signIn()
    const database = new DatabaseSync(path.join(folder, 'test-app.sqlite'))
    database.exec('drop table audit_events')
    database.close()
    const page = await browser.open(`${app.url}/audit`)
    expect([page.status, page.headers['retry-after']]).toEqual([503, '10'])
    expect(page.text).toContain('The audit trail does not answer')
    const json = await browser.open(`${app.url}/audit.json`, { headers: {} })
    expect([json.status, JSON.parse(json.text)]).toEqual([503, { error: 'trail_unavailable' }])
    app.clock.offsetMs = 11_000
    expect((await browser.open(`${app.url}/audit`)).status).toBe(200)
  })
})

describe('after', () => {
  it.each([
    [0, 'at once'],
    [1, '+ 1 ms'],
    [1999, '+ 1 s'],
    [61_000, '+ 1 min'],
    [7_200_000, '+ 2 h'],
    [200_000_000, '+ 2 d'],
  ])('%i ms is %s', (ms, text) => expect(after(ms)).toBe(text))
})
