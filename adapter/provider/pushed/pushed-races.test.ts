// One pushed request brought back many times at once, to two instances: answered once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../../../scripts/redis-server.ts'
import { startSecondInstance, type SecondInstance } from '../../test-support/second-instance.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { post } from '../endpoints/test-support/token-calls.ts'

const PARALLEL = 50
/** Odd, so that each asks both instances. */
const BROWSERS = 11

describe.each(['sqlite', 'redis'] as const)('on %s', (kind) => {
  let redis: RedisServer | undefined
  const on = useChain(async () => {
    if (kind === 'sqlite') return { storage: 'sqlite' }
    redis = await startRedis()
    const storage = { driver: 'redis', url: redis.url, prefix: 'par:' }
    return { config: { storage } }
  })
  let second: SecondInstance
  beforeAll(async () => {
    second = await startSecondInstance(on.chain)
  })
  afterAll(async () => {
    await second.close()
    await redis?.stop()
  })

  async function signedIn(): Promise<string> {
    const browser = on.chain.newBrowser()
    await on.chain.signIn(browser, on.chain.app.request().url)
    return browser.cookieHeader(`${on.chain.url}/oauth2/authorize`)
  }

  it('C31 one request_uri 50 times at two instances: exactly one code', async () => {
    // A session that fifty requests save at once is another matter.
    const cookies = await Promise.all(Array.from({ length: BROWSERS }, signedIn))
    const { url } = on.chain.app.request()
    const pushed = await post(on.chain, '/oauth2/par', Object.fromEntries(url.searchParams))
    const query = new URLSearchParams({
      client_id: 'client',
      request_uri: String(pushed.body['request_uri']),
    })
    const ask = async (_: unknown, index: number) => {
      const base = index % 2 ? second.url : on.chain.url
      const response = await fetch(`${base}/oauth2/authorize?${query.toString()}`, {
        redirect: 'manual',
        headers: { cookie: cookies[index % BROWSERS] ?? '' },
      })
      const location = URL.parse(response.headers.get('location') ?? '')
      const error = location?.searchParams.get('error') ?? 'none'
      return location?.searchParams.has('code') ? 'code' : `${response.status} ${error}`
    }
    const answers = await Promise.all(Array.from({ length: PARALLEL }, ask))
    const refusals = answers.filter((answer) => answer !== 'code')
    expect(refusals).toHaveLength(PARALLEL - 1)
    for (const refusal of refusals) expect(refusal).toMatch(/^(302 invalid_request_uri|400 none)$/)
  })
})
