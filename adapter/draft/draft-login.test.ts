// A test login can never become a session, a grant, an identity or a token: every way to mix it with live logins is tried.
import { request as httpRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Browser } from '../test-support/browser.ts'
import { ADMIN_TOKEN, UPSTREAM, type Setting } from '../test-support/chain.ts'
import { liveUpstream } from '../test-support/upstream-test-command.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'
import type { OpenedTest } from './draft-api.ts'
import type { DraftOutcome } from './draft-outcome.ts'

const on = useChain()
const clock = useClock()
const LOGIN = { username: 'testuser', password: 'password' }
const CALLBACK = `/login/oauth2/code/${UPSTREAM}`
const COOKIE = /^AUTH_ADAPTER_TEST_/

async function admin(
  route: string,
  body?: object,
  { adminUrl } = on.chain,
): Promise<{ status: number; body: Setting }> {
  const [method = '', path = ''] = route.split(' ')
  const response = await fetch(adminUrl + path, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: (await response.json()) as Setting }
}

function draftRequest(changes: Setting = {}): Setting {
  const redirect_uris = ['http://127.0.0.1:8080/login/oauth2/code/auth-adapter']
  return {
    upstream: UPSTREAM,
    client: 'client',
    settings: {
      upstreams: { [UPSTREAM]: { ...liveUpstream(on.chain), ...changes } },
      clients: { client: { client_secret: 'x', redirect_uris, scope: 'openid profile' } },
    },
    source: { file: 'draft.yaml', lines: {} },
  }
}

async function openTest(changes: Setting = {}): Promise<OpenedTest> {
  const { status, body } = await admin('POST /api/upstream-tests', draftRequest(changes))
  expect(status).toBe(201)
  return body as unknown as OpenedTest
}

async function outcome(test: OpenedTest): Promise<DraftOutcome> {
  return (await admin(`GET /api/upstream-tests?id=${test.id}`)).body as unknown as DraftOutcome
}

/** The upstream's answer to a test, on its way back and not yet here. */
async function answerOf(test: OpenedTest, browser: Browser): Promise<URL> {
  const login = await browser.open(test.url)
  const stopBefore = ({ pathname }: URL) => pathname === CALLBACK
  const back = await browser.submit(login, LOGIN, { stopBefore })
  expect(back.url.pathname).toBe(CALLBACK)
  return back.url
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  const visit = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return visit.url.searchParams.get('error') !== 'login_required'
}

