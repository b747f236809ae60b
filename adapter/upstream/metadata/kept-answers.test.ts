import { afterEach, describe, expect, it } from 'vitest'
import type { Behaviour } from '../test-support/evil-idp.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import { keepAnswers } from './kept-answers.ts'

const fixture = useEvilIdp()
const asked = () => fixture.idp.count('GET /userinfo')
let now = Date.now()

afterEach(() => {
  now = Date.now()
})

/** An upstream that gives the same access token again, and userinfo with such headers. */
function upstream(headers: Record<string, string>, token: Behaviour['token'] = sameToken) {
  fixture.idp.behaviour = {
    token,
    answer: {
      '/userinfo': (_request, response) => {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
        return false
      },
    },
  }
  return fixture.open({ now: () => now, config: { userinfo: 'always' } })
}

const sameToken: NonNullable<Behaviour['token']> = (answer) => ({ ...answer, access_token: 'same' })

describe(keepAnswers, () => {
  it('asks once for a token that comes again, while the answer says that it holds', async () => {
    const { login } = upstream({ 'cache-control': 'private, max-age=30' })
    const first = await login()
    expect(await login()).toMatchObject({ userinfoClaims: first.userinfoClaims })
    expect(asked()).toBe(1)
    now += 30_001
    await login()
    expect(asked()).toBe(2)
  })

  it('keeps none for longer than a minute', async () => {
    const { login } = upstream({ 'cache-control': 'max-age=86400' })
    await login()
    now += 60_001
    await login()
    expect(asked()).toBe(2)
  })

  it.each([
    ['says nothing', {}],
    ['says no-store', { 'cache-control': 'no-store, max-age=30' }],
    ['says that it is over', { 'cache-control': 'max-age=30', age: '30' }],
  ])('asks each time where the answer %s', async (_name, headers: Record<string, string>) => {
    const { login } = upstream(headers)
    await login()
    await login()
    expect(asked()).toBe(2)
  })

  it('never answers one token with what another was told', async () => {
    const { login } = upstream({ 'cache-control': 'max-age=30' }, (answer) => answer)
    await login()
    await login()
    expect(asked()).toBe(2)
  })

  it('keeps so many and no more, the newest', async () => {
    const told: string[] = []
    const answer = { status: 200, headers: { 'cache-control': 'max-age=60' }, text: '{}' }
    const ask = keepAnswers(
      {
        exchange: async (_url, request) => (
          told.push(String(request?.headers?.['authorization'])),
          answer
        ),
      },
      () => now,
    )
    const askAs = (token: string) => ask('https://a.example', { headers: { authorization: token } })
    for (let person = 0; person < 501; person += 1) await askAs(`${person}`)
    expect(told).toHaveLength(501)
    await askAs('500')
    expect(told).toHaveLength(501)
    await askAs('0')
    expect(told).toHaveLength(502)
  })
})
