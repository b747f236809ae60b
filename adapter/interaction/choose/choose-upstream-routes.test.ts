// Two upstreams, one of which signs everybody in at once, and apps that may use both, or one of them.
import { afterAll, describe, expect, it } from 'vitest'
import type { Visit } from '../../test-support/browser.ts'
import { UPSTREAM } from '../../test-support/chain.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from '../../upstream/test-support/evil-idp.ts'

let partner: EvilIdp
const on = useChain(async () => {
  partner = await startEvilIdp()
  return {
    upstreams: { partner: partner.issuer },
    config: {
      default_upstream: undefined,
      upstreams: { partner: { display_name: 'The <Partner>', domains: ['kite.example'] } },
      clients: { 'second-client': { upstreams: ['partner'] } },
    },
  }
})
afterAll(() => partner.close())

const answerOf = (visit: Visit) => Object.fromEntries(visit.url.searchParams)
const linksOf = ({ body }: Visit) =>
  [...body.matchAll(/href="(\/oauth2\/authorization\?[^"]+)"/g)].map(([, href]) =>
    (href as string).replaceAll('&amp;', '&'),
  )
const nameOf = (href: string) => new URLSearchParams(href.split('?')[1]).get('upstream')

async function chooserIn(browser = on.chain.newBrowser(), parameters = {}) {
  const request = on.chain.app.request(parameters)
  const page = await browser.open(request.url)
  const links = Object.fromEntries(linksOf(page).map((href) => [nameOf(href), href]))
  const open = (path: string) => browser.open(new URL(path, on.chain.url))
  return { browser, request, page, links, open }
}

async function subOf(visit: Visit, request: ReturnType<typeof on.chain.app.request>) {
  const { body } = await on.chain.app.finish(visit, request)
  return (
    JSON.parse(Buffer.from(body.id_token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >
  )['sub'] as string
}

describe('the chooser', () => {
  it('offers what the app may use, by name, and goes on where the person chose', async () => {
    const { page, links, open, request } = await chooserIn()
    expect(page.hops.map(({ status, url }) => `${url.pathname} ${status}`)).toEqual([
      '/oauth2/authorize 302',
      '/oauth2/authorization 200',
    ])
    expect(page.body).toContain('The &lt;Partner&gt;')
    expect(page.body).toContain('App client')
    expect(Object.keys(links)).toEqual([UPSTREAM, 'partner'])
    const done = await open(links['partner'] ?? '')
    expect(await subOf(done, request)).toMatch(/^partner:/)
  })

  it('puts the last choice first the next time, and only that', async () => {
    const first = await chooserIn()
    await first.open(first.links['partner'] ?? '')
    expect(first.browser.cookie('AUTH_ADAPTER_UPSTREAM')).toMatchObject({
      value: 'partner',
      path: '/',
      attributes: expect.arrayContaining(['HttpOnly', 'SameSite=Lax']) as unknown,
    })
    const again = await chooserIn(first.browser, { prompt: 'login' })
    expect(Object.keys(again.links)).toEqual(['partner', UPSTREAM])
    const cookie = first.browser.cookie('AUTH_ADAPTER_UPSTREAM')
    if (cookie) cookie.value = '<nobody>'
    const planted = await chooserIn(first.browser, { prompt: 'login' })
    expect(Object.keys(planted.links)).toEqual([UPSTREAM, 'partner'])
  })

  it('A15 an address leads by its domain, without a redirect that the form could not follow', async () => {
    const { browser, page, request, links } = await chooserIn()
    const found = await browser.submit(page, { email: ' Ada@KITE.example ' })
    expect(found.status).toBe(200)
    expect(linksOf(found).map(nameOf)).toEqual(['partner'])
    const [, path = ''] = /^0;url=(.*)$/.exec(found.headers.get('refresh') ?? '') ?? []
    const done = await browser.open(new URL(path, on.chain.url))
    expect(await subOf(done, request)).toMatch(/^partner:/)
    expect(Object.keys(links)).toHaveLength(2)
  })

  it.each(['ada@evilkite.example', 'ada@kite.example@evil.example', 'kite.example', ''])(
    'A15 an address of nobody here: %j is asked for again',
    async (email) => {
      const { browser, page } = await chooserIn()
      const again = await browser.submit(page, { email })
      expect([again.status, again.headers.get('refresh')]).toEqual([422, null])
      expect(linksOf(again).map(nameOf)).toEqual([UPSTREAM, 'partner'])
    },
  )

  it('A03 is shown in the browser that began the login, and in no other', async () => {
    const { page, links } = await chooserIn()
    const other = on.chain.newBrowser()
    await other.open(on.chain.app.request().url)
    for (const url of [page.url, new URL(links['partner'] ?? '', on.chain.url)])
      expect((await other.open(url)).status).toBe(400)
    expect((await other.open(page.url, { form: { email: 'a@kite.example' } })).status).toBe(400)
  })

  it('takes no upstream that is not on it, and no other method', async () => {
    const { page, open, browser } = await chooserIn()
    const own = page.url.pathname + page.url.search
    for (const wrong of ['nobody', '__proto__', 'partner&upstream=partner'])
      expect((await open(`${own}&upstream=${wrong}`)).status).toBe(404)
    const put = await fetch(page.url, {
      method: 'PUT',
      headers: { cookie: browser.cookieHeader(page.url) },
    })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST'])
  })

  it('is not for a login that ends in an error anyway', async () => {
    const { browser, open, links } = await chooserIn()
    await open(links['partner'] ?? '')
    const asked = await browser.open(on.chain.app.request({ prompt: 'consent' }).url)
    expect(answerOf(asked)).toMatchObject({ error: 'consent_required' })
  })
})

describe('what the app asks for', () => {
  it.each([
    { upstream: 'partner' },
    { kc_idp_hint: 'partner' },
    { connector_id: 'partner' },
    { idp_hint: 'partner' },
    { domain_hint: 'kite.example' },
    { login_hint: 'ada@Kite.example' },
  ])('%j goes there without the chooser', async (hint) => {
    const { page, request } = await chooserIn(undefined, hint)
    expect(await subOf(page, request)).toMatch(/^partner:/)
  })

  it.each([
    { upstream: 'nobody' },
    { upstream: 'partner', kc_idp_hint: UPSTREAM },
    { domain_hint: 'nobody.example' },
    { upstream: 'nobody', prompt: 'none' },
  ])('%j: invalid_request, also with a session, never another upstream', async (hint) => {
    const signedIn = await chooserIn()
    await signedIn.open(signedIn.links['partner'] ?? '')
    for (const browser of [on.chain.newBrowser(), signedIn.browser]) {
      const { page, request } = await chooserIn(browser, hint)
      expect(answerOf(page)).toMatchObject({
        error: 'invalid_request',
        state: request.state,
        iss: on.chain.issuer,
      })
    }
  })

  it('an upstream that the client may not use: invalid_request; its only one without asking', async () => {
    const { secondApp } = on.chain
    const forbidden = secondApp.request({ upstream: UPSTREAM })
    const refused = await on.chain.newBrowser().open(forbidden.url)
    expect(answerOf(refused)).toMatchObject({ error: 'invalid_request', state: forbidden.state })
    const done = await on.chain.newBrowser().open(secondApp.request().url)
    expect(answerOf(done)['code']).toBeTruthy()
  })

  it('the start of a login elsewhere than it was sent: 404', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.secondApp.request()
    const held = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorization/'),
    })
    expect(held.url.pathname).toBe('/oauth2/authorization/partner')
    const elsewhere = new URL(held.url.href.replace('/partner?', `/${UPSTREAM}?`))
    expect((await browser.open(elsewhere)).status).toBe(404)
    expect(answerOf(await browser.open(held.url))['code']).toBeTruthy()
  })
})