describe('a test login with a draft', () => {
  it('goes to the upstream with the live callback, a state unlike any live one, PKCE and nonce', async () => {
    const browser = on.chain.newBrowser()
    const { url } = await browser.open((await openTest()).url, {
      stopBefore: ({ origin }) => origin === on.chain.upstreamIssuer,
    })
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      redirect_uri: on.chain.issuer + CALLBACK,
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
      state: expect.stringMatching(/^test\.[\w-]{43}$/) as string,
    })
    expect(browser.cookie(COOKIE)?.attributes).toEqual(
      expect.arrayContaining(['HttpOnly', 'SameSite=Lax', 'Path=/']),
    )
  })

  it('ends with a page about it, in this browser alone, and signs nobody in', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    const page = await browser.open(await answerOf(test, browser))
    expect([page.status, page.url.pathname]).toEqual([200, `/oauth2/test/${test.id}/result`])
    expect(await outcome(test)).toMatchObject({ status: 'done' })
    expect(browser.cookie(/^AUTH_ADAPTER_(SESSION|LOGIN)/)).toBeUndefined()
    expect(await isSignedIn(browser)).toBe(false)
    expect((await browser.open(page.url)).status).toBe(200)
    expect((await on.chain.newBrowser().open(page.url)).status).toBe(400)
  })

  it('its answer counts once', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    const answer = await answerOf(test, browser)
    const both = await Promise.all([browser.open(answer), browser.open(answer)])
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 400])
    expect((await browser.open(answer)).status).toBe(400)
  })

  it('A06 its answer in another browser is refused, and shows nothing there', async () => {
    const [test, own, other] = [await openTest(), on.chain.newBrowser(), on.chain.newBrowser()]
    const answer = await answerOf(test, own)
    const page = await other.open(answer)
    expect(page.status).toBe(400)
    expect(page.body).not.toContain('testuser')
    expect(await isSignedIn(other)).toBe(false)
  })

  it('with the cookie of another test, or two of the right name, it is refused (A34)', async () => {
    const [one, two, browser] = [await openTest(), await openTest(), on.chain.newBrowser()]
    const answer = await answerOf(one, browser)
    const first = browser.cookie(COOKIE)
    const other = on.chain.newBrowser()
    await other.open(two.url)
    const swapped = `${first?.name}=${other.cookie(COOKIE)?.value}`
    const planted = `${first?.name}=${first?.value}; ${first?.name}=${first?.value}`
    for (const cookie of [swapped, planted]) {
      const response = await fetch(answer, { headers: { cookie }, redirect: 'manual' })
      expect(response.status).toBe(400)
    }
  })

  it('a second browser can not take over a test that began, and the first may begin again', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    await browser.open(test.url)
    expect((await on.chain.newBrowser().open(test.url)).status).toBe(400)
    const answer = await answerOf(test, browser)
    expect((await browser.open(answer)).status).toBe(200)
    expect((await browser.open(test.url)).url.pathname).toMatch(/\/result$/)
  })

  it('a state of a test does nothing on another upstream’s path, and ends the test', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    const answer = await answerOf(test, browser)
    const elsewhere = new URL(answer)
    elsewhere.pathname = '/login/oauth2/code/another'
    expect((await browser.open(elsewhere)).status).toBe(400)
    expect(await outcome(test)).toMatchObject({
      status: 'failed',
      failure: { code: 'upstream_mismatch' },
    })
    expect((await browser.open(answer)).status).toBe(400)
  })

  it('a live login can not be finished with the answer to a test, nor a test with a live answer', async () => {
    const { chain } = on
    const [test, browser] = [await openTest(), chain.newBrowser()]
    const answer = await answerOf(test, browser)
    const request = chain.app.request()
    const away = await browser.open(request.url, {
      stopBefore: ({ origin }) => origin === chain.upstreamIssuer,
    })
    const liveState = away.url.searchParams.get('state') ?? ''
    const [uid = ''] = liveState.split('.')
    const states = [
      [liveState, answer.searchParams.get('state') ?? ''],
      [`${uid}.${answer.searchParams.get('state')?.slice(5)}`],
    ]
    for (const state of states) {
      const mixed = new URL(answer)
      mixed.searchParams.delete('state')
      for (const one of state) mixed.searchParams.append('state', one)
      const { url } = await browser.open(mixed, {
        stopBefore: ({ origin }) => origin === chain.upstreamIssuer,
      })
      expect([chain.issuer, chain.upstreamIssuer]).toContain(url.origin)
      expect(browser.cookie('AUTH_ADAPTER_SESSION')).toBeUndefined()
    }
    const liveCode = new URL(answer)
    liveCode.searchParams.set('state', liveState)
    await browser.open(liveCode)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('nothing of it can be resumed: neither by its id nor by its state', async () => {
    const { chain } = on
    const [test, browser] = [await openTest(), chain.newBrowser()]
    const answer = await answerOf(test, browser)
    await browser.open(answer)
    const state = answer.searchParams.get('state') ?? ''
    for (const uid of [test.id, state, state.slice(5)]) {
      const paths = [
        `/oauth2/authorize/${uid}`,
        `/oauth2/authorization/${UPSTREAM}?interaction=${uid}`,
        `/oauth2/choose?interaction=${uid}`,
      ]
      for (const path of paths) {
        const { status } = await browser.open(chain.issuer + path)
        expect([path, status >= 400]).toEqual([path, true])
      }
    }
    const code = answer.searchParams.get('code') ?? ''
    expect((await chain.app.redeem(code, { verifier: 'v'.repeat(43) })).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('somebody who is signed in stays signed in, as who they were', async () => {
    const { chain } = on
    const browser = chain.newBrowser()
    await chain.signIn(browser, chain.app.request().url, 'ada')
    const session = browser.cookie('AUTH_ADAPTER_SESSION')?.value
    const test = await openTest({ subject: 'prefixed' })
    const page = await browser.open(test.url)
    const done = page.url.pathname === '/login' ? await browser.submit(page, LOGIN) : page
    expect(done.body).toContain('the subject changes')
    expect(browser.cookie('AUTH_ADAPTER_SESSION')?.value).toBe(session)
    const request = chain.app.request({ prompt: 'none' })
    const { body } = await chain.app.finish(await browser.open(request.url), request)
    expect(body.access_token).toBeDefined()
  })

  it('only a GET is a step of it', async () => {
    const test = await openTest()
    for (const method of ['HEAD', 'POST', 'PUT'])
      expect((await fetch(test.url, { method, redirect: 'manual' })).status).toBe(405)
    const callback = `${on.chain.issuer}${CALLBACK}?state=test.${'a'.repeat(43)}&code=x`
    expect((await fetch(callback, { method: 'HEAD', redirect: 'manual' })).status).toBe(405)
    expect((await fetch(callback, { redirect: 'manual' })).status).toBe(400)
    expect((await on.chain.newBrowser().open(test.url)).url.pathname).toBe('/login')
  })

  it('an answer by form comes along too where the draft says so, and else is none', async () => {
    const [test, browser] = [await openTest({ response_mode: 'form_post' }), on.chain.newBrowser()]
    const form = await browser.submit(await browser.open(test.url), LOGIN)
    expect(form.body).toContain(on.chain.issuer + CALLBACK)
    const page = await browser.submit(form)
    expect(page.body).toContain('The test worked')
    const live = await fetch(on.chain.issuer + CALLBACK, {
      method: 'POST',
      body: new URLSearchParams({ state: 'x' }),
    })
    expect(live.status).toBe(405)
  })

  it('is over after ten minutes, and its address is nobody’s', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    const answer = await answerOf(test, browser)
    clock.advance(601)
    expect((await browser.open(answer)).status).toBe(400)
    expect((await browser.open(test.url)).status).toBe(400)
    expect((await admin(`GET /api/upstream-tests?id=${test.id}`)).status).toBe(404)
  })

  it('keeps no secret in log, answer or page', async () => {
    const [test, browser] = [await openTest(), on.chain.newBrowser()]
    const answer = await answerOf(test, browser)
    const page = await browser.open(answer)
    const seen = on.chain.logLines.join('') + JSON.stringify(await outcome(test)) + page.body
    const { code, state } = Object.fromEntries(answer.searchParams)
    for (const secret of [code, state, 'test-secret', browser.cookie(COOKIE)?.value, ADMIN_TOKEN])
      expect(secret !== undefined && seen.includes(secret)).toBe(false)
  })
})

describe('a test login on https', () => {
  const secure = useChain({ config: { issuer: 'https://login.example.test' } })

  it('A34 its cookie can not be planted by another host', async () => {
    const { chain } = secure
    const { body } = await admin('POST /api/upstream-tests', draftRequest(), chain)
    const { url } = body as unknown as OpenedTest
    expect(url).toMatch(/^https:\/\/login\.example\.test\/oauth2\/test\//)
    const path = new URL(url).pathname
    const headers = { host: 'login.example.test' }
    const cookies = await new Promise<string[]>((resolve, reject) => {
      const { hostname, port } = new URL(chain.url)
      const request = httpRequest({ hostname, port, path, headers }, (response) => {
        response.resume().on('end', () => resolve(response.headers['set-cookie'] ?? []))
      })
      request.on('error', reject).end()
    })
    expect(cookies).toEqual([expect.stringMatching(/^__Host-AUTH_ADAPTER_TEST_[0-9a-f]{12}=/)])
    for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'])
      expect(cookies[0]).toContain(attribute)
  })
})

describe('POST /api/upstream-tests', () => {
  it.each([
    ['nothing', undefined],
    ['no settings', { upstream: UPSTREAM, client: 'client', source: { file: 'x', lines: {} } }],
    ['names that are none', { upstream: 1, client: {}, settings: {}, source: {} }],
  ])('refuses %s', async (_case, body) => {
    const { status } = await admin('POST /api/upstream-tests', body)
    expect(status).toBe(400)
  })

  it.each([
    ['http to another host', { issuer: 'http://idp.example' }, /loopback/],
    ['a setting that there is not', { isuer: 'x' }, /isuer/],
    ['an authority that is no file', { ca_file: '/no/such/file.pem' }, /ca_file/],
  ])('judges the draft itself, whatever sends it: %s', async (_case, changes, sentence) => {
    const { status, body } = await admin('POST /api/upstream-tests', draftRequest(changes))
    expect([status, body['error']]).toEqual([400, 'invalid_draft'])
    expect(body['error_description']).toMatch(sentence)
  })

  it('names that reach a prototype are none of the draft (A41)', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const body = { ...draftRequest(), upstream: name }
      expect((await admin('POST /api/upstream-tests', body)).status).toBe(400)
    }
  })

  it('forgets the oldest results before it refuses a new test', async () => {
    const browser = on.chain.newBrowser()
    const unreachable = { issuer: 'http://127.0.0.1:1' }
    const first = await openTest(unreachable)
    await browser.open(first.url)
    expect(await outcome(first)).toMatchObject({ status: 'failed' })
    for (let count = 0; count < 20; count += 1)
      await browser.open((await openTest(unreachable)).url)
    await openTest()
    expect((await admin(`GET /api/upstream-tests?id=${first.id}`)).status).toBe(404)
  })

  it('has room for 20 at once, and says so', async () => {
    const tests = await Promise.all(
      Array.from({ length: 20 }, () => admin('POST /api/upstream-tests', draftRequest())),
    )
    expect(tests.some(({ status }) => status === 201)).toBe(true)
    const { status, body } = await admin('POST /api/upstream-tests', draftRequest())
    expect([status, body['error']]).toEqual([429, 'too_many_tests'])
  })
})
