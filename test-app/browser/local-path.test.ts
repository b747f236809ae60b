import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localPathOr } from './local-path.ts'
import { landingPath } from '../login/paths.ts'

const ORIGIN = 'https://app.example'

const HOSTILE = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\nSet-Cookie: a=b',
  'https://evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  '/..//evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '/%2e%2e//evil.example',
  '/%2e//evil.example',
  ' //evil.example',
  '',
  '@evil.example',
  '.evil.example',
  '/\u0000',
  '/é',
  '/\u2028',
  '?a',
  '#a',
  'a/b',
  '/x'.repeat(600),
  '/ a',
  'http://app.invalid/x',
  '//app.invalid/x',
  '/\\/app.invalid',
]

describe(localPathOr, () => {
  it.each(HOSTILE)('A10 open redirect: %j is not a path of this app', (asked) => {
    expect(localPathOr('/fallback', asked)).toBe('/fallback')
  })

  it.each([
    '/',
    '/authenticated',
    '/authenticated?tab=1&x=%2F%2Fevil',
    '/a/b?c=d',
    '/%09/e',
    '/?u=https://e.example',
  ])('%s is kept', (asked) => {
    expect(localPathOr('/fallback', asked)).toBe(asked)
  })

  it('takes strings only', () => {
    for (const asked of [undefined, null, 1, ['/a'], { toString: () => '/a' }])
      expect(localPathOr('/f', asked)).toBe('/f')
  })

  it('A10 open redirect: nothing leads to another origin or splits a header', () => {
    const tricky = fc.array(
      fc.oneof(
        fc.constantFrom(
          '/',
          '\\',
          '.',
          '..',
          '%2e',
          '@',
          ':',
          '?',
          '#',
          '\t',
          '\n',
          '//',
          'evil.example',
          'https:',
        ),
        fc.string({ unit: 'binary', maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(tricky, (pieces) => {
        const path = localPathOr('/fallback', `/${pieces.join('')}`)
        expect(new URL(path, ORIGIN).origin).toBe(ORIGIN)
        expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/)
        expect(localPathOr('/other', path)).toBe(path)
      }),
      { numRuns: 3000 },
    )
  })
})

describe(landingPath, () => {
  it.each([
    '/login/oauth2/code/auth-adapter?code=x',
    '/sign-in?return_to=/',
    '/sign-in/lost',
    '/logout',
    '//e',
  ])('never lands on %s', (asked) => {
    expect(landingPath(asked)).toBe('/authenticated')
  })
  it('lands on other pages of this app', () => {
    expect(landingPath('/logout-help')).toBe('/logout-help')
  })
})
