import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import type { ClaimRule } from '../../config/schema.ts'
import { bytesOf, mapClaims, MAX_CLAIMS_LENGTH } from './map-claims.ts'

const POISON = ['__proto__', 'constructor', 'prototype']

function mapped(
  rules: Record<string, ClaimRule>,
  idToken: Record<string, unknown>,
  userinfo?: Record<string, unknown>,
) {
  const { claims, faults } = mapClaims(rules, { idToken, userinfo })
  return { claims: { ...claims }, faults }
}

describe('the length of a claim', () => {
  it.each([
    '',
    'plain',
    '"',
    '\\',
    'a\u0000b',
    '\u007f',
    'é',
    '王',
    '\ud800',
    ' ~!#[]',
    '\u2028',
    'a\nb',
  ])('is that of its JSON: %j', (text) =>
    expect(bytesOf(text)).toBe(Buffer.byteLength(JSON.stringify(text))),
  )
})

describe('mapClaims', () => {
  it('mints the identity claims of the demo', () => {
    const rules: Record<string, ClaimRule> = {
      test_auth_server_sub: 'sub',
      preferred_username: 'preferred_username',
      name: 'name',
      authorities: {
        from: 'roles',
        values: { user: 'ROLE_USER', admin: 'ROLE_ADMIN' },
        default: ['ROLE_USER'],
      },
    }
    const idToken = {
      sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      roles: ['user'],
    }
    expect(mapped(rules, idToken)).toEqual({
      claims: {
        test_auth_server_sub: 'testuser',
        preferred_username: 'testuser',
        name: 'testuser',
        authorities: ['ROLE_USER'],
      },
      faults: [],
    })
  })

  const rows: {
    name: string
    rule: ClaimRule
    idToken: Record<string, unknown>
    gives: unknown
  }[] = [
    { name: 'follows a dotted path', rule: 'a.b.c', idToken: { a: { b: { c: 1 } } }, gives: 1 },
    {
      name: 'finds a key with dots whole first',
      rule: 'a.b',
      idToken: { 'a.b': 'whole', a: { b: 'nested' } },
      gives: 'whole',
    },
    {
      name: 'goes on below a key with dots',
      rule: 'https://x.example/c.r',
      idToken: { 'https://x.example/c': { r: 2 } },
      gives: 2,
    },
    {
      name: 'reads no inherited property',
      rule: 'a.toString',
      idToken: { a: {} },
      gives: undefined,
    },
    { name: 'reads no array length', rule: 'a.length', idToken: { a: [1] }, gives: undefined },
    {
      name: 'translates a scalar',
      rule: { from: 'r', values: { 1: 'one' } },
      idToken: { r: 1 },
      gives: 'one',
    },
    {
      name: 'drops values not listed',
      rule: { from: 'r', values: { a: 'A' } },
      idToken: { r: ['a', 'b', 'a'] },
      gives: ['A'],
    },
    {
      name: 'inherits no translation',
      rule: { from: 'r', values: {} },
      idToken: { r: 'toString' },
      gives: undefined,
    },
    {
      name: 'takes the default when nothing is left',
      rule: { from: 'r', values: {}, default: ['U'] },
      idToken: { r: ['x'] },
      gives: ['U'],
    },
    {
      name: 'takes the default when the claim is absent',
      rule: { from: 'r', default: false },
      idToken: {},
      gives: false,
    },
    {
      name: 'mints a constant',
      rule: { constant: 'acme' },
      idToken: { claim: 'other' },
      gives: 'acme',
    },
    {
      name: 'reads its own name when told nothing',
      rule: { required: true },
      idToken: { claim: 'own' },
      gives: 'own',
    },
    {
      name: 'fills a template from several claims',
      rule: { template: '{given_name} {name.last}!' },
      idToken: { given_name: 'Ada', name: { last: 'Lovelace' } },
      gives: 'Ada Lovelace!',
    },
    {
      name: 'mints nothing of a template with a part missing',
      rule: { template: '{given_name} {family_name}' },
      idToken: { given_name: 'Ada' },
      gives: undefined,
    },
    {
      name: 'mints no list by a template',
      rule: { template: '{r}', default: 'none' },
      idToken: { r: ['a'] },
      gives: 'none',
    },
    {
      name: 'filters by exact values and by their beginnings',
      rule: { from: 'g', filter: ['admin', 'app-*'] },
      idToken: { g: ['admin', 'administrator', 'app-', 'app-x', 'my-app-x', 'APP-x', 'app-x'] },
      gives: ['admin', 'app-', 'app-x'],
    },
    {
      name: 'reads nothing but a star at the end as a pattern (A33)',
      rule: { from: 'g', filter: ['a.*', '(a+)+$', '*b'] },
      idToken: { g: ['aab', 'a.b', 'aaaa', '*b', 'b'] },
      gives: ['a.b', '*b'],
    },
    {
      name: 'filters a single value too',
      rule: { from: 'g', filter: ['app-*'] },
      idToken: { g: 'other' },
      gives: undefined,
    },
    {
      name: 'drops what lacks the prefix to strip, so that nothing passes for something else',
      rule: { from: 'g', strip_prefix: 'app-' },
      idToken: { g: ['app-user', 'admin', 'app-'] },
      gives: ['user'],
    },
    {
      name: 'filters, strips, translates and prefixes in this order',
      rule: {
        from: 'g',
        filter: ['app-*'],
        strip_prefix: 'app-',
        values: { user: 'USER', admin: 'ADMIN' },
        add_prefix: 'ROLE_',
      },
      idToken: { g: ['app-user', 'admin', 'app-other', 'app-admin', 'app-user'] },
      gives: ['ROLE_USER', 'ROLE_ADMIN'],
    },
    {
      name: 'lets no list or map pass a prefix',
      rule: { from: 'g', add_prefix: 'up:' },
      idToken: { g: ['a', 1, ['b'], { c: 1 }, null] },
      gives: ['up:a', 'up:1'],
    },
    { name: 'keeps false and 0', rule: 'z', idToken: { z: 0 }, gives: 0 },
  ]
  it.each(rows)('$name', ({ rule, idToken, gives }) => {
    expect(mapped({ claim: rule }, idToken)).toEqual({
      claims: gives === undefined ? {} : { claim: gives },
      faults: [],
    })
  })

  it('takes each part of a template from the ID token first', () => {
    expect(
      mapped({ n: { template: '{a}-{b}' } }, { a: 'signed' }, { a: 'x', b: 'userinfo' }).claims,
    ).toEqual({ n: 'signed-userinfo' })
  })

  it('mints of any groups only what filter and prefix allow', () => {
    const group = fc.oneof(
      fc.string(),
      fc.string().map((name) => `app-${name}`),
      fc.integer(),
    )
    fc.assert(
      fc.property(fc.array(group), (groups) => {
        const rule = { from: 'g', strip_prefix: 'app-', add_prefix: 'ROLE_' }
        const roles = mapped({ roles: rule }, { g: groups }).claims['roles'] ?? []
        const expected = groups.filter((name) => /^app-./s.test(String(name)))
        expect(roles).toEqual([
          ...new Set(expected.map((name) => `ROLE_${String(name).slice('app-'.length)}`)),
        ])
      }),
    )
  })

  it('A33 ReDoS: 5,000 groups and 200 filters are judged at once', () => {
    const filter = Array.from({ length: 200 }, (_, index) => `(a+)+${index}$*`)
    const groups = Array.from({ length: 5000 }, () => 'a'.repeat(200))
    const begun = performance.now()
    expect(mapped({ g: { filter } }, { g: groups }).claims).toEqual({})
    expect(performance.now() - begun).toBeLessThan(1000)
  })

  it('A19 claims overridden from outside the signed token: the ID token wins over userinfo', () => {
    expect(
      mapped({ r: 'role', n: 'name' }, { role: 'user' }, { role: 'admin', name: 'N' }).claims,
    ).toEqual({ r: 'user', n: 'N' })
  })

  it('names a required claim that did not come, and never a value', () => {
    const { faults } = mapped(
      { dept: { from: 'd', values: { a: 'A' }, required: true } },
      { d: 'canary-value' },
    )
    expect(faults).toEqual(['Claim "dept" is required, and the upstream did not send it'])
  })

  it('F10 huge ID token: a claim too large is a fault, and the minted claims stay small', () => {
    const { claims, faults } = mapped(
      { groups: 'groups', name: 'name' },
      {
        groups: Array.from({ length: 5000 }, (_, index) => `group-${index}`),
        name: 'n',
      },
    )
    expect(claims).toEqual({ name: 'n' })
    expect(faults).toEqual(['Claim "groups" is too large'])
  })

  it('A41 prototype pollution: no name that reaches a prototype is read, minted or copied', () => {
    const idToken = JSON.parse(
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"a":{"__proto__":{"admin":true},"b":[{"constructor":1,"ok":2}]}}',
    )
    const rules = JSON.parse(
      '{"__proto__":"a","constructor":"a","p":"__proto__.admin","q":"constructor.prototype.admin","r":"a.__proto__","a":"a"}',
    )
    const { claims } = mapClaims(rules, { idToken })
    expect(JSON.stringify(claims)).toBe('{"a":{"b":[{"ok":2}]}}')
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
    expect((claims['a'] as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('A41 prototype pollution: holds for arbitrary claims and rules', () => {
    const key = fc.oneof(fc.constantFrom(...POISON, 'a', 'b', 'a.b'), fc.string({ maxLength: 6 }))
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('node'), { maxLength: 3 }),
        tie('map'),
      ),
      map: fc.array(fc.tuple(key, tie('node')), { maxLength: 4 }).map(ownKeys),
    })).map
    const path = fc
      .array(key, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('.') || 'x')
    const rules = fc.array(fc.tuple(key, path), { maxLength: 5 }).map(ownKeys)
    fc.assert(
      fc.property(rules, tree, tree, (ruleMap, idToken, userinfo) => {
        const { claims, faults } = mapClaims(ruleMap as Record<string, ClaimRule>, {
          idToken: idToken as Record<string, unknown>,
          userinfo: userinfo as Record<string, unknown>,
        })
        const text = JSON.stringify(claims)
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(OBJECT_PROTOTYPE_NAMES)
        for (const name of allKeys(claims)) expect(POISON).not.toContain(name)
        expect(text.length).toBeLessThan(2 * MAX_CLAIMS_LENGTH)
        expect(faults.every((fault) => fault.startsWith('Claim "'))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

const OBJECT_PROTOTYPE_NAMES = Object.getOwnPropertyNames(Object.prototype)

function ownKeys(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const result = {}
  for (const [name, value] of entries) {
    Object.defineProperty(result, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return result
}

function allKeys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, entry]) => [
    ...(Array.isArray(value) ? [] : [name]),
    ...allKeys(entry),
  ])
}
