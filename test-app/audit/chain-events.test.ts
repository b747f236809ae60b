import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestBrowser, NAVIGATION } from '../testing/browser.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { openTrailStore } from './trail/trail-store.ts'

const CALLBACK = '/login/oauth2/code/auth-adapter'
const EMAIL = 'Anna.Canary@example.test'

let provider: TestOpenidProvider
let app: RunningApp
let folder: string

beforeAll(async () => {
  provider = await startOpenidProvider()
})
afterAll(() => provider.stop())
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'trail-'))
  app = await startTestApp(provider.issuer, { dataFolder: folder })
})
afterEach(async () => {
  for (const name of Object.keys(provider.faults))
    delete provider.faults[name as keyof typeof provider.faults]
  await app.stop()
  rmSync(folder, { recursive: true })
})

function stories() {
  const store = openTrailStore({
    file: path.join(folder, 'test-app.sqlite'),
    app: 'TEST_APP_SESSION',
    now: Date.now,
  })
  const events = store.read({ isAll: true, subject: undefined, browser: undefined, limit: 100 })
  store.close()
  return [...Map.groupBy(events, ({ flowId }) => flowId).values()]
}

const names = () => stories().map((events) => events.map(({ event }) => event))
const signOut = async (browser: ReturnType<typeof createTestBrowser>, where: string) => {
  const { text } = await browser.open(`${app.url}/logout`)
  const token = /name="form_token" value="([\w-]+)"/.exec(text)?.[1] ?? ''
  return browser.go(`${app.url}/logout`, {
    form: { form_token: token, where },
    headers: { ...NAVIGATION, 'sec-fetch-site': 'same-origin' },
  })
}

