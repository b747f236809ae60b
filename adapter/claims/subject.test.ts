import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { downstreamSubject, hashedSubject } from './subject.ts'

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

describe('hashedSubject', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')

  it('is the hash of issuer and sub, and looks like no other subject', () => {
    const subject = hashedSubject('https://a.test', 'u1', sha256)
    expect(subject).toBe(sha256('14:https://a.test2:u1'))
    expect(subject).toMatch(/^[\w-]{43}$/)
  })

  it('A16 cross-upstream sub collision: no two pairs of issuer and sub are written alike', () => {
    const part = fc.string({ unit: fc.constantFrom(...'0123:a') })
    fc.assert(
      fc.property(part, part, part, part, (issuer, subject, otherIssuer, otherSubject) => {
        fc.pre(issuer !== otherIssuer || subject !== otherSubject)
        const written = (text: string) => text
        expect(hashedSubject(issuer, subject, written)).not.toBe(
          hashedSubject(otherIssuer, otherSubject, written),
        )
      }),
      { numRuns: 5000 },
    )
  })
})
