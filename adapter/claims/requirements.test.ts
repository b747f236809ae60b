import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { requirements } from '../config/claim-rule.ts'
import { unmetRequirements } from './requirements.ts'

const unmet = (settings: object, idToken: Record<string, unknown>, userinfo?: object) =>
  unmetRequirements(requirements.parse(settings), {
    idToken,
    userinfo: userinfo as Record<string, unknown> | undefined,
  })

const DOMAINS = { email_domains: ['corp.com', 'Other.example'] }
const at = (email: unknown, email_verified: unknown = true) =>
  unmet(DOMAINS, { email, email_verified })

describe('unmetRequirements', () => {
  it('asks for nothing where nothing is required', () => {
    expect(unmetRequirements(undefined, { idToken: {} })).toEqual([])
    expect(unmet({}, {})).toEqual([])
  })

  it.each<[string, object, Record<string, unknown>, boolean]>([
    ['one of the groups', { groups: ['a', 'b'] }, { groups: ['x', 'b'] }, true],
    ['a single group as a text', { groups: ['a'] }, { groups: 'a' }, true],
    ['none of the groups', { groups: ['a'] }, { groups: ['A', 'ab', ''] }, false],
    ['no groups at all', { groups: ['a'] }, {}, false],
    ['groups as a map', { groups: ['a'] }, { groups: { a: true } }, false],
    [
      'groups from elsewhere',
      { groups: ['a'], groups_from: 'realm.roles' },
      { groups: [], realm: { roles: ['a'] } },
      true,
    ],
    ['a claim that equals', { claims: { 'org.unit': 'R&D' } }, { org: { unit: 'R&D' } }, true],
    ['one of several values', { claims: { tier: [1, 2] } }, { tier: 2 }, true],
    ['a list that has it', { claims: { tier: 'gold' } }, { tier: ['gold', 'x'] }, true],
    ['another type', { claims: { active: true } }, { active: 'true' }, false],
    ['no such claim', { claims: { active: true } }, {}, false],
    ['an inherited one', { claims: { 'constructor.name': 'Object' } }, {}, false],
  ])('judges %s', (_name, settings, idToken, isMet) => {
    expect(unmet(settings, idToken).length === 0).toBe(isMet)
  })

  it('names every rule that is not met, and no value', () => {
    const settings = { groups: ['canary'], claims: { dept: 'canary', ok: 1 }, ...DOMAINS }
    expect(unmet(settings, { ok: 1, dept: 'secret' })).toEqual([
      'require.groups',
      'require.email_domains',
      'require.claims.dept',
    ])
  })

  it.each(['a@corp.com', 'a@CORP.com', 'a.b+c@other.EXAMPLE'])('A15 email domain: %s', (email) => {
    expect(at(email)).toEqual([])
  })

  it.each([
    'a@evilcorp.com',
    'a@corp.com@evil',
    'a@evil@corp.com',
    'a@corp.com.',
    'a@sub.corp.com',
    'a@corp.com.evil',
    'a@ corp.com',
    'a@corp.com ',
    'a@corp.com\n',
    'a@corp.com\0',
    '@corp.com',
    'corp.com',
    'a@cörp.com',
    'a@corp.com\u200b',
    'a@\uff43orp.com',
    'a@corp\u3002com',
    '',
    ['a@corp.com'],
    { email: 'a@corp.com' },
    undefined,
  ])('A15 email domain: refused: %j', (email) => {
    expect(at(email)).toEqual(['require.email_domains'])
  })

  it('A15 email domain: only ASCII letters have two cases', () => {
    const claims = { email: 'a@\u212aorp.com', email_verified: true }
    expect(unmet({ email_domains: ['korp.com'] }, claims)).toEqual(['require.email_domains'])
  })

  it.each([false, 'true', 1, null, undefined, {}, [true]])(
    'A14 an e-mail address that is not verified counts for nothing: %j',
    (verified) => {
      expect(unmet(DOMAINS, { email: 'a@corp.com', email_verified: verified })).toEqual([
        'require.email_domains',
      ])
    },
  )

  it('A19 who says that an address is verified must speak of the same address', () => {
    const signed = { email: 'a@corp.com' }
    const verified = (email: string) => ({ email, email_verified: true })
    expect(unmet(DOMAINS, signed, verified('a@corp.com'))).toEqual([])
    expect(unmet(DOMAINS, {}, verified('a@corp.com'))).toEqual([])
    for (const [idToken, userinfo] of [
      [signed, verified('a@evil.test')],
      [signed, { email_verified: true }],
      [verified('a@evil.test'), verified('a@corp.com')],
      [{ ...signed, email_verified: false }, verified('a@corp.com')],
    ])
      expect(unmet(DOMAINS, idToken as object as Record<string, unknown>, userinfo)).toHaveLength(1)
  })

  it('A15 email domain: of any text only those that end in @ and the domain pass', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('a', '@', 'corp.com', '.', 'evil', 'CORP.COM', ' '))
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (email) => {
        const isRight = /^[^@]+@corp\.com$/i.test(email) && !email.includes('\n')
        expect(unmet({ email_domains: ['corp.com'] }, { email, email_verified: true })).toEqual(
          isRight ? [] : ['require.email_domains'],
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the settings', () => {
  it.each(['', '*.corp.com', '@corp.com', 'corp.com.', 'cörp.com', 'a b'])(
    'A15 a domain that could never match, or too much, is refused: "%s"',
    (domain) => {
      expect(requirements.safeParse({ email_domains: [domain] }).success).toBe(false)
    },
  )

  it.each([{ groups: [] }, { email_domains: [] }, { claims: { a: [] } }, { claims: { a: {} } }])(
    'nobody is locked out by an empty rule: %j',
    (settings) => {
      expect(requirements.safeParse(settings).success).toBe(false)
    },
  )
})
