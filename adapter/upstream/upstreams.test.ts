import { afterEach, describe, expect, it } from 'vitest'
import { makeKey, startEvilIdp } from './test-support/evil-idp.ts'
import type { EvilIdp } from './test-support/evil-idp.ts'
import { recordingLog, upstreamConfig } from './test-support/login.ts'
import type { Upstream } from './upstream.ts'
import { createUpstreams } from './upstreams.ts'
import type { Upstreams } from './upstreams.ts'

let idps: EvilIdp[] = []
let upstreams: Upstreams | undefined

afterEach(async () => {
  await upstreams?.close()
  await Promise.all(idps.map((idp) => idp.close()))
  idps = []
})

const request = {
  redirect_uri: 'http://127.0.0.1:9000/login/oauth2/code/a',
  state: 's',
  nonce: 'n',
  codeVerifier: 'v'.repeat(43),
}

describe(createUpstreams, () => {
  it('knows each upstream by name, and nothing by the name of an object property', async () => {
    idps = [await startEvilIdp()]
    const { issuer } = idps[0] as EvilIdp
    upstreams = createUpstreams({
      upstreams: { a: upstreamConfig(issuer) },
      now: Date.now,
      log: recordingLog(),
    })
    expect(upstreams.names).toEqual(['a'])
    expect(upstreams.get('a')).toMatchObject({ name: 'a', issuer })
    for (const name of ['b', 'constructor', '__proto__', ''])
      expect(upstreams.get(name)).toBeUndefined()
  })

  it('F01 starts while an upstream is down, and fetches nothing before the first login', async () => {
    idps = [await startEvilIdp()]
    const [{ issuer }] = idps as [EvilIdp]
    const config = { alive: upstreamConfig(issuer), dead: upstreamConfig('http://127.0.0.1:9') }
    upstreams = createUpstreams({ upstreams: config, now: Date.now, log: recordingLog() })
    expect(idps[0]?.requests).toEqual([])
    await expect(upstreams.get('dead')?.authorizationUrl(request)).rejects.toMatchObject({
      code: 'unavailable',
      upstream: 'dead',
    })
    expect(await upstreams.get('alive')?.authorizationUrl(request)).toBeInstanceOf(URL)
  })

  it('F03 does not let a hung upstream slow another', async () => {
    idps = [await startEvilIdp(), await startEvilIdp()]
    const [hung, alive] = idps as [EvilIdp, EvilIdp]
    hung.behaviour = { answer: { '/.well-known/openid-configuration': () => true } }
    const config = {
      hung: upstreamConfig(hung.issuer, { timeout: '1s' }),
      alive: upstreamConfig(alive.issuer),
    }
    upstreams = createUpstreams({ upstreams: config, now: Date.now, log: recordingLog() })
    const hungUpstream = upstreams.get('hung') as Upstream
    const waiting = Promise.allSettled(
      Array.from({ length: 60 }, () => hungUpstream.authorizationUrl(request)),
    )
    const startedAt = performance.now()
    await upstreams.get('alive')?.authorizationUrl(request)
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect((await waiting).every(({ status }) => status === 'rejected')).toBe(true)
  })

  it('does not take the tokens of one upstream at another, though the key were the same', async () => {
    idps = [await startEvilIdp(), await startEvilIdp()]
    const [one, other] = idps as [EvilIdp, EvilIdp]
    one.keys = other.keys = [await makeKey('shared')]
    one.behaviour = { claims: (claims) => ({ ...claims, iss: other.issuer }) }
    upstreams = createUpstreams({
      upstreams: { one: upstreamConfig(one.issuer) },
      now: Date.now,
      log: recordingLog(),
    })
    const upstream = upstreams.get('one')
    const parameters = await one.visit((await upstream?.authorizationUrl(request)) as URL)
    await expect(upstream?.redeem(parameters, request)).rejects.toMatchObject({
      code: 'identity_invalid',
    })
  })
})
