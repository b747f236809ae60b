// One proof at many doors at once: on two instances, good exactly once. Nonces of one instance are known to the other.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../../../scripts/redis-server.ts'
import { basic } from '../../test-support/app.ts'
import { startSecondInstance, type SecondInstance } from '../../test-support/second-instance.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { answerOf, CLIENT, post } from '../endpoints/test-support/token-calls.ts'
import { hashOf, proofKey, proofOf, type ProofKey } from './test-support/proofs.ts'

const PARALLEL = 50
const ROUNDS = 3
const MACHINE = { client_secret: 's', grant_types: ['client_credentials'], scope: 'read' }

describe.each(['sqlite', 'redis'] as const)('on %s', (kind) => {
  let redis: RedisServer | undefined
  const on = useChain(async () => {
    const clients = { machine: MACHINE }
    if (kind === 'sqlite') return { storage: 'sqlite', config: { clients } }
    redis = await startRedis()
    return { config: { clients, storage: { driver: 'redis', url: redis.url, prefix: 'dpop:' } } }
  })
  let second: SecondInstance
  let key: ProofKey
  beforeAll(async () => {
    ;[second, key] = await Promise.all([startSecondInstance(on.chain), proofKey()])
  })
  afterAll(async () => {
    await second.close()
    await redis?.stop()
  })

  const proof = (claims = {}) =>
    proofOf(key, { htm: 'POST', htu: `${on.chain.issuer}/oauth2/token`, ...claims })

  async function ask(url: string, dpop: string) {
    const response = await fetch(`${url}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: basic('machine', 's'), dpop },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    return answerOf(response)
  }

  it('A22 one jti 50 times at two instances: exactly one 200', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const once = await proof()
      const answers = await Promise.all(
        Array.from({ length: PARALLEL }, (_, index) =>
          ask(index % 2 ? second.url : on.chain.url, once),
        ),
      )
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect(statuses.filter((status) => status === 400)).toHaveLength(PARALLEL - 1)
    }
  })

  it('A22 one proof 50 times at userinfo and 50 times at /verify of two instances: good once at each', async () => {
    const request = on.chain.app.request()
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const form = {
      grant_type: 'authorization_code',
      code: visit.url.searchParams.get('code') ?? '',
      redirect_uri: on.chain.app.redirectUri,
      code_verifier: request.verifier,
    }
    const { body } = await post(on.chain, '/oauth2/token', form, CLIENT, { dpop: await proof() })
    const token = String(body['access_token'])
    const shown = await proof({
      htm: 'GET',
      htu: `${on.chain.issuer}/userinfo`,
      ath: hashOf(token),
    })
    const url = 'https://api.test/'
    const judged = await proof({ htm: 'GET', htu: url, ath: hashOf(token) })
    const bases = Array.from({ length: PARALLEL }, (_, i) => (i % 2 ? second.url : on.chain.url))
    const served = bases.map(async (base) => {
      const headers = { authorization: `DPoP ${token}`, dpop: shown }
      return (await fetch(`${base}/userinfo`, { headers })).status
    })
    const verified = bases.map(async (base) => {
      const dpop = { proof: judged, method: 'GET', url }
      const headers = { 'content-type': 'application/json' }
      const asked = JSON.stringify({ token, audience: 'client', dpop })
      const answer = await fetch(`${base}/verify`, { method: 'POST', headers, body: asked })
      return (await answerOf(answer)).body['valid']
    })
    expect((await Promise.all(served)).filter((status) => status === 200)).toHaveLength(1)
    const verdicts = await Promise.all(verified)
    expect(verdicts.filter((isValid) => isValid === true)).toHaveLength(1)
    expect(verdicts).toContain(false)
  })

  it('C38 a nonce of one instance is good at the other', async () => {
    const old = { iat: Math.floor(Date.now() / 1000) - 400 }
    const { headers } = await ask(on.chain.url, await proof(old))
    const nonce = headers.get('dpop-nonce')
    expect(nonce).toMatch(/^[\w-]{43}$/)
    expect((await ask(second.url, await proof({ ...old, nonce }))).status).toBe(200)
  })
})
