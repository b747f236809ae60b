import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN_TOKEN } from '../../adapter/test-support/chain.ts'
import { formOf } from '../../adapter/test-support/browser.ts'
import { useClock } from '../../adapter/test-support/use-chain.ts'
import { askGraphql } from '../testing/ask-graphql.ts'
import { OWN_SCRIPT } from '../testing/browser.ts'
import type { TestBrowser } from '../testing/browser.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain
let browser: TestBrowser

beforeAll(async () => {
  whole = await startWholeChain()
})
afterAll(() => whole.close())
const clock = useClock()
beforeEach(async () => {
  browser = whole.browser()
  const variables = { email: 'single@example.test', password: 'password' }
  const { result } = await askGraphql(browser, whole.url, 'login', variables)
  expect(result['code']).toBe('SIGNED_IN')
})
afterEach(() => whole.chain.serve((req, res) => void whole.chain.adapter.app(req, res)))

const statusOf = async (as = browser) =>
  (await as.open(`${whole.url}/api/me`, { headers: OWN_SCRIPT })).status

async function operator(path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${whole.chain.adminUrl}/api/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Record<string, unknown>
}

describe('an operator of the adapter', () => {
  it.each([
    ['of the person', { user: 'testuser' }],
    ['of the app', { client: 'client' }],
    ['of the upstream', { upstream: 'test-auth-server' }],
    ['all', { all: true }],
  ])('A52 who revokes the sessions %s ends what began at /login.html', async (_name, order) => {
    await operator('sessions/revoke', order)
    clock.advance(301)
    expect(await statusOf()).toBe(401)
    expect(whole.events('token_login.ended').at(-1)).toMatchObject({
      reason: 'refresh_token_revoked',
    })
  })
  it('A52 who revokes them in the middle of a refresh ends what comes of it, too', async () => {
    const { app } = whole.chain.adapter
    let revoked: Promise<unknown> | undefined
    whole.chain.serve((req, res) => {
      if (req.url !== '/oauth2/token') return void app(req, res)
      revoked ??= operator('sessions/revoke', { user: 'testuser' })
      void revoked.then(() => app(req, res))
    })
    clock.advance(301)
    expect(await statusOf()).toBe(401)
    expect(revoked).toBeDefined()
    whole.chain.serve((req, res) => void app(req, res))
    expect(await operator('sessions/revoke', { user: 'testuser' })).toMatchObject({ grants: 0 })
  })

  it('A52 who forgets a person ends it likewise', async () => {
    expect(await operator('forget', { sub: 'testuser' })).toMatchObject({ left: {} })
    clock.advance(301)
    expect(await statusOf()).toBe(401)
  })
})

describe('signing out on the page', () => {
  it('works when the access token is over and the adapter is away', async () => {
    clock.advance(301)
    whole.chain.serve((_req, res) => void res.writeHead(503).end())
    const page = await browser.open(`${whole.url}/logout`)
    const form = formOf({ body: page.text, url: new URL(page.url) })
    await browser.open(form.action.href, { form: { ...form.fields, where: 'here' } })
    whole.chain.serve((req, res) => void whole.chain.adapter.app(req, res))
    expect([...browser.cookies.keys()].filter((name) => name.endsWith('_REFRESH'))).toEqual([])
    expect(await statusOf()).toBe(401)
  })
})
