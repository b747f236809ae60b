// RP-initiated logout as apps, other sites and impatient people send it: what is asked first, what is refused, and where the
// person ends up.
import { generateKeyPair, SignJWT, type JWTHeaderParameters } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resigned } from './provider/endpoints/test-support/token-calls.ts'
import { claimsOf, headerOf, type App, type TokenAnswer } from './test-support/app.ts'
import { formOf, type Browser, type Visit } from './test-support/browser.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const HOME = 'http://127.0.0.1:8080/'
const QUESTION = 'Do you want to sign out?'
const REFUSED = 'This sign-out link does not work'
let receiver: LogoutReceiver
let idp: EvilIdp
const on = useChain(async () => {
  ;[receiver, idp] = await Promise.all([startLogoutReceiver(), startEvilIdp()])
  return {
    storage: 'sqlite',
    upstreams: { other: idp.issuer },
    config: {
      upstreams: { other: { logout: 'always' } },
      clients: { client: { backchannel_logout_uri: receiver.uri } },
    },
  }
})
const clock = useClock()
afterAll(() => Promise.all([receiver.close(), idp.close()]))

interface Person {
  browser: Browser
  tokens: TokenAnswer['body']
}

async function signedIn(): Promise<Person> {
  const browser = on.chain.newBrowser()
  const request = on.chain.app.request()
  const visit = await on.chain.signIn(browser, request.url)
  return { browser, tokens: (await on.chain.app.finish(visit, request)).body }
}

async function signInTo(app: App, browser: Browser): Promise<TokenAnswer['body']> {
  const request = app.request()
  return (await app.finish(await browser.open(request.url), request)).body
}

type Sent = Readonly<Record<string, string>>
const logoutUrl = (sent: Sent = {}) =>
  `${on.chain.url}/connect/logout?${new URLSearchParams(sent).toString()}`
const logout = (browser: Browser, sent: Sent = {}) => browser.open(logoutUrl(sent))
const posted = (browser: Browser, form: Sent) =>
  browser.open(`${on.chain.url}/connect/logout`, { form })
const headingOf = ({ body }: Visit) => /<h1>([^<]*)/.exec(body)?.[1]

async function isSignedIn(browser: Browser): Promise<boolean> {
  const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return url.searchParams.has('code')
}

/** The page that sends its form by itself, where there is nothing to ask. */
async function sentOn(browser: Browser, page: Visit): Promise<Visit> {
  expect(headingOf(page)).not.toBe(QUESTION)
  return browser.submit(page)
}