describe('a session of one upstream', () => {
  async function signedInAtFirst() {
    const first = await chooserIn()
    const start = new URL(first.links[UPSTREAM] ?? '', on.chain.url)
    await on.chain.signIn(first.browser, start)
    return first.browser
  }

  it('answers what does not ask for another', async () => {
    const browser = await signedInAtFirst()
    for (const hint of [{}, { upstream: UPSTREAM }, { login_hint: 'a@kite.example' }]) {
      const { page, request } = await chooserIn(browser, hint)
      expect(await subOf(page, request)).toBe('testuser')
    }
  })

  it('another that is asked for is asked, and its person takes over', async () => {
    const browser = await signedInAtFirst()
    const silent = await chooserIn(browser, { upstream: 'partner', prompt: 'none' })
    expect(answerOf(silent.page)).toMatchObject({ error: 'login_required' })
    const { page, request } = await chooserIn(browser, { upstream: 'partner' })
    const done = await browser.submit(page)
    expect(await subOf(done, request)).toMatch(/^partner:/)
    const next = await chooserIn(browser)
    expect(await subOf(next.page, next.request)).toMatch(/^partner:/)
  })

  it('is no answer to an app that may not use it', async () => {
    const browser = await signedInAtFirst()
    const silent = await browser.open(on.chain.secondApp.request({ prompt: 'none' }).url)
    expect(answerOf(silent)).toMatchObject({ error: 'login_required' })
    const before = partner.count('GET /authorize')
    const switching = await browser.open(on.chain.secondApp.request().url)
    expect(partner.count('GET /authorize')).toBe(before + 1)
    expect(answerOf(await browser.submit(switching))['code']).toBeTruthy()
  })
})

describe('F14 two upstreams, one of them dead', () => {
  const noticeAt = (body: string, name: string) =>
    new RegExp(`upstream=${name}"[^<]*><span>[^<]*<br */?><small>Not available`).test(body)

  it('the chooser is shown, says which one is dead, and leads to both; and says nothing once it is back', async () => {
    const { page, links, open, browser } = await chooserIn()
    expect(page.body).not.toContain('Not available')
    partner.behaviour = {
      answer: { '/token': (_request, response) => response.writeHead(503).end() },
    }
    const failed = await open(links['partner'] ?? '')
    expect(failed.status).toBe(502)
    const [, back = ''] = /href="([^"]+)">Choose another way to sign in</.exec(failed.body) ?? []
    expect(linksOf(await open(back))).toHaveLength(2)
    const before = partner.requests.length
    const again = await chooserIn(browser)
    expect(again.page.status).toBe(200)
    expect(noticeAt(again.page.body, 'partner')).toBe(true)
    expect(noticeAt(again.page.body, UPSTREAM)).toBe(false)
    expect(Object.keys(again.links).toSorted()).toEqual(['partner', UPSTREAM].toSorted())
    expect(partner.requests).toHaveLength(before)
    partner.behaviour = {}
    const done = await again.open(again.links['partner'] ?? '')
    expect(await subOf(done, again.request)).toMatch(/^partner:/)
    const last = await chooserIn(browser, { prompt: 'login' })
    expect(last.page.body).not.toContain('Not available')
  })
})
