// While the store does not answer nobody can tell whether a token lives: neither good nor over, but 503.
import { afterEach, describe, expect, it } from 'vitest'
import { createBreaker } from '../../test-support/breakable-driver.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { answerOf, login, post } from './test-support/token-calls.ts'

const breaker = createBreaker()
const on = useChain({
  wrapDriver: breaker.wrap,
  config: {
    clients: {
      'second-client': { access_token: { format: 'opaque' } },
    },
  },
})
afterEach(() => breaker.mend())

const asked = {
  introspection: (token: string) => post(on.chain, '/oauth2/introspect', { token }),
  revocation: (token: string) => post(on.chain, '/oauth2/revoke', { token }),
  verify: async (token: string) =>
    answerOf(
      await fetch(`${on.chain.url}/verify`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, audience: 'client' }),
      }),
    ),
}

describe('a store that does not answer', () => {
  it.each(Object.entries(asked))('%s: 503, and as before when it is back', async (_name, ask) => {
    const { access_token } = await login(on.chain)
    breaker.break()
    const { status, body } = await ask(access_token)
    expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect(body).not.toHaveProperty('active')
    expect(body).not.toHaveProperty('valid')
    breaker.mend()
    const { body: again } = await asked.introspection(access_token)
    expect(again['active']).toBe(true)
    expect((await ask(access_token)).status).toBe(200)
  })

  it('an opaque token: 503 at userinfo and introspection', async () => {
    const { access_token } = await login(on.chain, {}, on.chain.newBrowser(), on.chain.secondApp)
    breaker.break()
    const { status, body } = await answerOf(await on.chain.secondApp.userinfo(access_token))
    expect([status, body['error']]).toEqual([503, 'temporarily_unavailable'])
    expect((await asked.introspection(access_token)).status).toBe(503)
  })

  it('whichever operation of a revocation fails: it is 503, or the token is over', async () => {
    for (let operation = 1; operation <= 3; operation += 1) {
      const { access_token } = await login(on.chain)
      breaker.breakAt(operation)
      const { status } = await asked.revocation(access_token)
      breaker.mend()
      const { body } = await asked.introspection(access_token)
      expect([operation, status === 200]).toEqual([operation, body['active'] === false])
    }
  })
})
