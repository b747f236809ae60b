// One upstream of two fails: what people meet, and that nobody at the other notices.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

let partner: EvilIdp
let colleague: EvilIdp
const on = useChain(async () => {
  partner = await startEvilIdp()
  colleague = await startEvilIdp()
  return {
    upstreams: { partner: partner.issuer, colleague: colleague.issuer },
    config: { default_upstream: undefined },
  }
})
afterAll(() => Promise.all([partner.close(), colleague.close()]))
beforeEach(() => {
  partner.behaviour = {}
  partner.requests.length = 0
})

async function signIn(upstream: string) {
  const request = on.chain.app.request({ upstream })
  const startedAt = performance.now()
  const visit = await on.chain.newBrowser().open(request.url)
  return { request, visit, tookMs: performance.now() - startedAt }
}

const refuse = (path: string, status: number, headers: Record<string, string> = {}) => {
  partner.behaviour = {
    answer: { [path]: (_request, response) => response.writeHead(status, headers).end() },
  }
}

describe('an upstream that fails each time', () => {
  it('F04 the page each time; from the sixth on at once and without a request; back within 2 s of its return', async () => {
    await signIn('partner')
    refuse('/token', 503, { 'retry-after': '3600' })
    partner.requests.length = 0
    for (let login = 0; login < 8; login += 1) {
      const { visit } = await signIn('partner')
      expect(visit.status).toBe(502)
      expect(visit.body).toContain('Try again')
    }
    expect(partner.count('POST /token')).toBe(5)
    const other = await signIn('colleague')
    expect(await on.chain.app.finish(other.visit, other.request)).toMatchObject({ status: 200 })
    partner.behaviour = {}
    const backAt = performance.now()
    await expect
      .poll(async () => (await signIn('partner')).visit.status !== 502, {
        timeout: 5000,
      })
      .toBe(true)
    expect(performance.now() - backAt).toBeLessThan(2000)
    const last = await signIn('partner')
    expect(await on.chain.app.finish(last.visit, last.request)).toMatchObject({ status: 200 })
  })

  it('F01 F04 a redirect of its token endpoint is not followed', async () => {
    refuse('/token', 302, { location: `${colleague.issuer}/token` })
    colleague.requests.length = 0
    expect((await signIn('partner')).visit.status).toBe(502)
    expect(colleague.requests).toEqual([])
  })

  it('F01 logins at another upstream are no slower while one is gone', async () => {
    const median = async () => {
      const took: number[] = []
      for (let login = 0; login < 9; login += 1) took.push((await signIn('colleague')).tookMs)
      return took.toSorted((a, b) => a - b)[4] as number
    }
    await median()
    const before = await median()
    partner.behaviour = { answer: { '/token': () => true } }
    const hung = Promise.all(Array.from({ length: 20 }, () => signIn('partner')))
    await expect.poll(() => partner.count('POST /token'), { timeout: 4000 }).toBe(20)
    // They would wait for seconds if they waited for one of those.
    expect(await median()).toBeLessThan(before * 3 + 200)
    for (const { visit } of await hung) expect(visit.status).toBe(502)
  }, 20_000)

  it('F14 the chooser leads to the one that works, while the other is down', async () => {
    const { body, status } = await on.chain
      .newBrowser()
      .open(on.chain.app.request({ prompt: 'login' }).url)
    expect(status).toBe(200)
    expect(body.match(/Not available at the moment/g)).toHaveLength(1)
    for (const name of [UPSTREAM, 'partner', 'colleague'])
      expect(body).toContain(`upstream=${name}`)
  })
})
