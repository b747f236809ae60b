import { afterAll, beforeAll, expect, it } from 'vitest'
import { askGraphql } from '../testing/ask-graphql.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

let whole: WholeChain

beforeAll(async () => {
  const claims = { department: { constant: 'x'.repeat(3000) } }
  whole = await startWholeChain({ config: { upstreams: { 'test-auth-server': { claims } } } })
})
afterAll(() => whole.close())

it('a token that no browser keeps in a cookie signs nobody in, and the log says why', async () => {
  const browser = whole.browser()
  const variables = { email: 'single@example.test', password: 'password' }
  const { result } = await askGraphql(browser, whole.url, 'login', variables)
  expect(result['code']).toBe('EXCHANGE_REFUSED')
  expect([...browser.cookies.keys()].filter((name) => name.endsWith('_ACCESS'))).toEqual([])
  expect(whole.events('token_login.refused').at(-1)).toMatchObject({
    failure: 'answer_invalid',
    reason: 'A token of the adapter is too long for a cookie',
  })
  const page = await whole.signIn(browser)
  expect([page.status, page.url]).toEqual([200, `${whole.url}/authenticated`])
})
