// The live log with the real chain behind it: who sees what, and how long.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { askGraphql } from '../testing/ask-graphql.ts'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'
import type { LogPart } from './log-view.ts'

const CHECK_MS = 100
const SCRIPT = {
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
}
let whole: WholeChain
/** Another process of the same app, with the same store. */
let second: RunningApp
const dataFolder = mkdtempSync(path.join(tmpdir(), 'live-log-'))
const sockets: Socket[] = []
const clock = useClock()

beforeAll(async () => {
  whole = await startWholeChain({ app: { socketCheckMs: CHECK_MS, dataFolder } })
  second = await startTestApp(whole.issuer, {
    url: whole.url,
    identityUrl: whole.identityUrl,
    socketCheckMs: CHECK_MS,
    dataFolder,
  })
})
afterAll(async () => {
  await second.stop()
  await whole.close()
  rmSync(dataFolder, { recursive: true })
})
afterEach(() => {
  sockets.splice(0).forEach((socket) => socket.disconnect())
})

async function byChain(username?: string): Promise<TestBrowser> {
  const browser = whole.browser()
  await whole.signIn(browser, username)
  return browser
}

async function byForm(): Promise<TestBrowser> {
  const browser = whole.browser()
  const person = { email: 'single@example.test', password: 'password' }
  const { result } = await askGraphql(browser, whole.url, 'login', person)
  expect(result['code']).toBe('SIGNED_IN')
  return browser
}

async function linesFor(browser: TestBrowser, since?: string): Promise<LogPart> {
  const query = since === undefined ? '' : `?since=${since}`
  const answer = await browser.open(`${whole.url}/logs.json${query}`, { headers: SCRIPT })
  expect(answer.status).toBe(200)
  return JSON.parse(answer.text) as LogPart
}
const eventsIn = ({ lines }: LogPart) => lines.map(({ line }) => String(line['event']))

const cookieHeader = ({ cookies }: TestBrowser) =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

function openSocket(browser: TestBrowser, at = whole.url): Socket {
  const socket = io(at, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    extraHeaders: { origin: whole.url, cookie: cookieHeader(browser) },
  })
  sockets.push(socket)
  return socket
}

async function connected(browser: TestBrowser, at?: string): Promise<Socket> {
  const socket = openSocket(browser, at)
  await new Promise<void>((resolve, reject) =>
    socket.once('connect', resolve).once('connect_error', reject),
  )
  return socket
}
const refused = (browser: TestBrowser) =>
  new Promise<string>((resolve) =>
    openSocket(browser).once('connect_error', ({ message }) => resolve(message)),
  )
const ended = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once('disconnect', (reason) => resolve(reason)))

const WAYS = [
  ['the chain', () => byChain()],
  ['the login form', byForm],
] as const

describe('/logs.json', () => {
  it.each(WAYS)('tells the whole login to whom it was, signed in by %s', async (_way, enter) => {
    const browser = await enter()
    const part = await linesFor(browser)
    expect(eventsIn(part)).toEqual(
      expect.arrayContaining(['audit.login.finished', 'token.verified']),
    )
    for (const { line } of part.lines) expect(line['sub'] ?? 'testuser').toBe('testuser')
    expect(eventsIn(await linesFor(browser, part.next))).toContain('token.verified')
  })

  it('tells nobody of another person, and an administrator of all', async () => {
    const [browser, admin] = [await byChain(), await byChain('ada')]
    const adas = 'user-0002'
    const seen = JSON.stringify(await linesFor(browser))
    expect(seen).toContain('testuser')
    expect(seen).not.toContain(adas)
    const all = JSON.stringify(await linesFor(admin))
    expect(all).toContain(`"sub":"${adas}"`)
    expect(all).toContain('"sub":"testuser"')
  })

  it('is for those who are signed in', async () => {
    const stranger = whole.browser()
    const asScript = await stranger.open(`${whole.url}/logs.json`, { headers: SCRIPT })
    expect(asScript.status).toBe(401)
    expect(asScript.text).not.toContain('lines')
    const asPerson = await stranger.open(`${whole.url}/logs.json`)
    expect([asPerson.status, asPerson.location]).toEqual([
      302,
      `${whole.url}/login.html?return_to=%2Flogs.json`,
    ])
  })

  it.each(['x', '0', '../..', 'aaaaaaaa.-1', 'aaaaaaaa.9999999999999999'])(
    'refuses a place that it never named: %s',
    async (since) => {
      const browser = await byChain()
      const answer = await browser.open(`${whole.url}/logs.json?since=${since}`, {
        headers: SCRIPT,
      })
      expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
        400,
        { error: 'invalid_request' },
      ])
    },
  )

  it('A43 holds no cookie, token, code or password, to an administrator either', async () => {
    const [admin, form] = [await byChain('ada'), await byForm()]
    await askGraphql(form, whole.url, 'refresh')
    const shown = JSON.stringify(await linesFor(admin))
    const secrets = [...admin.setCookies, ...form.setCookies]
      .map((line) => decodeURIComponent(line.split(';', 1)[0]?.split('=').slice(1).join('=') ?? ''))
      .filter((value) => value.length > 20)
    expect(secrets.length).toBeGreaterThan(4)
    for (const secret of [...secrets, 'password":"', 'eyJ']) expect(shown).not.toContain(secret)
  })
})

