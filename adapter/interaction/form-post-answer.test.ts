// An upstream that answers by a form from its own site: the form arrives without our cookies, and the login goes on.
import { describe, expect, it } from 'vitest'
import { claimsOf } from '../test-support/app.ts'
import { formOf } from '../test-support/browser.ts'
import { useChain } from '../test-support/use-chain.ts'

describe('an upstream with response_mode: form_post', () => {
  const on = useChain({
    config: { upstreams: { 'test-auth-server': { response_mode: 'form_post' } } },
  })

  async function answered() {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const page = await on.chain.signIn(browser, request.url)
    expect(page.hops.some(({ url }) => url.searchParams.get('response_mode') === 'form_post')).toBe(
      true,
    )
    return { browser, request, ...formOf(page) }
  }

  /** As a browser sends it from another site: SameSite=Lax keeps every cookie of ours at home. */
  const post = (action: URL, fields: Record<string, string>) =>
    fetch(action, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })

  it('F65 the form is turned into a GET, which brings the cookies along', async () => {
    const { browser, request, action, fields } = await answered()
    const turned = await post(action, fields)
    expect(turned.status).toBe(303)
    const target = new URL(turned.headers.get('location') ?? '', on.chain.url)
    expect(target.pathname).toBe('/login/oauth2/code/test-auth-server')
    expect(Object.fromEntries(target.searchParams)).toEqual(fields)
    const { status, body } = await on.chain.app.finish(await browser.open(target), request)
    expect([status, claimsOf(body.access_token)['sub']]).toEqual([200, 'testuser'])
  })

  it('F65 the form alone does nothing: no session, and the state is still to be taken', async () => {
    const { browser, request, action, fields } = await answered()
    for (let times = 0; times < 3; times += 1)
      expect((await post(action, fields)).headers.getSetCookie()).toEqual([])
    const done = await browser.open(`${action.href}?${new URLSearchParams(fields).toString()}`)
    expect((await on.chain.app.finish(done, request)).status).toBe(200)
  })

  it('A10 A39 only what an answer may carry goes on, and only to ourselves', async () => {
    const action = new URL('/login/oauth2/code/test-auth-server', on.chain.url)
    const turned = await post(action, {
      code: 'a\r\nset-cookie: x=1',
      state: '//evil.example',
      next: 'https://evil.example',
    })
    const location = turned.headers.get('location') ?? ''
    expect(location).toBe(
      '/login/oauth2/code/test-auth-server?code=a%0D%0Aset-cookie%3A+x%3D1&state=%2F%2Fevil.example',
    )
    expect(turned.headers.getSetCookie()).toEqual([])
  })

  it('A30 a form of more than 56 kB is refused', async () => {
    const action = new URL('/login/oauth2/code/test-auth-server', on.chain.url)
    expect((await post(action, { code: 'x'.repeat(60_000) })).status).toBe(413)
  })
})

describe('an upstream that answers in the URL', () => {
  const on = useChain()

  it.each(['test-auth-server', 'nobody', '__proto__'])(
    'a form to the callback of %s is no answer',
    async (name) => {
      const action = `${on.chain.url}/login/oauth2/code/${name}`
      const answer = await fetch(action, {
        method: 'POST',
        body: new URLSearchParams({ code: 'c', state: 's' }),
        redirect: 'manual',
      })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET'])
    },
  )
})
