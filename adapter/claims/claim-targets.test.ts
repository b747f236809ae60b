import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { claimsFor, claimTargets } from './claim-targets.ts'

const TARGETS = ['id_token', 'access_token', 'userinfo'] as const

describe('claimTargets', () => {
  it('lists only the claims that do not go everywhere', () => {
    expect(claimTargets({ a: 'a', b: { from: 'b' }, c: { in: ['userinfo'] } })).toEqual({
      c: ['userinfo'],
    })
    expect(claimTargets({ a: 'a', b: { constant: 1 } })).toBeUndefined()
  })
})

describe('claimsFor', () => {
  it('gives each place what is for it, and everywhere what is not limited', () => {
    const claims = { a: 1, b: 2, toString: 3 }
    const targets = { b: ['access_token'] as const }
    expect({ ...claimsFor('id_token', claims, targets) }).toEqual({ a: 1, toString: 3 })
    expect({ ...claimsFor('access_token', claims, targets) }).toEqual(claims)
    expect({ ...claimsFor('userinfo', claims) }).toEqual(claims)
  })

  it('adds nothing, loses nothing that is for somewhere', () => {
    const name = fc.string({ minLength: 1 })
    const limits = fc.dictionary(name, fc.subarray([...TARGETS], { minLength: 1 }))
    fc.assert(
      fc.property(fc.dictionary(name, fc.integer()), limits, (claims, targets) => {
        const given = TARGETS.map((target) => claimsFor(target, claims, targets))
        expect(Object.assign(Object.create(null), ...given)).toEqual(
          Object.assign(Object.create(null), claims),
        )
        for (const [index, part] of given.entries())
          for (const key of Object.keys(part).filter((found) => Object.hasOwn(targets, found)))
            expect(targets[key]).toContain(TARGETS[index])
      }),
    )
  })
})