describe('a socket', () => {
  it.each(WAYS)('shows what its person does elsewhere, signed in by %s', async (_way, enter) => {
    const browser = await enter()
    const socket = await connected(browser)
    const events: string[] = []
    socket.on('lines', (part: LogPart) =>
      events.push(...part.lines.map(({ line }) => JSON.stringify(line))),
    )
    await browser.open(`${whole.url}/api/me`, { headers: SCRIPT })
    await vi.waitFor(() =>
      expect(events.find((line) => line.includes('"path":"/api/me"'))).toContain('request.done'),
    )
  })

  it('is refused to strangers, and to cookies of a session that is over', async () => {
    expect(await refused(whole.browser())).toBe('unauthorized')
    const browser = await byChain()
    const [name = '', value = ''] =
      [...browser.cookies].find(([key]) => key.endsWith('_SESSION')) ?? []
    const form = await browser.open(`${whole.url}/logout`)
    await browser.submit(form, { where: 'here' })
    browser.cookies.set(name, value)
    expect(await refused(browser)).toBe('unauthorized')
  })

  it('ends at a sign-out in another tab, and so do all of this sign-in', async () => {
    const browser = await byChain()
    const other = await connected(await byChain())
    const ends = Promise.all(
      (await Promise.all([connected(browser), connected(browser)])).map(ended),
    )
    await browser.submit(await browser.open(`${whole.url}/logout`), { where: 'here' })
    expect(await ends).toEqual(['io server disconnect', 'io server disconnect'])
    expect(other.connected).toBe(true)
  })

  it('A52 ends at a sign-out by the login form’s cookies, which open no other though the token is good yet', async () => {
    const browser = await byForm()
    const before = new Map(browser.cookies)
    const end = ended(await connected(browser))
    await askGraphql(browser, whole.url, 'logout')
    expect(await end).toBe('io server disconnect')
    before.forEach((value, name) => browser.cookies.set(name, value))
    expect(await refused(browser)).toBe('unauthorized')
  })

  it.each(WAYS)('ends when another process signs its person out: %s', async (_way, enter) => {
    const browser = await enter()
    const socket = await connected(browser, second.url)
    const stays = await connected(await enter(), second.url)
    const end = ended(socket)
    await askGraphql(browser, whole.url, 'logout')
    expect(await end).toBe('io server disconnect')
    await new Promise((resolve) => setTimeout(resolve, 2 * CHECK_MS))
    expect(stays.connected).toBe(true)
  })

  it.each(WAYS)('ends with its token, and comes back with the next: %s', async (_way, enter) => {
    const browser = await enter()
    const end = ended(await connected(browser))
    clock.advance(301)
    expect(await end).toBe('io server disconnect')
    expect(await refused(browser)).toBe('unauthorized')
    const me = await browser.open(`${whole.url}/api/me`, { headers: SCRIPT })
    expect(me.status).toBe(200)
    await connected(browser)
  })
})
