import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWholeChain } from './whole-chain.ts'
import type { WholeChain } from './whole-chain.ts'

let whole: WholeChain

beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())

const tokenForm = (subjectToken: string, more: Record<string, string> = {}) =>
  new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: subjectToken,
    ...more,
  })

async function exchange(subjectToken: string, more: Record<string, string> = {}) {
  const answer = await fetch(`${whole.issuer}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('client:secret').toString('base64')}` },
    body: tokenForm(subjectToken, more),
  })
  const { access_token: token = '' } = (await answer.json()) as { access_token?: string }
  const part = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}'
  return { status: answer.status, claims: JSON.parse(part) as Record<string, unknown> }
}

describe(startWholeChain, () => {
  it('signs a person in through all three processes', async () => {
    const browser = whole.browser()
    const page = await whole.signIn(browser)
    expect([page.status, page.url]).toEqual([200, `${whole.url}/authenticated`])
    expect(page.text).toContain('Hello, testuser')
    expect(whole.events('login.finished')).toHaveLength(1)
  })

  it("lets this app exchange a branch's token for one of its own, and for its refresh", async () => {
    const answer = await fetch(`${whole.identityUrl}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'single@example.test', password: 'password' }),
    })
    const { data } = (await answer.json()) as { data: { auth: { accessToken: string } } }
    const own = await exchange(data.auth.accessToken)
    expect([own.status, own.claims]).toMatchObject([200, { aud: 'client', sub: 'testuser' }])
    const refresh = await exchange(data.auth.accessToken, { resource: `${whole.url}/refresh` })
    expect(refresh.claims).toMatchObject({ aud: `${whole.url}/refresh`, sub: 'testuser' })
    expect(refresh.claims['exp']).toBe(Number(refresh.claims['iat']) + 7 * 86_400)
  })
})
