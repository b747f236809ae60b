import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf } from '../../test-support/test-browser.ts'
import { signerOf } from '../../test-support/signer-of.ts'
import { tokensOf, useControl } from '../../test-support/use-control.ts'
import { logoutTokenFaults } from './logout-token.ts'
import type { LogoutTokenFault } from './logout-token.ts'

const on = useControl()
const received: { type: string | undefined; token: string }[] = []
let answerStatus = 200
const receiver = createServer(async (request, response) => {
  const token = new URLSearchParams(await text(request)).get('logout_token') ?? ''
  received.push({ type: request.headers['content-type'], token })
  response.writeHead(answerStatus, { connection: 'close' }).end()
})
let to = ''
beforeAll(async () => {
  await new Promise<void>((done) => void receiver.listen(0, '127.0.0.1', done))
  to = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/backchannel`
})
afterEach(() => {
  received.length = 0
  answerStatus = 200
})
afterAll(() => new Promise((done) => void receiver.close(done)))

const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >

const isSigned = async (token: string) => (await signerOf(on.server.issuer, token)) !== undefined

async function sent(fault?: LogoutTokenFault) {
  const order = { to, sub: 'testuser', sid: 'a-sid', ...(fault && { fault }) }
  const delivery = await on.control.sendLogoutToken(order)
  const { token = '' } = received.at(-1) ?? {}
  return {
    delivery,
    token,
    header: headerOf(token),
    claims: claimsOf(token),
    signed: await isSigned(token),
  }
}

const now = () => Date.now() / 1000

describe('a logout token', () => {
  it('is what the specification asks for, signed by the key in use, with the sid of the ID token', async () => {
    await on.control.rotateKeys()
    const { sid, sub } = claimsOf((await tokensOf(on.server.issuer)).id_token)
    const session = (await on.control.sessions()).find((one) => one.sids['test-client'] === sid)
    expect(session).toMatchObject({ sub, username: 'testuser' })
    const delivery = await on.control.sendLogoutToken({ to, sub: String(sub), sid: String(sid) })
    const [{ type, token } = { type: '', token: '' }] = received
    expect(type).toContain('application/x-www-form-urlencoded')
    expect(headerOf(token)).toEqual({
      typ: 'logout+jwt',
      alg: 'RS256',
      kid: (await on.control.keys()).active,
    })
    const claims = claimsOf(token)
    expect(claims).toEqual({
      iss: on.server.issuer,
      aud: 'test-client',
      iat: expect.any(Number),
      exp: Number(claims['iat']) + 120,
      jti: delivery.jti,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      sub,
      sid,
    })
    expect(await isSigned(token)).toBe(true)
    expect(delivery.status).toBe(200)
  })

  type Seen = Awaited<ReturnType<typeof sent>>
  const wrong: Record<LogoutTokenFault, (seen: Seen) => boolean> = {
    bad_signature: ({ signed }) => !signed,
    unknown_kid: ({ header, signed }) => header['kid'] === 'unknown' && signed,
    alg_none: ({ header, token }) => header['alg'] === 'none' && token.endsWith('.'),
    alg_hs256: ({ header, signed }) => header['alg'] === 'HS256' && !signed,
    wrong_iss: ({ claims, signed }) => claims['iss'] !== on.server.issuer && signed,
    wrong_aud: ({ claims, signed }) => claims['aud'] === 'another-client' && signed,
    missing_events: ({ claims, signed }) => !('events' in claims) && signed,
    other_event: ({ claims, signed }) =>
      !JSON.stringify(claims['events']).includes('backchannel-logout') && signed,
    with_nonce: ({ claims, signed }) => 'nonce' in claims && signed,
    expired: ({ claims, signed }) => Number(claims['exp']) < now() && signed,
    future_iat: ({ claims, signed }) => Number(claims['iat']) > now() + 60 && signed,
    without_sub_and_sid: ({ claims, signed }) => !('sub' in claims) && !('sid' in claims) && signed,
    missing_jti: ({ claims, signed }) => !('jti' in claims) && signed,
    wrong_typ: ({ header, signed }) => header['typ'] === 'JWT' && signed,
    replayed_jti: ({ claims, signed }) => claims['jti'] === lastJti && signed,
  }
  let lastJti: unknown

  it.each(logoutTokenFaults)('is wrong when told: %s, and right the next time', async (fault) => {
    lastJti = (await sent()).claims['jti']
    expect(wrong[fault](await sent(fault))).toBe(true)
    const next = await sent()
    expect(wrong[fault](next)).toBe(false)
    expect(next.signed).toBe(true)
  })

  it('tells how it was answered, and 0 where nobody did', async () => {
    answerStatus = 400
    expect((await sent()).delivery.status).toBe(400)
    const { status } = await on.control.sendLogoutToken({ to: 'http://127.0.0.1:9/x', sub: 'x' })
    expect(status).toBe(0)
  })
})
