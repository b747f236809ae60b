// POST /verify: one call, and what exactly is wrong.
import { beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, type TokenAnswer } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { answerOf, forgeries, login, post, resigned } from './test-support/token-calls.ts'

const on = useChain()
const clock = useClock()
const send = async (body: string, type = 'application/json') =>
  answerOf(
    await fetch(`${on.chain.url}/verify`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    }),
  )
const verify = async (token: string, audience = 'client') =>
  (await send(JSON.stringify({ token, audience }))).body

describe('verify', () => {
  let tokens: TokenAnswer['body']
  beforeAll(async () => {
    tokens = await login(on.chain)
  })

  it('a good token: valid, with its claims', async () => {
    const { access_token: token } = tokens
    const { status, headers, body } = await send(JSON.stringify({ token, audience: 'client' }))
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toEqual({ valid: true, claims: claimsOf(token) })
  })

  it('A18 another audience: expected and found are named', async () => {
    expect(await verify(tokens.access_token, 'second-client')).toEqual({
      valid: false,
      error: 'audience',
      expected: 'second-client',
      found: ['client'],
    })
  })

  it('A18 another issuer: expected and found are named', async () => {
    const token = await resigned(on.chain, tokens.access_token, { iss: 'https://other.test' })
    expect(await verify(token)).toEqual({
      valid: false,
      error: 'issuer',
      expected: on.chain.issuer,
      found: 'https://other.test',
    })
  })

  it('expired: since when', async () => {
    const { access_token } = await login(on.chain)
    const { exp } = claimsOf(access_token) as { exp: number }
    clock.advance(301)
    const since = new Date(exp * 1000).toISOString()
    expect(await verify(access_token)).toEqual({ valid: false, error: 'expired', since })
  })

  it('not valid yet: until when', async () => {
    const nbf = Math.floor(Date.now() / 1000) + 60
    const token = await resigned(on.chain, tokens.access_token, { nbf })
    const until = new Date(nbf * 1000).toISOString()
    expect(await verify(token)).toEqual({ valid: false, error: 'not_yet_valid', until })
  })

  it('A18 an ID token, and whatever else our key signed: type', async () => {
    expect(await verify(tokens.id_token)).toEqual({ valid: false, error: 'type' })
    const changes = [{ jti: undefined }, { jti: 'a.b' }, { client_id: 7 }, { exp: undefined }]
    for (const change of changes) {
      const token = await resigned(on.chain, tokens.access_token, change)
      expect(await verify(token), JSON.stringify(change)).toEqual({ valid: false, error: 'type' })
    }
  })

  it('A25 cut, forged, unsigned: malformed or signature, never valid', async () => {
    const found = Object.fromEntries(
      await Promise.all(
        forgeries(tokens.access_token).map(async ([name, token]) => [
          name,
          (await verify(token))['error'],
        ]),
      ),
    ) as Record<string, string>
    expect(found).toEqual({
      cut: 'signature',
      'cut in half': 'malformed',
      'without signature': 'malformed',
      'alg none': 'malformed',
      'alg none with the signature': 'signature',
      'other claims': 'signature',
      'two tokens': 'malformed',
      'no token': 'malformed',
      '43 characters': 'malformed',
    })
    expect(await verify('x'.repeat(40_000))).toEqual({ valid: false, error: 'malformed' })
  })

  it('A52 revoked, and after logout session_ended, at once', async () => {
    const browser = on.chain.newBrowser()
    const revoked = await login(on.chain, {}, browser)
    await post(on.chain, '/oauth2/revoke', { token: revoked.access_token })
    expect(await verify(revoked.access_token)).toEqual({ valid: false, error: 'revoked' })
    const other = on.chain.newBrowser()
    const { access_token, id_token } = await login(on.chain, {}, other)
    const page = await other.open(`${on.chain.url}/connect/logout?id_token_hint=${id_token}`)
    await other.submit(page, { logout: 'yes' })
    expect(await verify(access_token)).toEqual({ valid: false, error: 'session_ended' })
  })

  const BAD: [name: string, body: string, type?: string][] = [
    ['no body', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no token', '{"audience":"client"}'],
    ['no audience', '{"token":"a.b.c"}'],
    ['an empty audience', '{"token":"a.b.c","audience":""}'],
    ['a list of audiences', '{"token":"a.b.c","audience":["client"]}'],
    ['a token that is a number', '{"token":1,"audience":"client"}'],
    ['a form', 'token=a.b.c&audience=client', 'application/x-www-form-urlencoded'],
    ['64 kB', JSON.stringify({ token: 'x'.repeat(64 * 1024), audience: 'client' })],
  ]
  it.each(BAD)('%s: 400 invalid_request with a sentence', async (_name, body, type) => {
    const answer = await send(body, type)
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      error: 'invalid_request',
      error_description: expect.stringMatching(/^expected /) as unknown,
    })
  })

  it('nothing but POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect((await fetch(`${on.chain.url}/verify`, { method })).status).toBe(404)
  })
})
