import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAvailability } from './availability.ts'
import { startEvilIdp } from './test-support/evil-idp.ts'
import type { EvilIdp } from './test-support/evil-idp.ts'
import { recordingLog, upstreamConfig } from './test-support/login.ts'
import { createUpstreams } from './upstreams.ts'
import type { Upstreams } from './upstreams.ts'

let idp: EvilIdp
let upstreams: Upstreams

beforeEach(async () => {
  idp = await startEvilIdp()
  const config = { a: upstreamConfig(idp.issuer) }
  upstreams = createUpstreams({ upstreams: config, now: Date.now, log: recordingLog() })
})
afterEach(async () => {
  await upstreams.close()
  await idp.close().catch(() => {})
})

const request = {
  redirect_uri: 'http://127.0.0.1:9000/login/oauth2/code/a',
  state: 's',
  nonce: 'n',
  codeVerifier: 'v'.repeat(43),
}
const begin = () => upstreams.get('a')?.authorizationUrl(request) as Promise<URL>
const state = () => upstreams.status('a').state

async function redeem(): Promise<unknown> {
  return upstreams.get('a')?.redeem(await idp.visit(await begin()), request)
}

describe(createAvailability, () => {
  it('knows nothing before the first sign-in, and asks nothing for it', async () => {
    expect(state()).toBe('unknown')
    expect(upstreams.status('nobody').state).toBe('unknown')
    await sleep(50)
    expect(idp.requests).toEqual([])
  })

  it('says up after a whole sign-in, down when the upstream can not be reached, and since when', async () => {
    await redeem()
    expect(state()).toBe('up')
    const parameters = await idp.visit(await begin())
    await idp.close()
    const before = Date.now()
    await upstreams
      .get('a')
      ?.redeem(parameters, request)
      .catch(() => {})
    expect(state()).toBe('down')
    expect(upstreams.status('a').since).toBeGreaterThanOrEqual(before - 1)
    await idp.reopen()
    await redeem()
    expect(state()).toBe('up')
  })

  it('is not taken in by metadata that is still at hand: what failed was the redemption', async () => {
    const parameters = await idp.visit(await begin())
    idp.behaviour = { answer: { '/token': (_request, response) => response.writeHead(503).end() } }
    await upstreams
      .get('a')
      ?.redeem(parameters, request)
      .catch(() => {})
    await begin()
    expect(state()).toBe('down')
  })

  it('does not call an upstream down that refuses one person', async () => {
    const parameters = await idp.visit(await begin())
    parameters.set('code', 'wrong')
    await upstreams
      .get('a')
      ?.redeem(parameters, request)
      .catch(() => {})
    expect(state()).not.toBe('down')
  })

  it('F01 asks one that is down after 1, 2, 4 … 30 s whether it is back, until it is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const [startedAt, asked]: [number, number[]] = [0, []]
    let elapsed = startedAt
    const availability = createAvailability({
      isBack: async () => asked.push(elapsed) > 8,
      now: Date.now,
    })
    availability.failed()
    for (; elapsed < 300; elapsed += 1) {
      await vi.advanceTimersByTimeAsync(1000)
      availability.status()
    }
    expect(asked.map((at) => at + 1)).toEqual([1, 3, 7, 15, 31, 61, 91, 121, 151])
    expect(availability.status().state).toBe('unknown')
  })

  it('F01 knows of the return within seconds, though nobody tries and nobody looks', async () => {
    await idp.close()
    await begin().catch(() => {})
    expect(state()).toBe('down')
    await idp.reopen()
    await expect.poll(state, { timeout: 5000 }).toBe('unknown')
    expect(await begin()).toBeInstanceOf(URL)
    expect(state()).toBe('up')
  })

  it('asks nobody any more once it is closed', async () => {
    await idp.close()
    await begin().catch(() => {})
    await upstreams.close()
    await idp.reopen()
    idp.requests.length = 0
    await sleep(1300)
    expect(idp.requests).toEqual([])
  })
})
