// Refreshing at an upstream: new tokens kept before they are judged, the person the same, over and down told apart.
import { describe, expect, it } from 'vitest'
import type { Behaviour } from './test-support/evil-idp.ts'
import { refusal } from './test-support/expect-upstream-error.ts'
import { useEvilIdp } from './test-support/fixture.ts'
import type { UpstreamTokens } from './upstream.ts'

const fixture = useEvilIdp()

function refresh(behaviour: Behaviour = {}, config: Record<string, unknown> = {}) {
  const { issuer } = fixture.idp
  fixture.idp.behaviour = behaviour
  const kept: UpstreamTokens[] = []
  const answer = fixture
    .open({ config })
    .upstream.refresh('the-token', { iss: issuer, sub: 'testuser' }, async (tokens) => {
      kept.push(tokens)
    })
  return { answer, kept }
}

const error = (status: number, body: string): Behaviour => ({
  answer: {
    '/token': (_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
  },
})

describe('refresh at an OpenID Provider', () => {
  it('gives the person as the new ID token says, and keeps the new tokens', async () => {
    const { answer, kept } = refresh({ claims: (claims) => ({ ...claims, roles: ['admin'] }) })
    expect(await answer).toMatchObject({
      upstream: 'test-auth-server',
      iss: fixture.idp.issuer,
      sub: 'testuser',
      idTokenClaims: { roles: ['admin'] },
    })
    expect(kept).toEqual([
      expect.objectContaining({
        refresh_token: expect.stringMatching(/^refresh-again-/) as string,
      }),
    ])
    const [request] = fixture.idp.requests.filter(({ line }) => line === 'POST /token')
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'the-token',
    })
  })

  it('does without an ID token: the grant is confirmed, nothing more is said', async () => {
    const { answer, kept } = refresh({ token: (body) => ({ ...body, id_token: undefined }) })
    expect(await answer).toBeUndefined()
    expect(kept).toHaveLength(1)
  })

  it.each([
    ['another sub', { sub: 'somebody-else' }],
    ['another iss', { iss: 'https://elsewhere.example' }],
    ['another audience', { aud: 'other-client' }],
  ])('C58 refuses %s, after the new tokens are kept', async (_name, changes) => {
    const { answer, kept } = refresh({ claims: (claims) => ({ ...claims, ...changes }) })
    await refusal(answer, 'identity_invalid')
    expect(kept).toHaveLength(1)
  })

  it('C58 refuses a signature that is wrong', async () => {
    await refusal(refresh({ sign: () => 'wrong' }).answer, 'identity_invalid')
  })

  it.each([
    ['invalid_grant', 400, '{"error":"invalid_grant"}', 'refresh_rejected'],
    ['invalid_client', 401, '{"error":"invalid_client"}', 'client_rejected'],
    ['server_error', 400, '{"error":"server_error"}', 'unavailable'],
    ['503', 503, 'down', 'unavailable'],
    ['no JSON', 200, '<html>', 'unavailable'],
  ] as const)('%s is %s', async (_name, status, body, code) => {
    const { answer, kept } = refresh(error(status, body))
    const { message } = await refusal(answer, code)
    expect(message).not.toContain('the-token')
    expect(kept).toEqual([])
  })

  it('goes no further when the new tokens can not be kept', async () => {
    const answer = fixture
      .open()
      .upstream.refresh('the-token', { iss: fixture.idp.issuer, sub: 'testuser' }, async () => {
        throw new Error('the store is down')
      })
    await expect(answer).rejects.toThrow('the store is down')
    expect(fixture.idp.count('GET /jwks')).toBe(0)
  })
})

describe('refresh at a plain OAuth 2.0 upstream', () => {
  const settings = () => ({
    kind: 'oauth2',
    endpoints: {
      authorization: `${fixture.idp.issuer}/authorize`,
      token: `${fixture.idp.issuer}/token`,
      userinfo: `${fixture.idp.issuer}/userinfo`,
    },
    subject_claim: 'id',
  })

  it('asks who the person is now', async () => {
    const { answer, kept } = refresh(
      { userinfo: () => ({ id: 'testuser', team: 'b' }) },
      settings(),
    )
    expect(await answer).toMatchObject({ sub: 'testuser', userinfoClaims: { team: 'b' } })
    expect(kept[0]).not.toHaveProperty('id_token')
  })

  it('C58 refuses another person', async () => {
    const { answer, kept } = refresh({ userinfo: () => ({ id: 'other' }) }, settings())
    await refusal(answer, 'identity_invalid')
    expect(kept).toHaveLength(1)
  })
})
