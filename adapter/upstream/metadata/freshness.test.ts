import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freshMsFrom } from './freshness.ts'

const BOUNDS = { leastMs: 60_000, usualMs: 300_000, mostMs: 3_000_000 }
const DATE = 'Sat, 21 Nov 2026 10:00:00 GMT'

describe(freshMsFrom, () => {
  it.each([
    ['nothing', {}, 300_000],
    ['a lifetime', { 'cache-control': 'max-age=600' }, 600_000],
    [
      'a lifetime among others, in any case',
      { 'cache-control': 'public, MAX-AGE="600", immutable' },
      600_000,
    ],
    ['a lifetime partly over', { 'cache-control': 'max-age=600', age: '400' }, 200_000],
    ['a lifetime that is over', { 'cache-control': 'max-age=600', age: '4000' }, 60_000],
    ['a year', { 'cache-control': 'max-age=31536000' }, 3_000_000],
    ['no time at all', { 'cache-control': 'max-age=0, must-revalidate' }, 60_000],
    ['not to be stored', { 'cache-control': 'no-store, max-age=600' }, 60_000],
    ['not without asking', { 'cache-control': 'no-cache' }, 60_000],
    ['other things', { 'cache-control': 'private' }, 300_000],
    ['nonsense', { 'cache-control': 'max-age=soon' }, 60_000],
    ['less than nothing', { 'cache-control': 'max-age=-5' }, 60_000],
    ['an end', { expires: 'Sat, 21 Nov 2026 10:10:00 GMT', date: DATE }, 600_000],
    [
      'an end and a lifetime, which wins',
      { expires: DATE, date: DATE, 'cache-control': 'max-age=600' },
      600_000,
    ],
    ['an end in the past', { expires: 'Thu, 01 Jan 1970 00:00:00 GMT', date: DATE }, 60_000],
    ['an end that is none', { expires: '0', date: DATE }, 60_000],
  ])('of an answer that says %s', (_name, headers, expected) => {
    expect(freshMsFrom(headers, BOUNDS)).toBe(expected)
  })

  it('stays within the bounds whatever the headers say', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('max-age=', 'no-store', 'max-age=99999999999', DATE),
      fc
        .tuple(fc.constantFrom('max-age=', 's-maxage=', ''), fc.integer())
        .map((parts) => parts.join('')),
    )
    const header = fc.oneof(text, fc.array(text), fc.constant(undefined))
    const headers = fc.record({
      'cache-control': header,
      age: header,
      expires: header,
      date: header,
    })
    fc.assert(
      fc.property(headers, (said) => {
        const fresh = freshMsFrom(said, BOUNDS)
        expect(fresh).toBeGreaterThanOrEqual(BOUNDS.leastMs)
        expect(fresh).toBeLessThanOrEqual(BOUNDS.mostMs)
      }),
      { numRuns: 500 },
    )
  })
})
