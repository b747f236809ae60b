import { describe, expect, it } from 'vitest'
import { useControl } from '../../test-support/use-control.ts'
import { expectError, expectSuccess, logIn } from '../test-support/api.ts'

const on = useControl()
const issuer = () => on.server.issuer
const minute = 60

async function fail(name: string, times: number) {
  for (let count = 0; count < times; count++)
    expectError(await logIn(issuer(), name, 'wrong'), 'INVALID_CREDENTIALS')
}

// Ten failures of one test are out of the window for the next.
const laterThan = (seconds: number) => on.control.advance(seconds)

describe('wrong passwords', () => {
  it('lock the account after ten, also for the right password, until they are fifteen minutes old', async () => {
    await fail('single', 10)
    const locked = await logIn(issuer(), 'single')
    expectError(locked, 'ACCOUNT_LOCKED')
    const retryAfter = Number(locked.headers.get('retry-after'))
    expect(retryAfter).toBeGreaterThan(14 * minute)
    expect(retryAfter).toBeLessThanOrEqual(15 * minute)
    await laterThan(14 * minute)
    expectError(await logIn(issuer(), 'single'), 'ACCOUNT_LOCKED')
    await laterThan(minute + 1)
    expectSuccess(await logIn(issuer(), 'single'), 'login')
  })

  it('are forgotten after a right one, and do not touch other accounts', async () => {
    await fail('multi', 9)
    expectSuccess(await logIn(issuer(), 'multi'), 'login')
    await fail('multi', 9)
    expectSuccess(await logIn(issuer(), 'single'), 'login')
  })

  it('A45 lock an address that nobody has just the same', async () => {
    await fail('nobody-at-all', 10)
    expectError(await logIn(issuer(), 'nobody-at-all', 'wrong'), 'ACCOUNT_LOCKED')
  })

  it('A46 count for the address that they come from, whatever they say it is', async () => {
    const from = (last: number) => ({ 'x-forwarded-for': `203.0.113.${last}` })
    for (let count = 0; count < 10; count++)
      await logIn(issuer(), 'member-disabled', 'wrong', from(count))
    const answer = await logIn(issuer(), 'member-disabled', 'password', from(99))
    expectError(answer, 'ACCOUNT_LOCKED')
  })

  it('count one by one, however many come at once', async () => {
    const tries = Array.from({ length: 30 }, () => logIn(issuer(), 'no-branch', 'wrong'))
    const codes = (await Promise.all(tries)).map(({ body }) => String(body.code))
    expect(codes.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(10)
    expect(codes.filter((code) => code === 'ACCOUNT_LOCKED')).toHaveLength(20)
    expectError(await logIn(issuer(), 'no-branch'), 'ACCOUNT_LOCKED')
  })
})
