// A store that fails at one step of a token exchange, in both directions: the client is told to try again, or has a token that
// works; nothing is answered that nobody knows.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { login, post } from './provider/endpoints/test-support/token-calls.ts'
import { createBreaker } from './test-support/breakable-driver.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { useChain, useClock } from './test-support/use-chain.ts'
import {
  CLIENT_ID,
  encode,
  signWith,
  startEvilIdp,
  type EvilIdp,
  type SigningKey,
} from './upstream/test-support/evil-idp.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const TYPE = 'urn:ietf:params:oauth:token-type:'
const FILES = 'https://files.test'

let idp: EvilIdp
const breaker = createBreaker()
const on = useChain(async () => {
  idp = await startEvilIdp()
  return {
    wrapDriver: breaker.wrap,
    upstreams: { partner: idp.issuer },
    config: {
      upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access' } },
      clients: {
        client: {
          exchange: {
            upstream_tokens: [{ upstream: UPSTREAM, audience: FILES, scope: 'openid profile' }],
            accepts_upstream_tokens: [{ upstream: 'partner' }],
          },
        },
      },
    },
  }
})
const clock = useClock()
afterEach(() => breaker.mend())
afterAll(() => idp.close())

let tokens = 0
function idToken(): string {
  const key = idp.keys[0] as SigningKey
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: idp.issuer,
    sub: 'ada',
    aud: CLIENT_ID,
    iat,
    exp: iat + 300,
    jti: `${(tokens += 1)}`,
  }
  const input = `${encode({ alg: key.alg, kid: key.kid })}.${encode(claims)}`
  return `${input}.${signWith(input, key).toString('base64url')}`
}

const exchange = (form: Record<string, string>) =>
  post(on.chain, '/oauth2/token', { grant_type: GRANT, ...form })
const ours = () => exchange({ subject_token: idToken(), subject_token_type: `${TYPE}id_token` })

/** Every answer of `request`, with the store failing once, at each of its steps in turn. */
async function atEachStep(request: () => ReturnType<typeof exchange>) {
  const answers: Awaited<ReturnType<typeof exchange>>[] = []
  for (let at = 1, isOver = false; !isOver; at += 1) {
    breaker.breakAt(at)
    answers.push(await request())
    isOver = breaker.count() < at
    breaker.mend()
    // A lease that could not be given back is over then.
    clock.advance(11)
  }
  return answers
}

describe('F20 at whichever step the store fails', () => {
  it('of ours for theirs: 503, or a token that every endpoint knows', async () => {
    const answers = await atEachStep(ours)
    expect(answers.length).toBeGreaterThan(3)
    for (const { status, body } of answers) {
      expect([200, 503]).toContain(status)
      if (status === 503) expect(body['access_token']).toBeUndefined()
      else expect((await on.chain.app.userinfo(String(body['access_token']))).status).toBe(200)
    }
    expect((await ours()).status).toBe(200)
  })

  it('of theirs for ours: 503, or one; and nobody is signed out', async () => {
    await on.chain.upstreamControl.setRefresh({ mode: 'static' })
    const { access_token: subject_token } = await login(on.chain)
    const form = { subject_token, subject_token_type: `${TYPE}access_token`, audience: FILES }
    for (const { status } of await atEachStep(() => exchange(form)))
      expect([200, 503]).toContain(status)
    expect((await exchange(form)).status).toBe(200)
  })
})
