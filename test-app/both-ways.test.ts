// Both ways to sign in at this app end in the same person, with the same claims.
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askGraphql } from './testing/ask-graphql.ts'
import { OWN_SCRIPT } from './testing/browser.ts'
import type { TestBrowser } from './testing/browser.ts'
import { startWholeChain } from './testing/whole-chain.ts'
import type { WholeChain } from './testing/whole-chain.ts'

let whole: WholeChain
beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())

async function byChain(username: string): Promise<TestBrowser> {
  const browser = whole.browser()
  await whole.signIn(browser, username)
  return browser
}

async function byForm(email: string): Promise<TestBrowser> {
  const browser = whole.browser()
  const { result } = await askGraphql(browser, whole.url, 'login', { email, password: 'password' })
  const [branch] = (result['branches'] ?? []) as { id: string }[]
  if (branch) await askGraphql(browser, whole.url, 'selectBranch', { branchId: branch.id })
  return browser
}

async function meOf(browser: TestBrowser) {
  const answer = await browser.open(`${whole.url}/api/me`, { headers: OWN_SCRIPT })
  expect(answer.status).toBe(200)
  const { access_token_expires_at: until, via, ...me } = JSON.parse(answer.text)
  expect(Date.parse(until)).toBeGreaterThan(Date.now())
  return { via, me }
}

describe('both ways to sign in', () => {
  it.each([
    ['testuser', 'single@example.test'],
    ['multi', 'multi@example.test'],
  ])('say the same of %s and %s, everywhere in this app', async (username, email) => {
    const [chain, form] = [await byChain(username), await byForm(email)]
    const [one, other] = [await meOf(chain), await meOf(form)]
    expect([one.via, other.via]).toEqual(['session', 'cookie'])
    expect(other.me).toEqual(one.me)
    expect(one.me).toMatchObject({ preferred_username: username, scope: 'openid profile read' })
    for (const field of ['me', 'clients'] as const) {
      const [here, there] = [
        await askGraphql(chain, whole.url, field),
        await askGraphql(form, whole.url, field),
      ]
      const lasting = ({ via: _via, expiresAt: _expiresAt, ...more }: typeof here.result) => more
      expect(lasting(there.result)).toEqual(lasting(here.result))
      expect(Object.keys(lasting(here.result))).not.toEqual([])
    }
  })

  it('end in tokens that the adapter minted, and that its userinfo takes', async () => {
    const form = await byForm('single@example.test')
    const token = form.cookies.get('TEST_APP_ACCESS') ?? ''
    expect(decodeJwt(token)).toMatchObject({ iss: whole.issuer, aud: 'client', sub: 'testuser' })
    expect((await whole.chain.app.userinfo(token)).status).toBe(200)
    const refresh = form.cookies.get('TEST_APP_REFRESH') ?? ''
    expect(decodeJwt(refresh)).toMatchObject({ iss: whole.issuer, aud: `${whole.url}/refresh` })
    expect((await whole.chain.app.userinfo(refresh)).status).toBe(401)
  })

  it('are taken as a bearer token, too', async () => {
    const form = await byForm('single@example.test')
    const authorization = `Bearer ${form.cookies.get('TEST_APP_ACCESS')}`
    const bearer = whole.browser()
    const answer = await bearer.open(`${whole.url}/api/me`, {
      headers: { ...OWN_SCRIPT, authorization },
    })
    expect(JSON.parse(answer.text)).toMatchObject({ sub: 'testuser', via: 'bearer' })
    const refresh = `Bearer ${form.cookies.get('TEST_APP_REFRESH')}`
    const refused = await bearer.open(`${whole.url}/api/me`, {
      headers: { ...OWN_SCRIPT, authorization: refresh },
    })
    expect(refused.status).toBe(401)
  })
})
