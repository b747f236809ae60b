// What the rules of `claims` do to a whole sign-in, over the wire.
import { describe, expect, it } from 'vitest'
import { claimsOf, type TokenAnswer } from './test-support/app.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'

const settings = (upstream: object) => ({ config: { upstreams: { [UPSTREAM]: upstream } } })

describe('claims that go to some tokens only', () => {
  const on = useChain(
    settings({
      claims: {
        api_only: { from: 'roles', add_prefix: 'api:', in: ['access_token'] },
        app_only: { template: '{name} ({preferred_username})', in: ['id_token'] },
        asked_only: { constant: 'asked', in: ['userinfo'] },
      },
    }),
  )

  async function login(parameters = {}): Promise<TokenAnswer['body']> {
    const request = on.chain.app.request(parameters)
    const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
    return (await on.chain.app.finish(visit, request)).body
  }

  const LIMITED = ['api_only', 'app_only', 'asked_only']
  const limited = (claims: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(claims).filter(([name]) => LIMITED.includes(name)))

  it.each([
    ['as scopes release them', {}],
    [
      'also when an app asks for them by name',
      {
        claims: JSON.stringify({
          id_token: { api_only: null, asked_only: null },
          userinfo: { api_only: { essential: true }, app_only: null },
        }),
      },
    ],
  ])('%s', async (_name, parameters) => {
    const { id_token, access_token } = await login(parameters)
    const userinfo = await on.chain.app.userinfo(access_token)
    expect(limited(claimsOf(id_token))).toEqual({ app_only: 'testuser (testuser)' })
    expect(limited(claimsOf(access_token))).toEqual({ api_only: ['api:user'] })
    expect(limited((await userinfo.json()) as Record<string, unknown>)).toEqual({
      asked_only: 'asked',
    })
  })
})

describe('rules that deny before a sign-in is complete', () => {
  const on = useChain(settings({ require: { groups: ['canary-admin'], groups_from: 'roles' } }))

  it('A15 who does not meet them is not signed in; app and log learn the rule, nobody a value', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request()
    const { url } = await on.chain.signIn(browser, request.url)
    const answer = Object.fromEntries(url.searchParams)
    expect(answer).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringMatching(/^the sign-in does not meet require.groups \(flow /),
      state: request.state,
    })
    expect(answer).not.toHaveProperty('code')
    expect(on.chain.events('login.denied')).toEqual([
      expect.objectContaining({ upstream: UPSTREAM, rules: ['require.groups'] }),
    ])
    expect(on.chain.events('login.finished')).toEqual([])
    expect(on.chain.logLines.join('') + url.href).not.toContain('canary')
    const again = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(again.url.searchParams.get('error')).toBe('login_required')
  })
})
