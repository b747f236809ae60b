import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { askGraphql } from '../testing/ask-graphql.ts'
import { NAVIGATION } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain
let browser: TestBrowser

beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())
beforeEach(() => {
  browser = whole.browser()
})

const person = { email: 'single@example.test', password: 'password' }
const signInByForm = () => askGraphql(browser, whole.url, 'login', person)
const open = async (path: string) => (await browser.go(whole.url + path)).text
const me = async () =>
  JSON.parse(
    (await browser.open(`${whole.url}/api/me`, { headers: { accept: 'application/json' } })).text,
  ) as Record<string, unknown>
const formCookies = () =>
  [...browser.cookies.keys()].filter((name) => /_(ACCESS|REFRESH|TOKEN_LOGIN)$/.test(name))

describe('whichever way somebody signed in', () => {
  it('/api/me says the same of them', async () => {
    await whole.signIn(browser)
    const byChain = await me()
    browser = whole.browser()
    await signInByForm()
    const byForm = await me()
    const { access_token_expires_at: _expires, ...same } = byChain
    expect(byForm).toMatchObject({ ...same, via: 'cookie' })
    expect(byChain).toMatchObject({ via: 'session', sub: 'testuser', clients: ['client'] })
  })

  it('the token page shows the token and what it says, and the ID token only where there is one', async () => {
    await whole.signIn(browser)
    expect(await open('/authenticated')).toContain('The ID token’s claims')
    browser = whole.browser()
    await signInByForm()
    const page = await open('/authenticated?tab=3')
    expect(page).toContain('Hello, testuser')
    expect(page).toContain('<code id="asked">/authenticated?tab=3</code>')
    expect(page).toContain('<dd id="clients">client</dd>')
    expect(page).toContain('<code>at+jwt</code>')
    expect(page).toContain('by the form of this app')
    expect(page).not.toContain('The ID token’s claims')
    const signatureOf = (cookie: string) => browser.cookies.get(cookie)?.split('.')[2] ?? 'none'
    expect(page).toContain(signatureOf('TEST_APP_ACCESS'))
    expect(page).not.toContain(signatureOf('TEST_APP_REFRESH'))
  })

  it('a token in the header counts for its request, and there is nothing to sign out of', async () => {
    await signInByForm()
    const authorization = `Bearer ${browser.cookies.get('TEST_APP_ACCESS')}`
    const stranger = whole.browser()
    const headers = { ...NAVIGATION, authorization }
    const page = await stranger.open(`${whole.url}/authenticated`, { headers })
    expect(page.text).toContain('by a token in the request')
    const signOut = await stranger.open(`${whole.url}/logout`, { headers })
    expect(signOut.text).toContain('There is no session here')
    expect(signOut.text).not.toContain('<form')
    expect((await stranger.open(`${whole.url}/logout`)).text).toContain('You are not signed in')
  })
})

describe('signing out after the form', () => {
  it('ends the sign-in here, and its session at the identity service', async () => {
    await signInByForm()
    const page = await browser.go(`${whole.url}/logout`)
    const done = await browser.submit(page, { where: 'here' })
    expect(done.url).toBe(`${whole.url}/?signed_out=form`)
    expect(done.text).toContain('You are signed out of this app and of the identity service.')
    expect(done.text).toContain('Not signed in')
    expect(formCookies()).toEqual([])
    expect(whole.log.text).not.toContain('token_login.not_ended_there')
  })

  it('is refused from another site, and without the token of the page', async () => {
    await signInByForm()
    await open('/logout')
    const attempts = [
      { headers: { ...NAVIGATION, 'sec-fetch-site': 'cross-site' }, form: { where: 'here' } },
      { headers: { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }, form: { where: 'here' } },
    ]
    for (const attempt of attempts)
      expect((await browser.open(`${whole.url}/logout`, attempt)).status).toBe(403)
    expect(await me()).toMatchObject({ via: 'cookie' })
  })
})

describe('one way after the other', () => {
  it('the chain ends what the form began', async () => {
    await signInByForm()
    await whole.signIn(browser, 'ada', '/sign-in?return_to=/')
    expect(formCookies()).toEqual([])
    expect(await me()).toMatchObject({ via: 'session', sub: expect.not.stringMatching('testuser') })
    browser.cookies.delete('TEST_APP_SESSION')
    expect(await me()).toMatchObject({ error: 'unauthenticated' })
  })

  it('the form ends what the chain began, and one sign-out is enough', async () => {
    await whole.signIn(browser, 'ada')
    await signInByForm()
    expect(await me()).toMatchObject({ via: 'cookie', sub: 'testuser' })
    await browser.submit(await browser.go(`${whole.url}/logout`), { where: 'here' })
    expect(await me()).toMatchObject({ error: 'unauthenticated' })
  })
})
