import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { downstreamSubject } from './subject.ts'

const sub = fc.string({ minLength: 1, maxLength: 180, unit: fc.constantFrom(...'ab1:-|.@A') })
const upstreamName = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,5}$/)

describe('downstreamSubject', () => {
  it('passes the sub of a bare upstream as it is', () => {
    expect(downstreamSubject('bare', 'test-auth-server', 'testuser')).toBe('testuser')
    expect(downstreamSubject('bare', 'test-auth-server', 'auth0|5f7c')).toBe('auth0|5f7c')
  })

  it('prefixes the sub of any other upstream with its name', () => {
    expect(downstreamSubject('prefixed', 'github', '583231')).toBe('github:583231')
  })

  it('A16 cross-upstream sub collision: a bare sub that looks prefixed is prefixed too', () => {
    expect(downstreamSubject('bare', 'main', 'github:583231')).toBe('main:github:583231')
  })

  it('A16 cross-upstream sub collision: different upstreams or subs never share a subject', () => {
    fc.assert(
      fc.property(
        upstreamName,
        upstreamName,
        sub,
        sub,
        fc.boolean(),
        (one, other, subOne, subOther, isFirstBare) => {
          fc.pre(one !== other)
          const first = downstreamSubject(isFirstBare ? 'bare' : 'prefixed', one, subOne)
          expect(first).not.toBe(downstreamSubject('prefixed', other, subOther))
          if (subOne !== subOther) {
            expect(first).not.toBe(
              downstreamSubject(isFirstBare ? 'bare' : 'prefixed', one, subOther),
            )
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('refuses a subject of more than 255 characters', () => {
    expect(downstreamSubject('bare', 'up', 'x'.repeat(255))).toHaveLength(255)
    expect(() => downstreamSubject('prefixed', 'up', 'x'.repeat(253))).toThrow(RangeError)
  })
})
