import { describe, expect, it } from 'vitest'
import { cookieNames } from './cookie-names.ts'
import { sessionTtlSeconds } from './configuration.ts'

const HOUR = 3600
const LIMITS = { idle: 8 * HOUR, absolute: 12 * HOUR }
const T0 = 1_900_000_000
const at = (seconds: number) => () => (T0 + seconds) * 1000

describe('how long a session may live on', () => {
  const TIMES: [name: string, seconds: number, ttl: number][] = [
    ['new', 0, 8 * HOUR],
    ['four hours old: the idle time', 4 * HOUR, 8 * HOUR],
    ['five hours old: what is left of twelve', 5 * HOUR, 7 * HOUR],
    ['a minute before its end', 12 * HOUR - 60, 60],
    ['at its end', 12 * HOUR, 1],
    ['beyond its end', 20 * HOUR, 1],
    ['from the future, by a clock set back', -HOUR, 8 * HOUR],
  ]
  it.each(TIMES)('%s', (_name, seconds, ttl) => {
    expect(sessionTtlSeconds({ accountId: 'a', iat: T0 }, LIMITS, at(seconds))).toBe(ttl)
  })

  it('not saved yet: as if it began now', () => {
    expect(sessionTtlSeconds({ accountId: 'a' }, LIMITS, at(0))).toBe(8 * HOUR)
  })

  it('an absolute time below the idle time cuts it', () => {
    expect(
      sessionTtlSeconds({ accountId: 'a', iat: T0 }, { idle: 8 * HOUR, absolute: HOUR }, at(60)),
    ).toBe(HOUR - 60)
  })

  it('nobody signed in: ten minutes, however old', () => {
    for (const age of [0, 20 * HOUR])
      expect(sessionTtlSeconds({ iat: T0 }, LIMITS, at(age))).toBe(600)
  })

  it('is whole seconds', () => {
    expect(
      sessionTtlSeconds(
        { accountId: 'a', iat: T0 },
        LIMITS,
        () => T0 * 1000 + 5 * HOUR * 1000 + 789,
      ),
    ).toBe(7 * HOUR)
  })
})

describe('cookie names', () => {
  it('over https: __Host- for the whole site, __Secure- where there is a path', () => {
    expect(cookieNames(true)).toEqual({
      session: '__Host-AUTH_ADAPTER_SESSION',
      interaction: '__Secure-AUTH_ADAPTER_INTERACTION',
      resume: '__Secure-AUTH_ADAPTER_RESUME',
    })
  })
  it('over http: without', () => {
    expect(cookieNames(false)).toEqual({
      session: 'AUTH_ADAPTER_SESSION',
      interaction: 'AUTH_ADAPTER_INTERACTION',
      resume: 'AUTH_ADAPTER_RESUME',
    })
  })
})
