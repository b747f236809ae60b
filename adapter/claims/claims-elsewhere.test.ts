import { describe, expect, it } from 'vitest'
import { claimsElsewhere } from './claims-elsewhere.ts'

describe(claimsElsewhere, () => {
  it('names what ID token and userinfo say is elsewhere, once, and not what they tell', () => {
    const idToken = { _claim_names: { groups: 'src1', phone: 'src1' }, phone: '1' }
    expect(
      claimsElsewhere({ idToken, userinfo: { _claim_names: { groups: 'a', age: 'b' } } }),
    ).toEqual(['groups', 'age'])
  })

  it.each([undefined, null, 'groups', ['groups'], 5])('finds nothing in %j', (value) => {
    const idToken = { _claim_names: value }
    expect(claimsElsewhere({ idToken, userinfo: undefined })).toEqual([])
  })

  it('is bounded, whatever the upstream says', () => {
    const names = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`c${index}`, 's']))
    const idToken = { _claim_names: { ...names, ['x'.repeat(101)]: 's' } }
    expect(claimsElsewhere({ idToken, userinfo: undefined })).toHaveLength(10)
    expect(
      claimsElsewhere({
        idToken: { _claim_names: { ['x'.repeat(101)]: 's' } },
        userinfo: undefined,
      }),
    ).toEqual([])
  })
})
