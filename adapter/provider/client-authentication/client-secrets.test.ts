import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSecretJudge } from './client-secrets.ts'

const SECOND = 1000
const secret = () => randomBytes(32).toString('base64url')
const sha256 = (text: string, encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(text).digest(encoding)

const [old, fresh, over, plain] = [secret(), secret(), secret(), secret()] as [
  string,
  string,
  string,
  string,
]
const expires = '2026-06-01'
const judge = (now: number) =>
  createSecretJudge(
    {
      two: {
        client_secrets: [{ sha256: sha256(old, 'hex') }, { sha256: sha256(fresh, 'base64url') }],
      },
      ending: {
        client_secrets: [
          { sha256: sha256(old, 'hex').toUpperCase() },
          { sha256: sha256(over, 'base64url'), expires },
        ],
      },
      mixed: { client_secret: plain, client_secrets: [{ sha256: sha256(fresh, 'hex') }] },
      public: {},
    },
    () => now,
  )

describe('the judge of secrets', () => {
  const now = Date.parse('2026-05-31T23:59:59Z')

  it('two secrets are good at a time, and no other', () => {
    const { matches } = judge(now)
    expect([matches('two', old), matches('two', fresh), matches('two', over)]).toEqual([
      true,
      true,
      false,
    ])
    expect([matches('mixed', plain), matches('mixed', fresh), matches('mixed', old)]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('one that expires is good until then, and the other beyond', () => {
    expect(judge(now).matches('ending', over)).toBe(true)
    expect(judge(now + SECOND).matches('ending', over)).toBe(false)
    expect(judge(now + SECOND).matches('ending', old)).toBe(true)
  })

  it('a hash is no secret, nothing is one of a public client, and nobody has one', () => {
    const { matches } = judge(now)
    for (const text of [sha256(old, 'hex'), sha256(old, 'base64url'), '', `${old} `, old.slice(1)])
      expect(matches('two', text)).toBe(false)
    for (const client of ['public', 'nobody', '__proto__', 'constructor'])
      expect([matches(client, ''), matches(client, old)]).toEqual([false, false])
  })
})
