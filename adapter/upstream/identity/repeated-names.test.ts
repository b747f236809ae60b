// Signed bytes that say a thing twice: what is checked is what is used, or the sign-in is refused. RFC 7519 §4 lets the last
// one count: https://www.rfc-editor.org/rfc/rfc7519.html#section-4
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { signWith, type Behaviour, type SigningKey } from '../test-support/evil-idp.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

const fixture = useEvilIdp()
const encoded = (text: string) => Buffer.from(text).toString('base64url')
const decoded = (part: string) => Buffer.from(part, 'base64url').toString()

interface Parts {
  header: string
  payload: string
}

/** Signs what `bend` makes of the JSON texts, as they are. */
function signedAgain(bend: (parts: Parts) => Parts): Behaviour {
  return {
    idToken: (token) => {
      const [header = '', payload = ''] = token.split('.')
      const bent = bend({ header: decoded(header), payload: decoded(payload) })
      const input = `${encoded(bent.header)}.${encoded(bent.payload)}`
      const signature = signWith(input, fixture.idp.keys[0] as SigningKey)
      return `${input}.${signature.toString('base64url')}`
    },
  }
}

const payload = (bend: (text: string) => string) =>
  signedAgain((parts) => ({ ...parts, payload: bend(parts.payload) }))
const first = (members: string) => payload((text) => text.replace('{', `{${members},`))
const last = (members: string) => payload((text) => text.replace(/\}$/, `,${members}}`))

describe('A54 names that come twice', () => {
  it.each([
    ['sub', '"sub":"admin"', { sub: 'testuser' }],
    ['sub, in other writing', String.raw`"\u0073ub":"admin"`, { sub: 'testuser' }],
    ['aud', '"aud":"somebody"', { sub: 'testuser' }],
    ['nonce', '"nonce":"another"', { sub: 'testuser' }],
  ])(
    '%s first as it should not be: the last one is checked, and used',
    async (_name, members, told) => {
      const identity = await fixture.login(first(members))
      expect(identity).toMatchObject(told)
      expect(JSON.stringify(identity.idTokenClaims)).not.toMatch(/admin|somebody|another/)
      expect(identity.idTokenClaims['sub']).toBe(identity.sub)
    },
  )

  it.each([
    ['iss', '"iss":"https://evil.test"'],
    ['aud', '"aud":"somebody"'],
    ['aud, in other writing', String.raw`"a\u0075d":"somebody"`],
    ['nonce', '"nonce":"another"'],
    ['exp', '"exp":1'],
    ['sub', '"sub":""'],
  ])('%s last as it should not be: refused', async (_name, members) => {
    await refusal(fixture.login(last(members)), 'identity_invalid')
  })

  it('a sub that is said twice is one person for every check', async () => {
    const config = { userinfo: 'always' }
    const identity = await fixture.login(
      { ...last('"sub":"admin"'), userinfo: (claims) => ({ ...claims, sub: 'admin' }) },
      { config },
    )
    expect([identity.sub, identity.idTokenClaims['sub'], identity.userinfoClaims?.['sub']]).toEqual(
      ['admin', 'admin', 'admin'],
    )
    await refusal(fixture.login(last('"sub":"admin"'), { config }), 'identity_invalid')
  })

  it.each([
    ['alg', '"alg":"none"'],
    ['kid', '"kid":"unknown"'],
    ['crit', '"crit":["x"]'],
  ])('%s in the header, last as it should not be: refused', async (_name, member) => {
    const behaviour = signedAgain((parts) => ({
      ...parts,
      header: parts.header.replace(/\}$/, `,${member}}`),
    }))
    await refusal(fixture.login(behaviour), 'identity_invalid')
  })

  it('sub in userinfo: the last one is held against the ID token', async () => {
    const answering = (text: string): Behaviour => ({
      answer: {
        '/userinfo': (_request: unknown, response: ServerResponse) =>
          response.writeHead(200, { 'content-type': 'application/json' }).end(text),
      },
    })
    const config = { userinfo: 'always' }
    await refusal(
      fixture.login(answering('{"sub":"testuser","sub":"admin"}'), { config }),
      'identity_invalid',
    )
    const { userinfoClaims } = await fixture.login(
      answering('{"sub":"admin","email":"a@evil.test","sub":"testuser","email":"b@example.com"}'),
      { config },
    )
    expect({ ...userinfoClaims }).toEqual({ sub: 'testuser', email: 'b@example.com' })
  })
})
