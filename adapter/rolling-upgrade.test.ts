// Two releases over one store, as in a rolling upgrade: what the next release adds to records does not disturb this one, whichever
// of them answers which request. Real releases take their turns in e2e/nightly/upgrade.spec.ts.
import type { RequestListener } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAdapter, type Adapter } from './server.ts'
import type { Driver } from './storage/driver.ts'
import { claimsOf } from './test-support/app.ts'
import { useChain } from './test-support/use-chain.ts'

const ADDED = { since: 'the next release', list: [1, { deep: true }] }

const on = useChain({
  storage: 'sqlite',
  config: { clients: { client: { refresh: { when: 'always', rotation: 'always' } } } },
})

let written = 0

/** What a record is, and what is said in it of a login. */
function withNews(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  written += 1
  const { payload } = value as { payload?: object }
  return {
    ...value,
    ...(payload && { payload: { ...payload, added_later: ADDED } }),
    added_later: ADDED,
  }
}

const ofTheNextRelease = (driver: Driver): Driver => ({
  ...driver,
  set: (key, value, ttl) => driver.set(key, withNews(value), ttl),
  setAll: (entries) =>
    driver.setAll(entries.map((entry) => ({ ...entry, value: withNews(entry.value) }))),
  insert: (key, value, ttl) => driver.insert(key, withNews(value), ttl),
  update: (key, version, value, ttl) => driver.update(key, version, withNews(value), ttl),
})

let next: Adapter
/** Who answers, in turn. */
let turns: readonly ('this' | 'next')[] = ['this']

beforeAll(async () => {
  const { config, secrets, log } = on.chain
  const driver = ofTheNextRelease(on.chain.driver)
  next = await createAdapter({ config, driver, secrets, log, version: '1', now: () => Date.now() })
  let requests = 0
  const handler: RequestListener = (request, response) => {
    const turn = turns[requests % turns.length]
    requests += 1
    ;(turn === 'next' ? next : on.chain.adapter).app(request, response)
  }
  on.chain.serve(handler)
})
afterAll(() => next.close())

it.each([
  [['next', 'this']],
  [['this', 'next']],
  [['next', 'next', 'this']],
  [['next', 'this', 'this']],
  [['next', 'next', 'next', 'next', 'this']],
] as const)(
  'F52 answered in turn by %j: login, single sign-on, refresh and logout',
  async (order) => {
    turns = order
    written = 0
    for (let round = 0; round < 5; round += 1) await everythingOnce()
    expect(written).toBeGreaterThan(0)
  },
)

async function everythingOnce(): Promise<void> {
  const { app, secondApp } = on.chain
  const browser = on.chain.newBrowser()
  const request = app.request()
  const visit = await on.chain.signIn(browser, request.url)
  const { status, body } = await app.finish(visit, request)
  expect(status).toBe(200)
  expect(claimsOf(body.access_token)).toMatchObject({ sub: 'testuser', name: 'testuser' })
  expect(claimsOf(body.access_token)).not.toHaveProperty('added_later')
  const second = secondApp.request()
  const silent = await secondApp.finish(await browser.open(second.url), second)
  expect(silent.status).toBe(200)
  const refreshed = await app.redeem('', {
    form: {
      grant_type: 'refresh_token',
      code: undefined,
      refresh_token: body['refresh_token'] as string,
    },
  })
  expect(refreshed.status).toBe(200)
  const alive = async () =>
    Promise.all(
      [silent.body, refreshed.body].map(
        async (tokens) => (await app.userinfo(tokens.access_token)).status,
      ),
    )
  expect(await alive()).toEqual([200, 200])
  const page = await browser.open(`${on.chain.url}/connect/logout`)
  await browser.submit(page, { logout: 'yes' })
  expect(await alive()).toEqual([401, 401])
}
