// People who keep their `sub` when the identity provider behind them is another one: two providers over real HTTP.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import { startChain, type Chain } from './test-support/chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

let first: EvilIdp
let second: EvilIdp
let chain: Chain
const alias = (claim: string) => ({ subject_alias: { group: 'staff', claim } })

beforeAll(async () => {
  ;[first, second] = await Promise.all([startEvilIdp(), startEvilIdp()])
  chain = await startChain({
    storage: 'sqlite',
    upstreams: { first: first.issuer, second: second.issuer },
    config: {
      upstreams: {
        'test-auth-server': { subject: 'prefixed' },
        first: { ...alias('employee'), subject: 'bare' },
        second: { ...alias('hr.number') },
      },
    },
  })
})
afterAll(async () => {
  await chain.close()
  await Promise.all([first.close(), second.close()])
})

/** The sub of the person who signs in there, or the error. */
async function signIn(idp: EvilIdp, claims: Record<string, unknown>): Promise<unknown> {
  idp.behaviour = { claims: (usual) => ({ ...usual, ...claims }) }
  const upstream = idp === first ? 'first' : 'second'
  const request = chain.app.request({ upstream })
  const visit = await chain.newBrowser().open(request.url)
  if (!visit.url.searchParams.has('code')) return visit.url.searchParams.get('error')
  const { body } = await chain.app.finish(visit, request)
  expect(claimsOf(body.access_token)['sub']).toBe(claimsOf(body.id_token)['sub'])
  return claimsOf(body.id_token)['sub']
}

const atSecond = (number: unknown, sub: string) => signIn(second, { sub, hr: { number } })

describe('upstreams of one subject_alias group', () => {
  it('whoever signed in at one keeps the sub at the other, also after a restart', async () => {
    expect(await signIn(first, { sub: 'ada', employee: 'E1' })).toBe('ada')
    expect(await atSecond('E1', '77')).toBe('ada')
    await chain.restart()
    expect(await atSecond('E1', '77')).toBe('ada')
    expect(await signIn(first, { sub: 'ada', employee: 'E1' })).toBe('ada')
  })

  it('whoever comes from the other first keeps that sub', async () => {
    expect(await atSecond('E2', '78')).toBe('second:78')
    expect(await signIn(first, { sub: 'bob', employee: 'E2' })).toBe('second:78')
  })

  it('A14 an e-mail address that another person has makes nobody that person', async () => {
    const email = 'ada@corp.test'
    await signIn(first, { sub: 'ada', employee: 'E1', email, email_verified: true })
    for (const email_verified of [true, false, 'true', 1, undefined])
      expect(await signIn(second, { sub: '99', email, email_verified, hr: { number: 'E9' } })).toBe(
        'second:99',
      )
  })

  it.each([
    ['is not there', {}],
    ['is empty', { number: '' }],
    ['is a list', { number: ['E1'] }],
    ['is true', { number: true }],
  ])('the sign-in fails when the claim %s', async (_name, hr) => {
    expect(await signIn(second, { sub: '80', hr })).toBe('server_error')
    expect(chain.events('login.failed').at(-1)).toMatchObject({
      upstream: 'second',
      code: 'identity_invalid',
      error: expect.objectContaining({
        message: expect.stringContaining('"hr.number" of subject_alias'),
      }),
    })
  })

  it('A14 a number is not the text that looks like it', async () => {
    expect(await signIn(first, { sub: 'eve', employee: '42' })).toBe('eve')
    expect(await atSecond(42, '81')).toBe('second:81')
  })

  it('A16 nobody else gets a sub that is kept: the sign-in fails, and says why in the log', async () => {
    await signIn(first, { sub: 'ada', employee: 'E1' })
    expect(await signIn(first, { sub: 'ada', employee: 'E3' })).toBe('server_error')
    expect(JSON.stringify(chain.events('login.failed').at(-1))).toContain(
      'kept by subject_alias for another person',
    )
  })

  it('an upstream outside the group is not asked for it', async () => {
    const request = chain.app.request({ upstream: 'test-auth-server' })
    const visit = await chain.signIn(chain.newBrowser(), request.url)
    const { body } = await chain.app.finish(visit, request)
    expect(claimsOf(body.id_token)['sub']).toBe('test-auth-server:testuser')
  })
})
