import { describe, expect, it } from 'vitest'
import { explainClaims } from '../explain/explain-claims.ts'
import { explainHooked, hookedClaims } from './hooked-claims.ts'
import { MAX_CLAIM_LENGTH } from './map-claims.ts'

const rules = {
  name: 'name',
  email: { required: true },
  roles: { from: 'groups', default: ['USER'] },
}

describe('what a hook gives is judged as what the rules give', () => {
  it('values of any JSON, as they are; null is nothing; a default is not put in again', () => {
    const given = { name: 'Ada', email: { work: ['a'] }, roles: null }
    const { claims, faults } = hookedClaims(rules, given)
    expect([{ ...claims }, faults]).toEqual([{ name: 'Ada', email: { work: ['a'] } }, []])
    expect({ ...hookedClaims(rules, { email: false, name: 0, roles: [] }).claims }).toEqual({
      email: false,
      name: 0,
      roles: [],
    })
  })

  it.each([
    [{ name: 'Ada' }, 'Claim "email" is required, and the upstream did not send it'],
    [{ email: 'x'.repeat(MAX_CLAIM_LENGTH) }, 'Claim "email" is too large'],
    [{ email: 'a', sub: 'bob' }, 'Claim "sub" comes from a hook, and has no entry under claims'],
  ])('%#', (given, fault) => expect(hookedClaims(rules, given).faults).toEqual([fault]))

  it.each(['__proto__', 'constructor', 'toString', 'aud', 'x'.repeat(500)])(
    'A41 no other name gets through: %s',
    (name) => {
      const given = JSON.parse(`{"email":"a",${JSON.stringify(name)}:{"admin":true}}`) as object
      const { claims, faults } = hookedClaims(rules, { ...given, ...JSON.parse('{}') })
      expect(Object.keys(claims)).toEqual(['email'])
      expect(faults).toHaveLength(1)
      expect(({} as { admin?: unknown }).admin).toBeUndefined()
    },
  )
})

describe('the explanation of what a hook did', () => {
  const sources = { idToken: { name: 'Ada', email: 'a@b.test', groups: ['x'] } }

  it('what it changed comes from the hook, with the value of the rule; the rest stays', () => {
    const given = { name: 'Ada', email: 'b@b.test' }
    const { provenance, faults, claims } = explainHooked(
      explainClaims(rules, sources),
      rules,
      {},
      given,
    )
    expect(provenance.map(({ claim, source, raw, value }) => [claim, source, raw, value])).toEqual([
      ['name', 'id_token', 'Ada', 'Ada'],
      ['email', 'hook', 'a@b.test', 'b@b.test'],
      ['roles', 'hook', ['x'], undefined],
    ])
    expect([faults, { ...claims }]).toEqual([[], given])
  })

  it('the rules of a client are none of its business', () => {
    const own = { name: { constant: 'Countess' }, badge: { required: true } }
    const explained = explainClaims({ ...rules, ...own }, sources)
    const { claims, faults } = explainHooked(explained, rules, own, { name: 'X', email: 'E' })
    expect({ ...claims }).toEqual({ name: 'Countess', email: 'E' })
    expect(faults).toEqual(['Claim "badge" is required, and the upstream did not send it'])
  })
})
