import { describe, expect, it } from 'vitest'
import { createOAuth2Upstream } from './oauth2-upstream.ts'
import type { Behaviour } from './test-support/evil-idp.ts'
import { refusal } from './test-support/expect-upstream-error.ts'
import { useEvilIdp } from './test-support/fixture.ts'

const fixture = useEvilIdp()

/** GitHub's shape. */
function settings(changes: Record<string, unknown> = {}, more: Record<string, string> = {}) {
  const { issuer } = fixture.idp
  const endpoints = {
    authorization: `${issuer}/authorize`,
    token: `${issuer}/token`,
    userinfo: `${issuer}/userinfo`,
    ...more,
  }
  return { config: { kind: 'oauth2', endpoints, scope: 'read:user', ...changes } }
}

const PERSON = { id: 583_231, login: 'octo', name: 'Octo', email: 'claimed@example.com' }
const plain: Behaviour = {
  token: ({ access_token }) => ({ access_token, token_type: 'bearer', scope: 'read:user' }),
  userinfo: () => PERSON,
}

function emails(list: unknown): Behaviour {
  return {
    ...plain,
    answer: {
      '/emails': (_request, response) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify(list)),
    },
  }
}

function tokenAnswer(body: string, type: string): Behaviour {
  return {
    ...plain,
    answer: {
      '/token': (_request, response) => response.writeHead(200, { 'content-type': type }).end(body),
    },
  }
}

describe(createOAuth2Upstream, () => {
  it('asks with state and PKCE, without nonce and without what only OpenID Connect knows', async () => {
    const { url, expected } = await fixture.open(settings()).begin({ max_age: 5 })
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'test-client',
      redirect_uri: expected.redirect_uri,
      response_type: 'code',
      scope: 'read:user',
      state: expected.state,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
  })

  it('takes the identity from userinfo, a whole number as its text, and fetches no metadata or keys', async () => {
    const identity = await fixture.login(plain, settings())
    expect(identity).toMatchObject({ sub: '583231', iss: fixture.idp.issuer })
    expect({ ...identity.idTokenClaims }).toEqual({ sub: '583231' })
    expect({ ...identity.userinfoClaims }).toEqual(PERSON)
    expect(fixture.idp.requests.map(({ line }) => line)).toEqual([
      'GET /authorize',
      'POST /token',
      'GET /userinfo',
    ])
    const [, token, userinfo] = fixture.idp.requests
    expect(token?.headers.accept).toBe('application/json')
    expect(userinfo?.headers).toMatchObject({
      authorization: `Bearer ${identity.tokens.access_token}`,
      'user-agent': 'auth-adapter',
    })
  })

  it('neither reads nor keeps an ID token that came all the same', async () => {
    const forged = (body: Record<string, unknown>) => ({ ...body, id_token: 'e30.e30.e30' })
    const identity = await fixture.login({ ...plain, token: forged }, settings())
    expect(identity.sub).toBe('583231')
    expect(identity.tokens).not.toHaveProperty('id_token')
  })

  it('takes a token answer in form encoding', async () => {
    const body = 'access_token=the-token&token_type=bearer&scope=read%3Auser&expires_in=300'
    const { tokens } = await fixture.login(
      tokenAnswer(body, 'application/x-www-form-urlencoded; charset=utf-8'),
      settings(),
    )
    expect(tokens).toMatchObject({ access_token: 'the-token', expires_at: expect.any(Number) })
  })

  it.each([
    ['{"error":"bad_verification_code"}', 'application/json', 'code_rejected'],
    ['error=bad_verification_code', 'application/x-www-form-urlencoded', 'code_rejected'],
    ['{"error":"incorrect_client_credentials"}', 'application/json', 'client_rejected'],
    [
      'access_token=a&access_token=b&token_type=bearer',
      'application/x-www-form-urlencoded',
      'unavailable',
    ],
    ['access_token=a&token_type=bearer', 'text/html', 'unavailable'],
    ['{"token_type":"bearer"}', 'application/json', 'unavailable'],
  ] as const)('refuses the token answer %s of type %s', async (body, type, code) => {
    await refusal(fixture.login(tokenAnswer(body, type), settings()), code)
    expect(fixture.idp.count('GET /userinfo')).toBe(0)
  })

  it.each<[string, unknown]>([
    ['missing', {}],
    ['null', { id: null }],
    ['an empty text', { id: '' }],
    ['beyond the safe integers', { id: 2 ** 53 }],
    ['a fraction', { id: 1.5 }],
    ['a truth value', { id: true }],
    ['a list', { id: [1] }],
    ['a text with a line break', { id: 'a\nb' }],
    ['on the prototype only', JSON.parse('{"__proto__":{"id":1}}')],
  ])('refuses a subject that is %s', async (_name, answer) => {
    const behaviour = { ...plain, userinfo: () => answer }
    const error = await refusal(fixture.login(behaviour, settings()), 'identity_invalid')
    expect(error.message).toContain('Userinfo id')
  })

  it('finds the subject by its path', async () => {
    const behaviour = { ...plain, userinfo: () => ({ data: { user: { key: 'k-1' } } }) }
    const config = settings({ subject_claim: 'data.user.key' })
    expect((await fixture.login(behaviour, config)).sub).toBe('k-1')
  })

  it.each<[string, unknown, object]>([
    [
      'the primary and verified one',
      [
        { email: 'other@example.com', primary: false, verified: true },
        { email: 'octo@example.com', primary: true, verified: true },
      ],
      { email: 'octo@example.com', email_verified: true },
    ],
    [
      'none when it is not verified',
      [{ email: 'o@x.example', primary: true, verified: false }],
      {},
    ],
    [
      'none when verified is a text',
      [{ email: 'o@x.example', primary: true, verified: 'true' }],
      {},
    ],
    ['none when there is none', [null, 7], {}],
  ])('of the list of addresses it takes %s', async (_name, list, address) => {
    const config = settings({}, { emails: `${fixture.idp.issuer}/emails` })
    const { userinfoClaims } = await fixture.login(emails(list), config)
    expect({ ...userinfoClaims }).toEqual({ id: 583_231, login: 'octo', name: 'Octo', ...address })
  })

  it('refuses a list of addresses that is none', async () => {
    const config = settings({}, { emails: `${fixture.idp.issuer}/emails` })
    await refusal(fixture.login(emails({ message: 'no' }), config), 'identity_invalid')
  })

  it('redeems nothing for another state, another issuer, or a limit on the age of the sign-in', async () => {
    const { begin, upstream } = fixture.open(settings())
    const answered = async (change: (parameters: URLSearchParams) => void, max_age?: number) => {
      const { url, expected } = await begin(max_age === undefined ? {} : { max_age })
      const parameters = await fixture.idp.visit(url)
      change(parameters)
      return upstream.redeem(parameters, expected)
    }
    await refusal(
      answered((sent) => sent.set('state', 'other')),
      'identity_invalid',
    )
    await refusal(
      answered((sent) => sent.set('iss', 'https://evil.example')),
      'issuer_mismatch',
    )
    await refusal(
      answered(() => {}, 60),
      'context_unmet',
    )
    expect(fixture.idp.count('POST /token')).toBe(0)
  })
})