describe('id_token_hint', () => {
  let person: Person
  let hints: Record<string, string>
  beforeAll(async () => {
    person = await signedIn()
    const { id_token: token, access_token } = person.tokens
    const other = await signInTo(on.chain.secondApp, person.browser)
    const { privateKey } = await generateKeyPair('RS256')
    const header = headerOf(token) as unknown as JWTHeaderParameters
    const [head = '', body = '', signature = ''] = token.split('.')
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const changed = (claims: object) => resigned(on.chain, token, claims)
    hints = {
      own: token,
      expired: await changed({ exp: 1000 }),
      'of another person': await changed({ sub: 'user-0002' }),
      'of another key': await new SignJWT(claimsOf(token))
        .setProtectedHeader(header)
        .sign(privateKey),
      'of another client': other.id_token,
      'of another issuer': await changed({ iss: 'https://evil.test' }),
      'for nobody': await changed({ aud: undefined }),
      'for several clients': await changed({ aud: ['client', 'second-client'] }),
      'for a number': await changed({ aud: 1 }),
      'for __proto__': await changed({ aud: '__proto__' }),
      'of no person': await changed({ sub: undefined }),
      cut: token.slice(0, -20),
      'cut in half': token.slice(0, token.length / 2),
      'with null for claims': `${head}.${encode(null)}.${signature}`,
      'with another kid': `${encode({ ...header, kid: '../../x' })}.${body}.${signature}`,
      'that is no token': 'x',
      'that is an access token': access_token,
    }
  })

  it.each(['own', 'expired', 'of another person'])(
    'C61 %s: the question is asked, whoever is meant, and nothing ends by it',
    async (name) => {
      const sent = { id_token_hint: hints[name] ?? '', post_logout_redirect_uri: HOME, state: 's' }
      for (const page of [await logout(person.browser, sent), await posted(person.browser, sent)])
        expect([page.status, headingOf(page)]).toEqual([200, QUESTION])
      expect(await isSignedIn(person.browser)).toBe(true)
    },
  )

  it.each([
    'of another key',
    'of another client',
    'of another issuer',
    'for nobody',
    'for several clients',
    'for a number',
    'for __proto__',
    'of no person',
    'cut',
    'cut in half',
    'with null for claims',
    'with another kid',
    'that is no token',
    'that is an access token',
  ])('C61 A18 %s: a page, no redirect, the session stays', async (name) => {
    const sent = { id_token_hint: hints[name] ?? '', client_id: 'client' }
    for (const page of [
      await logout(person.browser, { ...sent, post_logout_redirect_uri: HOME }),
      await posted(person.browser, { ...sent, post_logout_redirect_uri: HOME }),
    ]) {
      expect([page.status, headingOf(page)]).toEqual([400, REFUSED])
      expect(page.url.origin).toBe(on.chain.url)
      expect(page.body).not.toContain(HOME)
    }
    expect(await isSignedIn(person.browser)).toBe(true)
  })

  it('at the authorization endpoint: own and expired ones count, others are invalid_request, of another person login_required', async () => {
    const answered = async (hint: string, prompt?: string) => {
      const parameters = { id_token_hint: hint, ...(prompt === undefined ? {} : { prompt }) }
      const { url } = await person.browser.open(on.chain.app.request(parameters).url)
      return url.searchParams.get('error') ?? (url.searchParams.has('code') ? 'code' : url.pathname)
    }
    for (const name of ['own', 'expired'])
      expect(await answered(hints[name] ?? '', 'none')).toBe('code')
    expect(await answered(hints['of another person'] ?? '', 'none')).toBe('login_required')
    expect(await answered(hints['of another person'] ?? '')).toBe('/login')
    for (const name of [
      'of another key',
      'of another client',
      'of another issuer',
      'cut',
      'of no person',
    ])
      for (const prompt of [undefined, 'none'])
        expect([name, await answered(hints[name] ?? '', prompt)]).toEqual([name, 'invalid_request'])
  })

  it('A30 of 64 kB: refused with a status, whichever way it comes', async () => {
    const hint = 'x'.repeat(65_536)
    const inForm = await posted(person.browser, { id_token_hint: hint })
    expect([inForm.status, headingOf(inForm)]).toEqual([413, 'This request is too large'])
    expect((await fetch(logoutUrl({ id_token_hint: hint }))).status).toBe(431)
    expect((await fetch(logoutUrl({ id_token_hint: hint.slice(0, 9000) }))).status).toBe(414)
  })
})

