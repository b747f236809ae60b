// Apps that are somebody else's: people are asked what they may have, once, and never what they did not ask for.
import { describe, expect, it, vi } from 'vitest'
import { runCli } from './cli.ts'
import { claimsOf } from './test-support/app.ts'
import { formOf, type Browser, type Visit } from './test-support/browser.ts'
import { createDevice, DEVICE_GRANT } from './test-support/device.ts'
import { ADMIN_TOKEN } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import { consentsOfUserIndex, forgetConsents } from './storage/consents/consents.ts'

const THEIRS = {
  client_name: 'Their <App>',
  third_party: true,
  scope: 'openid profile email read offline_access',
  refresh: { when: 'offline_access' },
}
const on = useChain({
  config: {
    clients: {
      'second-client': THEIRS,
      television: { ...THEIRS, grant_types: [DEVICE_GRANT] },
      native: { ...THEIRS, redirect_uris: ['http://127.0.0.1/back'] },
    },
    scope_descriptions: { read: 'See your orders' },
  },
})

type Parameters = Record<string, string | undefined>

const app = () => on.chain.secondApp
const heading = ({ body }: Visit) => /<h1>([\s\S]*?)<\/h1>/.exec(body)?.[1]?.trim()
const isQuestion = ({ url, status }: Visit) => url.pathname === '/consent' && status === 200
const refreshOf = ({ headers }: Visit) => headers.get('refresh')?.replace('0;url=', '') ?? ''
const answerOf = ({ url }: Visit) => Object.fromEntries(url.searchParams)

/** As far as the question, with whatever sign-in comes before it. */
async function ask(browser: Browser, parameters: Parameters = {}, username = 'testuser') {
  const request = app().request(parameters)
  const page = await browser.open(request.url)
  const isLogin = page.url.origin === on.chain.upstreamIssuer
  const visit = isLogin ? await browser.submit(page, { username, password: 'password' }) : page
  return { request, page: visit }
}

async function press(browser: Browser, page: Visit, decision = 'allow', fields = {}) {
  const pressed = await browser.submit(page, { decision, ...fields })
  const location = refreshOf(pressed)
  return location ? browser.open(location) : pressed
}

async function forgetAll() {
  await forgetConsents(on.chain.driver, 'testuser')
}

/** `auth-adapter …`, and what it prints. */
async function command(...args: string[]) {
  const port = new URL(on.chain.adminUrl).port
  const env = { AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, AUTH_ADAPTER_ADMIN__PORT: port }
  let out = ''
  const take = (text: unknown) => ((out += String(text)), true)
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(take),
  )
  await runCli([...args, '--config', on.chain.configFile], env)
  const code = process.exitCode
  process.exitCode = undefined
  for (const spy of spies) spy.mockRestore()
  return { code, out }
}

