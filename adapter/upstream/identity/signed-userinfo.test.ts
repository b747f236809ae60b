import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { encode, makeKey, signWith, type SigningKey } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { CLIENT_ID } from '../test-support/evil-idp.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

type Json = Record<string, unknown>

const fixture = useEvilIdp()
const config = { userinfo: 'always' }

function jwtOf(claims: Json, header: Json = {}, key = fixture.idp.keys[0] as SigningKey): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`
  return `${input}.${signWith(input, key).toString('base64url')}`
}

function answering(makeToken: () => string, contentType = 'application/jwt') {
  const userinfo = (_request: unknown, response: ServerResponse) =>
    response.writeHead(200, { 'content-type': contentType }).end(makeToken())
  return { answer: { '/userinfo': userinfo } }
}

const own = (): Json => ({
  iss: fixture.idp.issuer,
  aud: CLIENT_ID,
  sub: 'testuser',
  email: 'testuser@example.com',
})

describe('C59 signed userinfo', () => {
  it.each([
    ['whole', () => own()],
    ['for several', () => ({ ...own(), aud: ['somebody', CLIENT_ID] })],
    ['without iss and aud', () => ({ sub: 'testuser', email: 'testuser@example.com' })],
  ])('is believed: %s', async (_name, claims) => {
    const { userinfoClaims } = await fixture.login(
      answering(() => jwtOf(claims())),
      { config },
    )
    expect(userinfoClaims).toMatchObject({ sub: 'testuser', email: 'testuser@example.com' })
    expect(Object.getPrototypeOf(userinfoClaims)).toBeNull()
  })

  it('is believed when its key is one that was just published', async () => {
    const rolled = await makeKey('key-2')
    const behaviour = answering(() => {
      fixture.idp.keys = [...fixture.originalKeys, rolled]
      return jwtOf(own(), {}, rolled)
    })
    expect(await fixture.login(behaviour, { config })).toMatchObject({
      userinfoClaims: { sub: 'testuser' },
    })
  })

  it.each<[string, () => string, RegExp]>([
    ['of another issuer', () => jwtOf({ ...own(), iss: 'https://evil.test' }), /JWT iss: expected/],
    ['for another client', () => jwtOf({ ...own(), aud: 'somebody' }), /JWT aud: expected/],
    ['for nobody', () => jwtOf({ ...own(), aud: [] }), /JWT aud: expected/],
    ['of another person', () => jwtOf({ ...own(), sub: 'admin' }), /sub is not the sub/],
    ['without a sub', () => jwtOf({ ...own(), sub: undefined }), /sub is not the sub/],
    ['not signed', () => `${encode({ alg: 'none' })}.${encode(own())}.`, /alg: expected RS256/],
    [
      'signed with a secret',
      () => `${encode({ alg: 'HS256' })}.${encode(own())}.c2lnbmF0dXJl`,
      /alg: expected RS256/,
    ],
    [
      'bent',
      () => {
        const [header, , signature] = jwtOf(own()).split('.')
        return `${header}.${encode({ ...own(), email: 'admin@example.com' })}.${signature}`
      },
      /signature does not verify/,
    ],
    ['of a key it does not publish', () => jwtOf(own(), { kid: 'unknown' }), /not exactly one/],
    ['plain JSON that says it is signed', () => JSON.stringify(own()), /is not a signed JWT/],
    ['encrypted', () => `${encode({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.a.b.c.d`, /alg: expected/],
  ])('A18 A25 is refused: %s', async (_name, makeToken, message) => {
    for (const when of ['always', 'when_missing']) {
      const error = await refusal(
        fixture.login(answering(makeToken), {
          config: { userinfo: when, claims: { email: 'email' } },
        }),
        'identity_invalid',
      )
      expect(error.message).toMatch(message)
      expect(error.message).not.toContain('eyJ')
    }
  })

  it('a JWT that is called JSON is no answer', async () => {
    await refusal(
      fixture.login(
        answering(() => jwtOf(own()), 'application/json'),
        { config },
      ),
      'unavailable',
    )
  })
})