describe('the trail of a login by way of the chain', () => {
  it('has one story from the first redirect to the sign-out', async () => {
    provider.faults.idTokenClaims = { email: EMAIL }
    const browser = createTestBrowser()
    await browser.go(`${app.url}/authenticated?tab=1`, {
      headers: { ...NAVIGATION, 'user-agent': 'Canary/1.0 \u00e4' },
    })
    const [events = []] = stories()
    expect(events.map(({ event }) => event)).toEqual([
      'login.started',
      'login.returned',
      'login.code_redeemed',
      'login.finished',
      'login.landed',
    ])
    expect(new Set(events.map(({ subject }) => subject))).toEqual(new Set(['testuser']))
    expect(events[0]?.fields).toEqual({
      way: 'chain',
      client_id: 'client',
      issuer: provider.issuer,
      path: '/authenticated',
      address: '127.0.0.1',
      user_agent: 'Canary/1.0 ?',
      request_id: expect.stringMatching(/^[\w-]{16}$/) as string,
    })
    expect(events[4]?.fields).toMatchObject({
      path: '/authenticated',
      token_hash: events[3]?.fields['token_hash'],
      address: '127.0.0.1',
    })
    expect(events[3]?.fields).toEqual({
      way: 'chain',
      aud: ['client'],
      code_hash: events[1]?.fields['code_hash'],
      token_hash: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
      email_hash: expect.stringMatching(/^[\w-]{22}$/) as string,
      duration_ms: expect.any(Number) as number,
      expires_in_seconds: expect.closeTo(300, -1) as number,
      address: '127.0.0.1',
      request_id: expect.stringMatching(/^[\w-]{16}$/) as string,
    })
    await signOut(browser, 'adapter')
    expect(names()[0]?.slice(5)).toEqual(['logout.adapter', 'logout.returned'])
    expect(stories()).toHaveLength(1)
  })

  it('says which page was the first, once, whatever is opened after it', async () => {
    const browser = createTestBrowser()
    await browser.go(`${app.url}/sign-in?return_to=/`)
    for (const path of ['/authenticated', '/', '/nowhere']) await browser.open(app.url + path)
    await app.restart()
    await browser.open(`${app.url}/authenticated`)
    const landed = stories()
      .flat()
      .filter(({ event }) => event === 'login.landed')
    expect(landed.map(({ fields }) => fields['path'])).toEqual(['/'])
  })

  it('tells of refreshes, once for requests that come together, and of the one that ended it', async () => {
    provider.faults.refreshTokens = true
    const browser = createTestBrowser()
    await browser.go(`${app.url}/authenticated`)
    app.clock.offsetMs = 280_000
    await Promise.all([1, 2, 3].map(() => browser.open(`${app.url}/authenticated`)))
    expect(names()[0]?.slice(5)).toEqual(['tokens.refreshed'])
    provider.faults.tokenStatus = 503
    app.clock.offsetMs = 580_000
    await browser.open(`${app.url}/authenticated`)
    expect(names()[0]?.slice(6)).toEqual(['tokens.refresh_failed'])
    delete provider.faults.tokenStatus
    provider.faults.tokenError = { status: 400, error: 'invalid_grant' }
    await browser.open(`${app.url}/authenticated`)
    expect(names().flat()).toContain('session.ended')
    const [over] = stories().filter((events) =>
      events.some(({ event }) => event === 'session.ended'),
    )
    expect(over?.at(-1)).toMatchObject({ fields: { failure: 'code_refused' }, subject: 'testuser' })
  })

  it('says each event in the log too, with its flow', async () => {
    await createTestBrowser().go(`${app.url}/authenticated`)
    const lines = app.log.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const finished = lines.filter(({ event }) => event === 'audit.login.finished')
    expect(finished).toHaveLength(1)
    expect(finished[0]).toMatchObject({
      sub: 'testuser',
      aud: ['client'],
      flow_id: stories()[0]?.[0]?.flowId,
    })
  })

  it('tells of a login once, however often the browser sends its callback', async () => {
    const browser = createTestBrowser()
    const start = await browser.open(`${app.url}/authenticated`)
    const back = await browser.open(start.location ?? '')
    await Promise.all([1, 2, 3].map(() => browser.open(back.location ?? '')))
    await browser.go(back.location ?? '')
    expect(
      names()
        .flat()
        .filter((name) => name === 'login.finished'),
    ).toHaveLength(1)
    expect(app.log.text.match(/"audit\.login\.finished"/g)).toHaveLength(1)
  })

  it('tells why a login failed', async () => {
    provider.faults.authorizeError = { error: 'access_denied', error_description: 'no, Anna' }
    await createTestBrowser().go(`${app.url}/authenticated`)
    expect(names()).toEqual([['login.started', 'login.failed']])
    expect(stories()[0]?.[1]?.fields).toMatchObject({
      failure: 'sign_in_refused',
      oauth_error: 'access_denied',
    })
    delete provider.faults.authorizeError
    provider.faults.foreignKey = true
    await createTestBrowser().go(`${app.url}/authenticated`)
    expect(stories()[0]?.at(-1)?.fields).toMatchObject({ failure: 'answer_invalid' })
    await createTestBrowser().go(`${app.url}${CALLBACK}?code=a&state=b`)
    expect(names()[0]).toEqual(['login.lost'])
  })

  it('is not written on by other browsers, whatever login they name', async () => {
    const browser = createTestBrowser()
    const begun = await browser.open(`${app.url}/sign-in`)
    const state = new URL(begun.location ?? '').searchParams.get('state') ?? ''
    await browser.go(`${app.url}/authenticated`)
    const callback = `${app.url}${CALLBACK}?code=a&state=${state}`
    await createTestBrowser().open(callback)
    expect(names()).toEqual([['login.lost'], expect.any(Array), ['login.started']])
    // The same browser, which lost its cookies but for its name.
    const [name = ''] = [...browser.cookies.keys()].filter((key) => key.endsWith('_BROWSER'))
    const again = createTestBrowser()
    again.cookies.set(name, browser.cookies.get(name) ?? '')
    await again.open(callback)
    expect(names()).toContainEqual(['login.started', 'login.lost'])
  })

  it('ends with the adapter’s word that the session is over', async () => {
    provider.faults.idTokenClaims = { sid: 'session-1' }
    await createTestBrowser().go(`${app.url}/authenticated`)
    await createTestBrowser().open(`${app.url}/logout/backchannel`, {
      form: { logout_token: provider.logoutToken({ sid: 'session-1' }) },
    })
    expect(names()).toHaveLength(1)
    expect(names()[0]?.at(-1)).toBe('logout.back_channel')
    provider.faults.idTokenClaims = { sid: 'session-2' }
    await createTestBrowser().go(`${app.url}/authenticated`)
    const page = `${app.url}/logout/frontchannel?iss=${encodeURIComponent(provider.issuer)}&sid=session-2`
    await createTestBrowser().open(page)
    expect(names()[0]?.at(-1)).toBe('logout.front_channel')
  })

  it('A43 keeps no code, token, state, cookie or e-mail address, and neither does the log', async () => {
    provider.faults.idTokenClaims = { email: EMAIL, sid: 'session-1' }
    const browser = createTestBrowser()
    await browser.go(`${app.url}/authenticated?secret=canary-in-the-query`)
    const cookies = browser.setCookies.map(
      (line) => line.slice(line.indexOf('=') + 1).split(';')[0],
    )
    await signOut(browser, 'adapter')
    provider.faults.tokenError = { status: 400, error: `canary-${EMAIL}` }
    await browser.go(`${app.url}/authenticated`)
    const files = readdirSync(folder)
      .map((name) => readFileSync(path.join(folder, name), 'latin1'))
      .join('')
    const kept = (files + app.log.text).toLowerCase()
    expect(kept).toContain('login.failed')
    const secrets = [...provider.secrets, ...cookies, EMAIL, 'canary-in-the-query']
    for (const secret of secrets.filter((text) => (text?.length ?? 0) > 8))
      expect(kept).not.toContain(String(secret).toLowerCase())
  })
})
