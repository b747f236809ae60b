import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import type { ClaimRule } from '../../config/claim-rule.ts'
import { explainClaims } from './explain-claims.ts'
import { mapClaims } from '../mapping/map-claims.ts'

const idToken = {
  iss: 'https://up.test',
  sub: 'u1',
  auth_time: 1,
  name: 'Ada',
  groups: ['app-user', 'staff'],
  staff: ['x'],
  big: 'x'.repeat(5000),
  realm: { roles: ['a'] },
  shoe_size: 38,
}
const userinfo = { sub: 'u1', name: 'Eve', email: 'ada@up.test', groups: ['app-admin'] }
const rules: Record<string, ClaimRule> = {
  name: 'name',
  label: { template: '{name} <{email}>' },
  half: { template: '{name} {nickname}' },
  roles: { from: 'groups', filter: ['app-*'] },
  staff: { filter: ['never'], default: 'no' },
  big: 'big',
  realm_roles: 'realm.roles',
  tenant: { constant: 'acme' },
  phone: 'phone_number',
  dept: { required: true },
}

describe('explainClaims', () => {
  const explained = explainClaims(rules, { idToken, userinfo })

  it('says of each claim where it comes from, what was said there, and what is minted', () => {
    const rows = explained.provenance.map(({ claim, source, paths, raw, value }) =>
      claim === 'big' ? [claim, source, value] : [claim, source, paths, raw, value],
    )
    expect(rows).toEqual([
      ['name', 'id_token', ['name'], 'Ada', 'Ada'],
      [
        'label',
        'template',
        ['name', 'email'],
        { name: 'Ada', email: 'ada@up.test' },
        'Ada <ada@up.test>',
      ],
      ['half', 'nothing', ['name', 'nickname'], { name: 'Ada', nickname: undefined }, undefined],
      ['roles', 'id_token', ['groups'], ['app-user', 'staff'], ['app-user']],
      ['staff', 'default', ['staff'], ['x'], 'no'],
      ['big', 'id_token', undefined],
      ['realm_roles', 'id_token', ['realm.roles'], ['a'], ['a']],
      ['tenant', 'constant', [], undefined, 'acme'],
      ['phone', 'nothing', ['phone_number'], undefined, undefined],
      ['dept', 'nothing', ['dept'], undefined, undefined],
    ])
    expect(explained.provenance.flatMap(({ fault }) => fault ?? [])).toEqual(explained.faults)
  })

  it('lists what was dropped, and why', () => {
    expect(
      explained.dropped.map(({ source, claim, reason, readBy }) =>
        [source, claim, reason, ...readBy].join(' '),
      ),
    ).toEqual([
      'id_token iss about_the_token',
      'id_token sub makes_the_subject',
      'id_token auth_time about_the_sign_in',
      'id_token staff nothing_passed staff',
      'id_token big too_large big',
      'id_token shoe_size not_mapped',
      'userinfo sub makes_the_subject',
      'userinfo name id_token_wins',
      'userinfo groups id_token_wins',
    ])
  })

  it('A41 prototype pollution: a name that reaches a prototype is listed and never read', () => {
    const said = JSON.parse('{"__proto__":{"admin":true},"constructor":1}')
    const { claims, dropped } = explainClaims({ admin: '__proto__.admin' }, { idToken: said })
    expect({ ...claims }).toEqual({})
    expect(dropped.map(({ reason }) => reason)).toEqual(['unsafe_name', 'unsafe_name'])
  })

  const name = fc.constantFrom('a', 'b', 'c', 'd', 'a.b')
  const value = fc.oneof(
    fc.constantFrom<unknown>('app-x', 'x', 1, null, true, { b: 'app-y', c: ['x'] }),
    fc.array(fc.constantFrom<unknown>('app-x', 'app-y', 'x', 2, { b: 1 })),
  )
  const path = fc.constantFrom('a', 'b', 'c', 'a.b', 'd.c')
  const rule: fc.Arbitrary<ClaimRule> = fc.oneof(
    path,
    fc.record({ constant: value }),
    fc.record({ template: path.map((inner) => `{a} ${inner} {${inner}}`) }),
    fc.record(
      {
        from: path,
        filter: fc.constantFrom<string[]>(['app-*'], ['x']),
        strip_prefix: fc.constant('app-'),
        values: fc.constant({ x: 'X' }),
        add_prefix: fc.constant('up:'),
        default: value,
        required: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  )
  const claims = fc.dictionary(name, value)

  it('mints what mapClaims mints, and leaves no claim of the upstream unaccounted for', () => {
    fc.assert(
      fc.property(fc.dictionary(name, rule), claims, claims, (anyRules, signed, asked) => {
        const sources = { idToken: signed, userinfo: asked }
        const { provenance, dropped, ...mapped } = explainClaims(anyRules, sources)
        expect(mapped).toEqual(mapClaims(anyRules, sources))
        const minted = provenance.filter((entry) => entry.value !== undefined)
        expect(Object.fromEntries(minted.map((entry) => [entry.claim, entry.value]))).toEqual({
          ...mapped.claims,
        })
        const isRead = (claim: string) =>
          minted.some(({ paths }) => paths.some((read) => `${read}.`.startsWith(`${claim}.`)))
        for (const [source, said] of [
          ['id_token', signed],
          ['userinfo', asked],
        ] as const)
          for (const claim of Object.keys(said))
            expect(
              isRead(claim) ||
                dropped.some((entry) => entry.source === source && entry.claim === claim),
            ).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
