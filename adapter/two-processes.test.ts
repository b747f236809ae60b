// Two adapters as processes of their own over one store: what follows the upstream asks it once, whoever is asked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../scripts/redis-server.ts'
import { startAdapterProcess, type AdapterProcess } from './test-support/adapter-process.ts'
import { basic, type TokenAnswer } from './test-support/app.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import type { Identity } from './storage/sessions/identities.ts'
import { upstreamTokensKey } from './storage/tokens/release-upstream-tokens.ts'

const FILES = 'https://files.test'
const SCOPE = 'openid profile read offline_access'
const PARALLEL = 50
const ROUNDS = 3

describe.each(['sqlite', 'redis'] as const)('two processes over one %s store', (kind) => {
  let server: RedisServer | undefined
  let processes: AdapterProcess[] = []
  const on = useChain(async () => {
    server = kind === 'redis' ? await startRedis() : undefined
    const storage = server ? { driver: 'redis', url: server.url, prefix: 'two:' } : {}
    const upstream_tokens = [{ upstream: UPSTREAM, audience: FILES, scope: 'openid profile' }]
    const client = {
      scope: SCOPE,
      refresh: { coupling: 'lease', lease: '1h', outage_grace: '1h', rotation: 'always' },
      exchange: { upstream_tokens },
    }
    return {
      ...(server ? {} : { storage: 'sqlite' as const }),
      config: {
        storage,
        upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access' } },
        clients: { client },
      },
    }
  })
  beforeAll(async () => {
    processes = await Promise.all([startAdapterProcess(on.chain), startAdapterProcess(on.chain)])
    // Each refresh token of the upstream works once: a second request with the same one ends the sign-in.
    await on.chain.upstreamControl.setRefresh({ mode: 'reuse_revokes' })
  }, 30_000)
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()))
    await server?.stop()
  })

  const asked = async () => (await on.chain.upstreamControl.requests({ endpoint: 'token' })).length

  async function signIn(): Promise<TokenAnswer['body']> {
    const request = on.chain.app.request({ scope: SCOPE })
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    return (await on.chain.app.finish(visit, request)).body
  }

  /** Half of them at each process. */
  const all = (form: Record<string, string>) =>
    Promise.all(
      Array.from({ length: PARALLEL }, (_, index) =>
        (processes[index % processes.length] as AdapterProcess).post(
          '/oauth2/token',
          form,
          basic('client', 'secret'),
        ),
      ),
    )

  /** What is kept of everybody's upstream was confirmed two hours ago. */
  async function age(): Promise<void> {
    const { driver } = on.chain
    for (const key of await driver.members(`grants-of-upstream:${UPSTREAM}`)) {
      const identity = (await driver.get(key))?.value as Identity
      const tokens = upstreamTokensKey(identity.upstreamTokens ?? '')
      const kept = (await driver.get(tokens))?.value as { identity: Identity }
      const checkedAt = Date.now() - 7_200_000
      await driver.set(key, { ...identity, checkedAt }, 3600)
      const old = { ...kept, identity: { ...kept.identity, checkedAt } }
      await driver.set(tokens, old, 3600)
    }
  }

  /**
   * On a machine that is busy the store may not answer in its half second: then that one is told to try again, and does.
   */
  async function allGood(form: Record<string, string>): Promise<Record<string, unknown>[]> {
    const answers = await all(form)
    const good = answers.filter(({ status }) => status === 200).map(({ body }) => body)
    const late = answers.filter(({ status }) => status !== 200)
    expect(late.map(({ body }) => body['error'])).toEqual(late.map(() => 'temporarily_unavailable'))
    return late.length === 0 ? good : [...good, ...(await allGood(form))]
  }

  it('A21 F49 50 parallel refreshes: the upstream is asked once, and all get the same successor', async () => {
    let token = String((await signIn())['refresh_token'])
    for (let round = 0; round < ROUNDS; round += 1) {
      await age()
      const before = await asked()
      const answers = await allGood({ grant_type: 'refresh_token', refresh_token: token })
      const successors = new Set(answers.map((body) => body['refresh_token']))
      expect(answers.length).toBeGreaterThanOrEqual(PARALLEL)
      expect([successors.size, await asked()]).toEqual([1, before + 1])
      token = String([...successors][0])
    }
  }, 30_000)

  it('A21 50 parallel exchanges for the upstream’s token: it is asked once, and all get that one', async () => {
    const { access_token: subject_token } = await signIn()
    const before = await asked()
    const started = Date.now()
    const answers = await allGood({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token,
      audience: FILES,
    })
    // Those that come within a second share one answer.
    const most = Math.ceil((Date.now() - started) / 1000)
    const given = new Set(answers.map((body) => body['access_token']))
    expect(given.size).toBeLessThanOrEqual(most)
    expect(await asked()).toBe(before + given.size)
  }, 30_000)

  it('A52 a sign-out at one process is seen by the other at once, and the upstream is asked no more', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request({ scope: SCOPE })
    const visit = await on.chain.signIn(browser, request.url)
    const { body } = await on.chain.app.finish(visit, request)
    const url = `${on.chain.url}/connect/logout?id_token_hint=${body.id_token}`
    await browser.submit(await browser.open(url), { logout: 'yes' })
    const before = await asked()
    const form = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }
    const answers = await all(form)
    const told = new Set(answers.map((each) => `${each.status} ${String(each.body['error'])}`))
    told.delete('503 temporarily_unavailable')
    expect([...told]).toEqual(['400 invalid_grant'])
    expect(await asked()).toBe(before)
  })
})