describe('what else is sent', () => {
  const refused: [name: string, sent: Sent][] = [
    ['an unknown client', { client_id: 'nobody' }],
    ['a name of the language', { client_id: '__proto__' }],
    ['a URI of nobody', { client_id: 'client', post_logout_redirect_uri: 'https://evil.test/' }],
    ['a path more', { client_id: 'client', post_logout_redirect_uri: `${HOME}x` }],
    ['a query more', { client_id: 'client', post_logout_redirect_uri: `${HOME}?x=1` }],
    ['a fragment more', { client_id: 'client', post_logout_redirect_uri: `${HOME}#x` }],
    ['no slash at the end', { client_id: 'client', post_logout_redirect_uri: HOME.slice(0, -1) }],
    [
      'another name of the host',
      { client_id: 'client', post_logout_redirect_uri: 'http://localhost:8080/' },
    ],
    ['other letters', { client_id: 'client', post_logout_redirect_uri: 'HTTP://127.0.0.1:8080/' }],
    [
      'the URI of the other app',
      { client_id: 'client', post_logout_redirect_uri: 'http://127.0.0.1:8081/' },
    ],
    ['a script', { client_id: 'client', post_logout_redirect_uri: 'javascript:alert(1)' }],
  ]
  it.each(refused)('C61 %s: a page, no redirect, the session stays', async (_name, sent) => {
    const { browser } = await signedIn()
    for (const page of [await logout(browser, sent), await posted(browser, sent)]) {
      expect([page.status, headingOf(page), page.url.origin]).toEqual([400, REFUSED, on.chain.url])
      expect(page.body).toContain('href="/connect/logout"')
    }
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('twice the same parameter: refused, in the address and in a form', async () => {
    const { browser } = await signedIn()
    expect(
      (await browser.open(`${logoutUrl({ client_id: 'client' })}&client_id=client`)).status,
    ).toBe(400)
    const body = 'client_id=client&client_id=client'
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await fetch(`${on.chain.url}/connect/logout`, { method: 'POST', body, headers })
    expect(answer.status).toBe(400)
  })

  it.each([
    ['nothing', {}],
    ['a URI without saying whose', { post_logout_redirect_uri: HOME }],
    ['a state alone', { state: 'only' }],
  ])('C61 %s: the question; then our own page, and no redirect', async (_name, sent) => {
    const { browser } = await signedIn()
    const page = await logout(browser, sent)
    expect([page.status, headingOf(page)]).toEqual([200, QUESTION])
    const done = await browser.submit(page, { logout: 'yes' })
    expect(done.url.origin + done.url.pathname).toBe(`${on.chain.url}/connect/logout/success`)
    expect(await isSignedIn(browser)).toBe(false)
  })

  it('a long and odd state comes back whole; no state is none', async () => {
    const state = 's/+ä&='.repeat(300)
    for (const sent of [{ state }, {}] as Sent[]) {
      const { browser, tokens } = await signedIn()
      const asked = { id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME }
      const short = { client_id: 'client', post_logout_redirect_uri: HOME, ...sent }
      const page = await logout(browser, sent['state'] === undefined ? asked : short)
      const { url } = await browser.submit(page, { logout: 'yes' })
      expect(url.origin + url.pathname).toBe(HOME)
      expect(url.searchParams.get('state') ?? undefined).toBe(sent['state'])
    }
  })
})

describe('A37 by another site', () => {
  it.each([
    [
      'a hint',
      (hint: string) => ({ id_token_hint: hint, post_logout_redirect_uri: HOME, state: 's' }),
    ],
    ['nothing', () => ({})],
  ] as [string, (hint: string) => Sent][])(
    'a form of another site with %s, which comes without our cookies, ends in the question and not in a page that says it is done',
    async (_name, sent) => {
      const { browser, tokens } = await signedIn()
      const form = sent(tokens.id_token)
      const body = new URLSearchParams({ ...form, logout: 'yes', xsrf: 'x' })
      const init = { method: 'POST', body, redirect: 'manual' } as const
      const first = await fetch(`${on.chain.url}/connect/logout`, init)
      expect([first.status, first.headers.getSetCookie()]).toEqual([303, []])
      const next = new URL(first.headers.get('location') ?? '', on.chain.url)
      expect(Object.fromEntries(next.searchParams)).toEqual(form)
      expect(headingOf(await browser.open(next))).toBe(QUESTION)
      expect(await isSignedIn(browser)).toBe(true)
    },
  )

  it('no form can be sent for the person: without the secret of the question, with another’s, or before there is one', async () => {
    const { browser } = await signedIn()
    const confirm = `${on.chain.url}/connect/logout/confirm`
    const attacker = await signedIn()
    const theirs = formOf(await logout(attacker.browser)).fields
    const attempts: Sent[] = [
      { logout: 'yes' },
      { logout: 'yes', xsrf: '' },
      { ...theirs, logout: 'yes' },
    ]
    for (const isAsked of [false, true]) {
      if (isAsked) await logout(browser)
      for (const form of attempts) {
        const answer = await browser.open(confirm, { form })
        expect([answer.status, headingOf(answer)]).toEqual([400, REFUSED])
      }
    }
    expect((await browser.open(`${confirm}?logout=yes`)).status).toBe(404)
    expect(await isSignedIn(browser)).toBe(true)
    expect(await isSignedIn(attacker.browser)).toBe(true)
  })
})

describe('impatient people', () => {
  it('logout twice, and after the session ended: the person lands at the app each time, and its app is told once', async () => {
    const { browser, tokens } = await signedIn()
    receiver.tokens.length = 0
    const sent = { id_token_hint: tokens.id_token, post_logout_redirect_uri: HOME, state: 's' }
    const done = await browser.submit(await logout(browser, sent), { logout: 'yes' })
    expect(done.url.href).toBe(`${HOME}?state=s`)
    await receiver.received(1)
    const again = await sentOn(browser, await logout(browser, { ...sent, state: 't' }))
    expect(again.url.href).toBe(`${HOME}?state=t`)
    expect(receiver.tokens).toHaveLength(1)
  })

  it('Back, and the same answer once more: a page with a way on, and nothing that was not ended', async () => {
    const { browser } = await signedIn()
    const page = await logout(browser)
    await browser.submit(page, { logout: 'yes' })
    const again = await browser.submit(page, { logout: 'yes' })
    expect([again.status, headingOf(again)]).toEqual([400, REFUSED])
    const done = await sentOn(browser, await browser.open(`${on.chain.url}/connect/logout`))
    expect(done.url.pathname).toBe('/connect/logout/success')
  })

  it('Back from the app to the question, after signing in again: the old answer ends nothing', async () => {
    const { browser } = await signedIn()
    const page = await logout(browser)
    await browser.submit(page, { logout: 'yes' })
    await signInTo(on.chain.app, browser)
    expect((await browser.submit(page, { logout: 'yes' })).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('the question in two tabs: the newer counts; the older says so and leads to a new one', async () => {
    const { browser, tokens } = await signedIn()
    const [older, newer] = [await logout(browser), await logout(browser)]
    const refused = await browser.submit(older, { logout: 'yes' })
    expect([refused.status, headingOf(refused)]).toEqual([400, REFUSED])
    expect(refused.body).toContain('<a class="button" href="/connect/logout">Sign out here</a>')
    expect(await isSignedIn(browser)).toBe(true)
    const done = await browser.submit(newer, { logout: 'yes' })
    expect(done.status).toBe(200)
    expect((await on.chain.app.userinfo(tokens.access_token)).status).toBe(401)
  })

  it('the person says no: everything stays', async () => {
    const { browser, tokens } = await signedIn()
    receiver.tokens.length = 0
    await browser.submit(await logout(browser))
    expect(await isSignedIn(browser)).toBe(true)
    expect((await on.chain.app.userinfo(tokens.access_token)).status).toBe(200)
    expect(receiver.tokens).toEqual([])
  })

  it('a question that was left open for a day: the session is over, and so is the question', async () => {
    const { browser } = await signedIn()
    const page = await logout(browser)
    clock.advance(86_400)
    expect((await browser.submit(page, { logout: 'yes' })).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(false)
  })
})

describe('the upstream is down', () => {
  it('F02 one that is silent delays the person by 2.5 s at most', async () => {
    idp.behaviour = { discovery: withLogout }
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request({ upstream: 'other' })
    await on.chain.app.finish(await browser.open(request.url), request)
    const page = await logout(browser)
    clock.advance(15)
    const tellNothing = () => new Promise(() => undefined)
    idp.behaviour = { answer: { '/.well-known/openid-configuration': tellNothing } }
    const since = performance.now()
    const done = await browser.submit(page, { logout: 'yes' })
    expect(performance.now() - since).toBeLessThan(3000)
    expect(done.body).toContain('You may still be signed in at other.')
    idp.behaviour = {}
  })

  it.each([
    ['that answered a quarter of a minute ago', async () => clock.advance(15)],
    ['that nobody has heard of yet', () => on.chain.restart()],
  ])(
    '%s: signing out here works at once, its app is told, and the page says what stays',
    async (_name, passes) => {
      idp.behaviour = { discovery: withLogout }
      const browser = on.chain.newBrowser()
      const request = on.chain.app.request({ upstream: 'other' })
      const { body } = await on.chain.app.finish(await browser.open(request.url), request)
      expect((await logout(browser)).body).toContain('You will be signed out at other too.')
      await passes()
      await idp.close()
      receiver.tokens.length = 0
      const page = await logout(browser)
      expect(page.body).toContain('You may still be signed in at other afterwards.')
      const done = await browser.submit(page, { logout: 'yes' })
      expect(done.body).toContain('You may still be signed in at other.')
      await receiver.received(1)
      expect((await on.chain.app.userinfo(body.access_token)).status).toBe(401)
      await idp.reopen()
    },
  )
})

function withLogout(document: Record<string, unknown>) {
  return { ...document, end_session_endpoint: `${idp.issuer}/logout` }
}
