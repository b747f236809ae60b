// kill -9 at each step of a login while three adapters serve: the person reloads at most, or begins again at the app, and is in.
// What happens when the other two parts of the chain die is in restart.spec.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import { startAdapterGroup, type AdapterGroup } from './support/adapter-group.ts'
import { expect, test } from './support/fixtures.ts'
import { refreshTokens } from './support/http-client.ts'
import type { Part } from './support/part.ts'
import { login } from './support/steady-load.ts'
import { insist, stubbornLogin, type Hop } from './support/stubborn-login.ts'

const USUAL = process.env['AUTH_ADAPTER_NIGHTLY'] === '1' ? 100 : 1
const REPEATS = Number(process.env['AUTH_ADAPTER_KILL_REPEATS'] ?? USUAL)
const MS_EACH = 15_000
/** From before the request is read to after its answer is sent. */
const LONGEST_REQUEST_MS = 15

let group: AdapterGroup
const starting: Promise<void>[] = []
test.beforeAll(async () => {
  test.setTimeout(60_000)
  group = await startAdapterGroup()
})
test.afterAll(async () => {
  await Promise.all(starting)
  await group.stop()
})

const UPSTREAM = /^\/oauth2\/authorize$/
type Owner = 'adapterUrl' | 'upstreamUrl'

interface Step {
  name: string
  owner: Owner
  path: RegExp
  method?: Hop['method']
}

const STEPS: readonly Step[] = [
  { name: 'the authorization request', owner: 'adapterUrl', path: /^\/oauth2\/authorize$/ },
  {
    name: 'the choice of the upstream',
    owner: 'adapterUrl',
    path: /^\/oauth2\/authorization\/test-auth-server$/,
  },
  { name: 'the authorization request upstream', owner: 'upstreamUrl', path: UPSTREAM },
  { name: 'the form', owner: 'upstreamUrl', path: /^\/login$/ },
  { name: 'the form is sent', owner: 'upstreamUrl', path: /^\/login$/, method: 'POST' },
  { name: 'the upstream goes on', owner: 'upstreamUrl', path: /^\/oauth2\/authorize\/./ },
  { name: 'the callback', owner: 'adapterUrl', path: /^\/login\/oauth2\/code\/./ },
  { name: 'resume', owner: 'adapterUrl', path: /^\/oauth2\/authorize\/./ },
  { name: 'the token call', owner: 'adapterUrl', path: /^\/oauth2\/token$/, method: 'POST' },
]

/** Ends the process in the middle of its work; another one takes its place meanwhile. */
async function killAndStart(index: number): Promise<void> {
  const adapter = group.adapters[index] as Part
  const end = await adapter.kill()
  expect(end?.signal).toBe('SIGKILL')
  starting.push(adapter.start())
}

async function killWhileItWorks(): Promise<void> {
  const index = await group.balancer.next()
  await sleep(Math.random() * LONGEST_REQUEST_MS)
  await killAndStart(index)
}

/** Harm at the first request of `step`: to the one that has it in hand, or that had the last one of this login. */
function harmAt({ owner, path, method = 'GET' }: Step) {
  let isDone = false
  return async <T>(hop: Hop, request: () => Promise<T>): Promise<T> => {
    const isStep =
      hop.url.origin === group.chain[owner] && path.test(hop.url.pathname) && hop.method === method
    if (isDone || !isStep) return request()
    isDone = true
    if (owner === 'upstreamUrl') {
      await killAndStart(group.balancer.last())
      return request()
    }
    const [outcome] = await Promise.allSettled([request(), killWhileItWorks()])
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  }
}

for (const step of STEPS) {
  test(`F45 killed at ${step.name} (${REPEATS} times): reloaded or begun again, the person is in`, async () => {
    test.setTimeout(30_000 + REPEATS * MS_EACH)
    const before = starting.length
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      await group.balancer.ready(2)
      const { starts, forms, pages } = await stubbornLogin(group.chain, { send: harmAt(step) })
      expect(starts).toBeLessThanOrEqual(2)
      // F46 F48: what the upstream knows already it is not told again, or once more at most.
      expect(forms).toBeLessThanOrEqual(step.name === 'the form is sent' ? 2 : 1)
      for (const status of pages) expect(status).toBeLessThan(500)
    }
    expect(starting.length - before).toBe(REPEATS)
  })
}

test(`F45 F49 killed at a refresh (${REPEATS} times): the same token works at another`, async () => {
  test.setTimeout(30_000 + REPEATS * MS_EACH)
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    await group.balancer.ready(2)
    const { refresh_token: used = '' } = await login(group.chain)
    const lost = Promise.allSettled([refreshTokens(group.chain, used), killWhileItWorks()])
    const [first] = await lost
    const again = await insist(() => refreshTokens(group.chain, used))
    if (first.status === 'fulfilled') expect(again.refresh_token).toBe(first.value.refresh_token)
    const after = await insist(() => refreshTokens(group.chain, again.refresh_token ?? ''))
    expect(after.refresh_token).not.toBe(again.refresh_token)
  }
})