describe('an app of somebody else', () => {
  it('gets what the person allowed; the page says who asks, for what, and as whom', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const { request, page } = await ask(browser)
    expect(isQuestion(page)).toBe(true)
    expect(heading(page)).toBe('Do you allow Their &lt;App&gt; this?')
    for (const text of ['Know who you are here', 'See your profile', 'See your orders'])
      expect(page.body).toContain(text)
    expect(page.body).toContain('authorities: ROLE_USER')
    expect(page.body).toContain('name: testuser')
    expect(page.body).toContain('You are signed in as testuser.')
    expect(page.body).not.toContain('e-mail')
    const done = await press(browser, page)
    const { status, body } = await app().finish(done, request)
    expect(status).toBe(200)
    expect(claimsOf(body.access_token)).toMatchObject({ scope: 'openid profile read' })
  })

  it('asks once: not in the next session, not in another browser', async () => {
    for (const browser of [on.chain.newBrowser(), on.chain.newBrowser()]) {
      const { request, page } = await ask(browser)
      expect((await app().finish(page, request)).status).toBe(200)
      const again = await ask(browser)
      expect((await app().finish(again.page, again.request)).status).toBe(200)
    }
  })

  it('A12 names of claims that there are not are no words of theirs on our page', async () => {
    const claims = JSON.stringify({ userinfo: { 'Checked by us: press Allow': null, name: null } })
    const { page } = await ask(on.chain.newBrowser(), { claims, prompt: 'consent' })
    expect(isQuestion(page)).toBe(true)
    expect(page.body).toContain('See “name”')
    expect(page.body).not.toContain('Checked by us')
  })

  it('asks again for a wider scope, a claim, or another person, and after prompt=consent', async () => {
    const browser = on.chain.newBrowser()
    const wider = await ask(browser, { scope: 'openid profile read email' })
    expect(isQuestion(wider.page)).toBe(true)
    expect(wider.page.body).toContain('See your e-mail address')
    await press(browser, wider.page)
    const claim = JSON.stringify({ userinfo: { name: null } })
    expect(isQuestion((await ask(browser, { claims: claim })).page)).toBe(true)
    const forced = await ask(browser, { prompt: 'consent' })
    expect(isQuestion(forced.page)).toBe(true)
    const done = await press(browser, forced.page)
    expect((await app().finish(done, forced.request)).status).toBe(200)
    expect(isQuestion((await ask(on.chain.newBrowser(), {}, 'ada')).page)).toBe(true)
    expect(isQuestion((await ask(browser, { scope: 'openid email' })).page)).toBe(false)
  })

  it('prompt=none: consent_required with a session, and nothing is shown', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    const { page } = await ask(browser, { prompt: 'none' })
    expect(answerOf(page)).toMatchObject({ error: 'consent_required' })
    const { page: question } = await ask(browser)
    await press(browser, question)
    const { page: silent } = await ask(browser, { prompt: 'none' })
    expect(answerOf(silent)).toHaveProperty('code')
  })

  it('refused: access_denied, nothing is kept, and the app has no part in the session', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const before = await sessionsWithTheApp()
    const { page, request } = await ask(browser)
    const refused = await press(browser, page, 'refuse')
    expect(answerOf(refused)).toMatchObject({ error: 'access_denied', state: request.state })
    expect(await sessionsWithTheApp()).toBe(before)
    const again = await ask(browser)
    expect(isQuestion(again.page)).toBe(true)
    await press(browser, again.page)
    expect(await sessionsWithTheApp()).toBe(before + 1)
  })

  it('offline_access is asked for in words, and refreshing needs no new question', async () => {
    const browser = on.chain.newBrowser()
    for (const prompt of [undefined, 'consent']) {
      const { request, page } = await ask(browser, { scope: 'openid offline_access', prompt })
      expect(page.body).toContain('Keep its access while you are away')
      const { body } = await app().finish(await press(browser, page), request)
      const form = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }
      const again = await app().redeem('', { form: { ...form, code: undefined } })
      expect(claimsOf(again.body.access_token)['scope']).toBe('openid offline_access')
    }
  })

  it('a device of theirs asks too, after the code', async () => {
    await forgetAll()
    const device = createDevice(on.chain.issuer)
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    for (const decision of ['refuse', 'allow']) {
      const { body: codes } = await device.start({ scope: 'openid profile' })
      const typed = await browser.open(new URL('/device', on.chain.url))
      const confirm = await browser.submit(typed, { user_code: codes.user_code })
      const pressed = await browser.submit(confirm, { confirm: 'yes' })
      const question = await browser.open(new URL(refreshOf(pressed), on.chain.url))
      expect(isQuestion(question)).toBe(true)
      const done = await press(browser, question, decision)
      const isAllowed = decision === 'allow'
      expect(heading(done)).toBe(
        isAllowed ? 'Your device is signed in' : 'The device was not signed in',
      )
      const polled = await device.poll(codes.device_code)
      expect(polled.body['error']).toBe(isAllowed ? undefined : 'access_denied')
    }
  })

  it('auth-adapter forget erases it with the rest of the person', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    await press(browser, (await ask(browser)).page)
    const answer = await fetch(`${on.chain.adminUrl}/api/forget`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'testuser', drop_queue: true }),
    })
    expect(await answer.json()).toMatchObject({ found: { Consent: 1 }, left: {} })
    expect(await on.chain.driver.members(consentsOfUserIndex('testuser'))).toEqual([])
    expect(isQuestion((await ask(on.chain.newBrowser())).page)).toBe(true)
  })

  it.each(['--user', '--client'] as const)(
    'auth-adapter sessions revoke %s takes it back with --consents only',
    async (option) => {
      await forgetAll()
      const name = option === '--user' ? 'testuser' : 'second-client'
      const revoke = (...more: string[]) => command('sessions', 'revoke', option, name, ...more)
      const browser = on.chain.newBrowser()
      await press(browser, (await ask(browser)).page)
      expect(await revoke()).toMatchObject({ code: 0, out: expect.not.stringContaining('consent') })
      expect(isQuestion((await ask(on.chain.newBrowser())).page)).toBe(false)
      const taken = await revoke('--consents')
      expect(taken).toMatchObject({ code: 0, out: expect.stringMatching(/ 1 consents taken back/) })
      const whose = option === '--user' ? {} : { client_id: name }
      const told = { cause: 'operator', consents: 1, ...whose }
      expect(on.chain.events('consents.withdrawn').at(-1)).toMatchObject(told)
      expect(isQuestion((await ask(on.chain.newBrowser())).page)).toBe(true)
      const again = await revoke('--consents')
      expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/ 0 consents taken back/) })
    },
  )

  it.each([['--all'], ['--upstream', 'test-auth-server']])(
    'is not taken back for everybody by sessions revoke %s %s',
    async (...option) => {
      const said = await command('sessions', 'revoke', ...option, '--consents')
      expect(said).toEqual({ code: 2, out: '--consents goes with --user or --client.\n' })
      const answer = await fetch(`${on.chain.adminUrl}/api/sessions/revoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ all: true, consents: true }),
      })
      expect(answer.status).toBe(400)
    },
  )
})

describe('the form', () => {
  it('A03 is taken from the browser that was asked, and from no other', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const { page } = await ask(browser)
    const attacker = on.chain.newBrowser()
    await ask(attacker)
    expect((await attacker.open(page.url)).status).toBe(400)
    expect((await attacker.submit(page, { decision: 'allow' })).status).toBe(400)
    expect(isQuestion((await ask(on.chain.newBrowser())).page)).toBe(true)
  })

  it.each([
    ['no token', { token: '' }, 400],
    ['another token', { token: 'x'.repeat(43) }, 400],
    ['a token with letters of two bytes', { token: 'ü'.repeat(43) }, 400],
    ['8 kB', { token: 'x'.repeat(8192) }, 413],
    ['no decision', { decision: '' }, 200],
    ['another decision', { decision: 'everything' }, 200],
  ])('%s decides nothing', async (_name, fields, status) => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const { page } = await ask(browser)
    const answer = await press(browser, page, 'allow', fields)
    expect(answer.status).toBe(status)
    expect(refreshOf(answer)).toBe('')
    expect(isQuestion((await ask(browser)).page)).toBe(true)
  })

  it('a token is good for its own question only', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const [first, second] = [await ask(browser), await ask(browser)]
    const { token = '' } = formOf(first.page).fields
    expect((await press(browser, second.page, 'allow', { token })).status).toBe(400)
  })

  it('F61 pressed twice, Back and pressed again: the login goes on, once', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const { page, request } = await ask(browser)
    const [first, second] = [
      await browser.submit(page, { decision: 'allow' }),
      await browser.submit(page, { decision: 'refuse' }),
    ]
    expect(refreshOf(second)).toBe(refreshOf(first))
    expect((await app().finish(await browser.open(refreshOf(first)), request)).status).toBe(200)
    const back = await browser.submit(page, { decision: 'allow' })
    expect([back.status, heading(back)]).toEqual([400, 'This sign-in took too long'])
  })

  it('two tabs with different scopes: both answers count', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const tabs = [
      await ask(browser, { scope: 'openid profile' }),
      await ask(browser, { scope: 'openid read' }),
    ]
    const pages = await Promise.all(
      tabs.map(({ page }) => browser.submit(page, { decision: 'allow' })),
    )
    for (const [at, pressed] of pages.entries()) {
      const done = await browser.open(refreshOf(pressed))
      const { request } = tabs[at] as (typeof tabs)[number]
      expect((await app().finish(done, request)).status).toBe(200)
    }
    expect(isQuestion((await ask(browser, { scope: 'openid profile read' })).page)).toBe(false)
  })

  it.each(['PUT', 'DELETE'])('%s is not taken', async (method) => {
    const answer = await fetch(`${on.chain.url}/consent?interaction=${'x'.repeat(21)}`, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  it.each(['', '?interaction=', `?interaction=${'x'.repeat(21)}`, '?interaction=%00'])(
    'no question of this browser: %s',
    async (query) => {
      expect((await on.chain.newBrowser().open(`${on.chain.url}/consent${query}`)).status).toBe(400)
    },
  )
})

describe('around the question', () => {
  it('an app of ours never meets it, nor by its address', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const held = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorization/'),
    })
    const uid = held.url.searchParams.get('interaction') ?? ''
    const page = await browser.open(`${on.chain.url}/consent?interaction=${uid}`)
    expect(page.status).toBe(400)
    const done = await on.chain.signIn(browser, held.url)
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
    const asked = await browser.open(on.chain.app.request({ prompt: 'consent' }).url)
    expect(answerOf(asked)).toMatchObject({ error: 'consent_required' })
  })

  it('a native app asks each time: nobody can tell it from an imitation', async () => {
    const browser = on.chain.newBrowser()
    const native = { client_id: 'native', redirect_uri: 'http://127.0.0.1:4321/back' }
    for (let time = 0; time < 2; time++) {
      const { page } = await ask(browser, native)
      expect(isQuestion(page)).toBe(true)
      expect(answerOf(await press(browser, page))).toHaveProperty('code')
    }
  })

  it('the upstream is no way past it', async () => {
    await forgetAll()
    const browser = on.chain.newBrowser()
    const { page } = await ask(browser)
    const uid = page.url.searchParams.get('interaction') ?? ''
    const past = await browser.open(
      `${on.chain.url}/oauth2/authorization/test-auth-server?interaction=${uid}`,
    )
    expect(answerOf(past)).toMatchObject({ error: 'consent_required' })
  })
})

async function sessionsWithTheApp(): Promise<number> {
  const answer = await fetch(`${on.chain.adminUrl}/api/sessions`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  })
  const { sessions } = (await answer.json()) as { sessions: { clients: string[] }[] }
  return sessions.filter(({ clients }) => clients.includes('second-client')).length
}
