import { describe, expect, it } from 'vitest'
import { configSchema, type ClientConfig } from '../../config/schema.ts'
import { createClientSubjects } from './client-subjects.ts'

const KEY = Buffer.alloc(32, 7)
const up = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a' }

function clients(settings: Record<string, object>): Record<string, ClientConfig> {
  const redirect_uris = ['https://app.test:8443/cb']
  return configSchema.parse({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up },
    clients: Object.fromEntries(
      Object.entries(settings).map(([id, more]) => [id, { redirect_uris, ...more }]),
    ),
  }).clients
}

const configured = clients({
  open: {},
  one: { subject: 'pairwise' },
  sibling: { subject: 'pairwise', redirect_uris: ['https://app.test/other'] },
  named: { subject: 'pairwise', redirect_uris: ['https://x.test/'], sector: 'app.test' },
  other: { subject: 'pairwise', redirect_uris: ['https://other.test/'] },
})
const subjects = createClientSubjects({ clients: configured, subjectKey: KEY })

describe('the sub that a client sees', () => {
  it('is the account itself, or a pseudonym that says nothing of it', () => {
    expect(subjects.subjectFor('open', 'ada')).toBe('ada')
    expect(subjects.subjectFor(undefined, 'ada')).toBe('ada')
    expect(subjects.subjectFor('one', 'ada')).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(['open', 'one', 'nobody', undefined].map(subjects.isPairwise)).toEqual([
      false,
      true,
      false,
      false,
    ])
  })

  it('is the same for clients of one sector, and another in every other', () => {
    const [one, sibling, named, other] = ['one', 'sibling', 'named', 'other'].map((id) =>
      subjects.subjectFor(id, 'ada'),
    )
    expect([sibling, named]).toEqual([one, one])
    expect(other).not.toBe(one)
    expect(subjects.subjectFor('one', 'bob')).not.toBe(one)
  })

  it('is the same on every process with the same key, and with no other key', () => {
    const another = (fill: number) =>
      createClientSubjects({ clients: configured, subjectKey: Buffer.alloc(32, fill) })
    const expected = subjects.subjectFor('one', 'ada')
    expect(another(7).subjectFor('one', 'ada')).toBe(expected)
    expect(another(8).subjectFor('one', 'ada')).not.toBe(expected)
  })

  it('A16 no two pairs of sector and account are written alike', () => {
    const shifted = createClientSubjects({
      clients: clients({
        a: { subject: 'pairwise', sector: 'a' },
        a1: { subject: 'pairwise', sector: 'a1' },
      }),
      subjectKey: KEY,
    })
    expect(shifted.subjectFor('a', '1ada')).not.toBe(shifted.subjectFor('a1', 'ada'))
  })
})

describe('the session in its tokens', () => {
  it('is hidden from a pairwise client, and opens only beside its own grant', () => {
    const hidden = subjects.hideSession('one', 'session-uid', 'grant-1')
    expect(hidden).toMatch(/^[A-Za-z0-9_~-]+$/)
    expect(hidden).not.toContain('session-uid')
    expect(subjects.hideSession('one', 'session-uid', 'grant-1')).not.toBe(hidden)
    expect(subjects.openSession('one', hidden, 'grant-1')).toBe('session-uid')
    expect(subjects.openSession('one', hidden, 'grant-2')).toBeUndefined()
    expect(subjects.openSession('one', 'session-uid', 'grant-1')).toBeUndefined()
  })

  it('is as it is for all others', () => {
    expect(subjects.hideSession('open', 'session-uid', 'grant-1')).toBe('session-uid')
    expect(subjects.openSession('open', 'session-uid', 'grant-1')).toBe('session-uid')
  })
})
