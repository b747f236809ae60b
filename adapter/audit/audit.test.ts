// What can be in a security event and what can not, by type and by value; and that a sink that fails harms nobody.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createRequestContext, runInContext } from '../../service/request-context.ts'
import { AUDIT_EVENTS, type AuditEvent } from './audit-events.ts'
import type { AuditRow } from './audit-fields.ts'
import { createAudit, type AuditEntry, type AuditSink } from './audit.ts'
import { createPseudonym } from './judge-field.ts'
import { createFileSink } from './line-sink.ts'

const KEY = new Uint8Array(32).fill(7)
const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-audit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function keep(): AuditSink & { entries: AuditEntry[] } {
  const entries: AuditEntry[] = []
  return { name: 'kept', entries, write: (entry) => void entries.push(entry) }
}

function open(sinks: readonly AuditSink[], now = () => 0) {
  const lost: { sink: string; count: number }[] = []
  const audit = createAudit({
    sinks,
    now,
    pseudonym: createPseudonym(() => KEY),
    onLost: ({ sink, count }) => void lost.push({ sink, count }),
  })
  return { audit, lost }
}

const CANARIES = [
  'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ',
  'cAnArY7hT2kQ9xLm4Zr8VbN1wEy6UjP3sDf5GaHoKcI',
  'Bearer canary-0123456789',
  'client_secret=canary-secret',
  'Cookie: AUTH_ADAPTER_SESSION=canary',
  'canary@example.com',
]

describe('a security event', () => {
  it('has the fields of its row, the request and the flow, and nothing else', () => {
    const sink = keep()
    const { audit } = open([sink], () => 1_700_000_000_000)
    runInContext(createRequestContext({ request_id: 'r-1', flow_id: 'f-1', ip: '10.0.0.1' }), () =>
      audit.record({
        event: 'login.succeeded',
        upstream: 'okta',
        client_id: 'shop',
        person: 'user-1',
      }),
    )
    const [entry] = sink.entries
    expect(entry).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      time: '2023-11-14T22:13:20.000Z',
      event: 'login.succeeded',
      version: 1,
      request_id: 'r-1',
      flow_id: 'f-1',
      upstream: 'okta',
      client_id: 'shop',
      person: expect.stringMatching(/^[\w-]{22}$/) as string,
    })
    expect(JSON.stringify(entry)).not.toContain('user-1')
  })

  it('has by its type no field for a secret', () => {
    const sink = keep()
    const { audit } = open([sink])
    // @ts-expect-error: no such field in the row
    audit.record({ event: 'token.revoked', client_id: 'shop', token: 'canary-token' })
    // @ts-expect-error: of another type than the row says
    audit.record({ event: 'session.ended', told: 'canary-count' })
    expect(JSON.stringify(sink.entries)).not.toContain('canary')
  })

  it.each(CANARIES)(
    'shows no secret and no e-mail address, whatever field it is put into: %s',
    (canary) => {
      const sink = keep()
      const { audit } = open([sink])
      for (const [event, { fields }] of Object.entries<AuditRow>(AUDIT_EVENTS)) {
        const names = [...Object.keys(fields), 'token', 'code', 'cookie', 'email']
        for (const value of [canary, [canary], { canary }, `said ${canary} there`])
          audit.record({
            event,
            ...Object.fromEntries(names.map((name) => [name, value])),
          } as unknown as AuditEvent)
      }
      const secret = canary.split(/[ =]/).at(-1) ?? ''
      expect(sink.entries.length).toBe(Object.keys(AUDIT_EVENTS).length * 4)
      expect(JSON.stringify(sink.entries)).not.toContain(secret)
    },
  )

  it('a person is the same for all who have the key, and another without it', () => {
    const [one, same] = [createPseudonym(() => KEY), createPseudonym(() => KEY)]
    const other = createPseudonym(() => new Uint8Array(32))
    expect(one('user-1')).toBe(same('user-1'))
    expect(one('user-1')).not.toBe(one('user-2'))
    expect(one('user-1')).not.toBe(other('user-1'))
    expect(createPseudonym(() => undefined)('user-1')).toBeUndefined()
  })
})

describe('a sink', () => {
  it('F74 that fails keeps no event from the others, throws at nobody, and is said with a count', () => {
    const sink = keep()
    let at = 0
    const full: AuditSink = {
      name: 'full',
      write() {
        throw new Error('ENOSPC')
      },
    }
    const { audit, lost } = open([full, sink], () => at)
    for (let count = 0; count < 5; count += 1) audit.record({ event: 'admin.refused' })
    expect(sink.entries.length).toBe(5)
    expect(lost).toEqual([{ sink: 'full', count: 1 }])
    at = 10_000
    audit.record({ event: 'admin.refused' })
    expect(lost.at(-1)).toEqual({ sink: 'full', count: 5 })
  })

  it('of a file writes one JSON object a line, for its owner only, and makes the file again', () => {
    const file = join(folder, 'audit.jsonl')
    const { audit } = open([createFileSink(file)])
    audit.record({ event: 'admin.refused', reason: 'no token' })
    rmSync(file)
    audit.record({ event: 'admin.refused', reason: 'wrong token' })
    audit.record({ event: 'admin.refused', reason: 'wrong token' })
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as AuditEntry)['reason'])).toEqual([
      'wrong token',
      'wrong token',
    ])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('A42 of a file writes what ends lines, or commands terminals, as JSON escapes', () => {
    const file = join(folder, 'one-line.jsonl')
    const { audit } = open([createFileSink(file)])
    const reason = 'a\r\nb\u2028c\u2029d\u0085e\u009b31m\u001b[0m"{'
    audit.record({ event: 'admin.refused', reason })
    const written = readFileSync(file, 'utf8')
    expect(written).toMatch(/^[\x20-\x7e]+\n$/)
    expect((JSON.parse(written) as AuditEntry)['reason']).toBe(reason)
  })

  it('F74 of a file that can not be written loses events, and says so', () => {
    const file = join(folder, 'is-a-folder')
    mkdirSync(file)
    const { audit, lost } = open([createFileSink(file)])
    audit.record({ event: 'admin.refused' })
    expect(lost).toEqual([{ sink: 'file', count: 1 }])
  })
})
