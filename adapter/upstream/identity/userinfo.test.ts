import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import { createUserinfo } from './userinfo.ts'

const fixture = useEvilIdp()
const { login } = fixture
const asked = () => fixture.idp.count('GET /userinfo')
const broken = {
  '/userinfo': (_request: unknown, response: ServerResponse) => response.writeHead(500).end(),
}

describe(createUserinfo, () => {
  it('is not asked by default', async () => {
    expect(await login({})).not.toHaveProperty('userinfoClaims')
    expect(asked()).toBe(0)
  })

  it('C59 is asked with the token in the header only, and its claims have a null prototype', async () => {
    const { userinfoClaims } = await login({}, { config: { userinfo: 'always' } })
    expect({ ...userinfoClaims }).toEqual({ sub: 'testuser', email: 'testuser@example.com' })
    expect(Object.getPrototypeOf(userinfoClaims)).toBeNull()
    const request = fixture.idp.requests.find(({ line }) => line === 'GET /userinfo')
    expect(request?.headers.authorization).toMatch(/^Bearer access-code-/)
    expect(request?.body).toBe('')
  })

  it.each([
    ['a claim that the ID token lacks', { email: 'email' }, 1],
    ['a nested claim that the ID token lacks', { city: 'address.city' }, 1],
    ['a claim of the minted name that the ID token lacks', { email: { default: 'none' } }, 1],
    ['claims that the ID token has', { who: 'sub' }, 0],
    ['a part of a template', { label: { template: '{sub} <{email}>' } }, 1],
    ['a template that the ID token fills', { label: { template: '({sub})' } }, 0],
    ['a constant', { kind: { constant: 'human' } }, 0],
  ])('is asked when_missing for %s', async (_name, claims, times) => {
    await login({}, { config: { userinfo: 'when_missing', claims } })
    expect(asked()).toBe(times)
  })

  it('is asked when_missing for what a sign-in requires', async () => {
    const required = { claims: { sub: 'testuser' }, groups_from: 'sub', groups: ['testuser'] }
    await login({}, { config: { userinfo: 'when_missing', require: required } })
    expect(asked()).toBe(0)
    const domains = { email_domains: ['example.com'] }
    await login({}, { config: { userinfo: 'when_missing', require: domains } })
    expect(asked()).toBe(1)
  })

  it.each(['always', 'when_missing'])(
    'C53 rejects another sub (%s), and uses no claim',
    async (userinfo) => {
      const config = { userinfo, claims: { email: 'email' } }
      for (const sub of ['admin', undefined, 'testuser ', ['testuser']]) {
        const error = await refusal(
          login({ userinfo: (claims) => ({ ...claims, sub }) }, { config }),
          'identity_invalid',
        )
        expect(error.message).toBe('Userinfo sub is not the sub of the ID token')
      }
    },
  )

  it('F13 fails the login when userinfo is required and fails', async () => {
    await refusal(login({ answer: broken }, { config: { userinfo: 'always' } }), 'unavailable')
  })

  it('F13 goes on with the ID token when userinfo would only complete it', async () => {
    const config = { userinfo: 'when_missing', claims: { email: 'email' } }
    const identity = await login({ answer: broken }, { config })
    expect(identity).toMatchObject({ sub: 'testuser' })
    expect(identity).not.toHaveProperty('userinfoClaims')
  })

  it.each([
    ['always', false],
    ['when_missing', true],
  ])('F13 userinfo %s with userinfo_required %s', async (userinfo, userinfo_required) => {
    const config = { userinfo, userinfo_required, claims: { email: 'email' } }
    const outcome = login({ answer: broken }, { config })
    if (userinfo_required) await refusal(outcome, 'unavailable')
    else expect(await outcome).toMatchObject({ sub: 'testuser' })
  })

  it('says so when userinfo is required and the upstream has none', async () => {
    const discovery = (document: Record<string, unknown>) => ({
      ...document,
      userinfo_endpoint: undefined,
    })
    const error = await refusal(
      login({ discovery }, { config: { userinfo: 'always' } }),
      'metadata_invalid',
    )
    expect(error.message).toContain('userinfo_endpoint')
  })
})
