import { describe, expect, it } from 'vitest'
import { assertionFault, type AssertionRules } from './client-assertions.ts'

const ISSUER = 'https://id.example'
const TOKEN = `${ISSUER}/oauth2/token`
const NOW = 1_800_000_000
const rules: AssertionRules = {
  issuer: ISSUER,
  audiences: new Set([ISSUER, TOKEN]),
  isFapi: false,
  now: NOW * 1000,
}
const claims = { aud: ISSUER, exp: NOW + 60, jti: 'x' }

describe('assertionFault', () => {
  it.each([
    [ISSUER, true],
    [TOKEN, false],
    [[ISSUER], false],
    [[ISSUER, TOKEN], false],
    [undefined, false],
  ])('with FAPI 2.0 the audience is the issuer as a text alone: %j', (aud, isRight) => {
    const fault = assertionFault({ ...claims, aud }, {}, { ...rules, isFapi: true })
    expect(fault).toBe(isRight ? undefined : 'expected our issuer as the audience')
    expect(assertionFault({ ...claims, aud }, {}, rules) === undefined).toBe(aud !== undefined)
  })

  it('an hour and a minute is as far as it may reach, ahead and back', () => {
    const faultOf = (changes: object) => assertionFault({ ...claims, ...changes }, {}, rules)
    expect([
      faultOf({ exp: NOW + 3660 }),
      faultOf({ iat: NOW - 3660 }),
      faultOf({ iat: NOW + 60 }),
    ]).toEqual([undefined, undefined, undefined])
    expect(faultOf({ exp: NOW + 3661 })).toContain('3600 s away')
    expect(faultOf({ iat: NOW - 3661 })).toContain('too long ago')
    expect(faultOf({ iat: NOW + 61 })).toContain('not to lie ahead')
    for (const iat of ['1', null]) expect(faultOf({ iat })).toBeDefined()
  })

  it.each([[1], [''], [{}], ['at+jwt'], ['client-authentication']])(
    'typ %j is not for it',
    (typ) => {
      expect(assertionFault(claims, { typ }, rules)).toContain('type of JWT')
    },
  )
})
