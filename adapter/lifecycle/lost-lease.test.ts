// Two instances at one sign-in at the same time, because the lease of one ran out while it stood still: nobody is signed out.
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Config } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createSealing } from '../storage/sealing/sealing.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import { silentLog } from '../storage/testing/silent-log.ts'
import { createUpstreamTokens } from '../storage/tokens/upstream-tokens.ts'
import type { Upstream, UpstreamTokens } from '../upstream/upstream.ts'
import { createLifecycle } from './lifecycle.ts'

type Keep = (tokens: UpstreamTokens) => Promise<void>

/** `answer` is what the upstream does with the first request, once the second has its answer; the second gets `second`. */
async function collide(answer: (keep: Keep) => Promise<void>) {
  let time = 1_000_000
  const driver = createMemoryDriver({ now: () => time })
  const tokens = createUpstreamTokens(driver, createSealing([randomBytes(32)]))
  const plain: Identity = {
    accountId: 'a',
    upstream: 'up',
    upstreamIssuer: 'https://up',
    claims: {},
  }
  const grant = { upstream: 'up', iss: 'https://up', sub: 's', refreshToken: 'first' }
  const id = await tokens.create({ ...grant, identity: plain }, 3600)
  const identity = { ...plain, upstreamTokens: id }

  let ended = 0
  let requests = 0
  const instance = () =>
    createLifecycle({
      clients: { app: { refresh: { coupling: 'strict' } } } as unknown as Config['clients'],
      upstreams: {},
      session: {} as Config['session'],
      upstreamNamed: () => ({ refresh }) as unknown as Upstream,
      tokens,
      mapIdentity: async () => plain,
      provenAcrs: () => [],
      endSession: async () => void (ended += 1),
      log: silentLog,
      now: () => time,
    })
  const [one, other] = [instance(), instance()]
  const request = { identity, clientId: 'app', sessionUid: 'uid' }
  async function refresh(_token: string, _expected: unknown, keep: Keep) {
    requests += 1
    if (requests === 2) return void (await keep({ refresh_token: 'second' }))
    time += 11_000
    await other.refresh(request)
    await answer(keep)
  }
  const code = await one.refresh(request).then(
    () => 'done',
    (error: unknown) => (error as UpstreamError).code,
  )
  return { code, ended, requests, kept: (await tokens.read(id))?.grant.refreshToken }
}

describe('a lease that is lost', () => {
  it('A21 the late answer is not stored over the newer one, and ends nothing', async () => {
    const { code, ended, requests, kept } = await collide((keep) => keep({ refresh_token: 'late' }))
    expect(requests).toBe(2)
    expect([code, ended, kept]).toEqual(['unavailable', 0, 'second'])
  })

  it('A21 that the token was used by the other is no end either', async () => {
    const used = async () => {
      throw new UpstreamError('refresh_rejected', 'up', 'It was used before')
    }
    const { code, ended, kept } = await collide(used)
    expect([code, ended, kept]).toEqual(['unavailable', 0, 'second'])
  })
})
