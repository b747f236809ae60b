// Takes security events, makes entries of what the table lets through, and hands them to the sinks. A sink that fails keeps
// nobody from signing in: what is lost is counted, and said loudly.
import { randomUUID } from 'node:crypto'
import { currentContext } from '../../service/request-context.ts'
import { AUDIT_EVENTS, type AuditEvent, type AuditEventName } from './audit-events.ts'
import type { AuditRow } from './audit-fields.ts'
import { judgeField, type Pseudonym } from './judge-field.ts'

/** JSON. The fields of the table stand beside these. */
export interface AuditEntry {
  id: string
  /** ISO 8601. */
  time: string
  event: AuditEventName
  version: number
  request_id?: string
  /** Of one login. */
  flow_id?: string
  [field: string]: unknown
}

export interface AuditSink {
  readonly name: string
  /** May throw: then the entry is lost to this sink. */
  write(entry: AuditEntry, row: AuditRow): void
}

export interface AuditOptions {
  sinks: readonly AuditSink[]
  /** Epoch milliseconds. */
  now: () => number
  pseudonym: Pseudonym
  /** Told at the first loss, and then every ten seconds while it goes on, with the count since it was last told. */
  onLost: (lost: { sink: string; count: number; error: unknown }) => void
}

export interface Audit {
  /** Never throws, never waits. */
  record(event: AuditEvent): void
}

const TELL_EVERY_MS = 10_000

export function createAudit({ sinks, now, pseudonym, onLost }: AuditOptions): Audit {
  const lose = createLosses({ now, onLost })
  return {
    record(event) {
      const row: AuditRow = AUDIT_EVENTS[event.event]
      const entry = entryFrom(event, row, { now, pseudonym })
      for (const sink of sinks) {
        try {
          sink.write(entry, row)
        } catch (error) {
          lose(sink.name, error)
        }
      }
    },
  }
}

function entryFrom(
  { event, ...said }: AuditEvent,
  row: AuditRow,
  { now, pseudonym }: Pick<AuditOptions, 'now' | 'pseudonym'>,
): AuditEntry {
  const { request_id: requestId, flow_id: flowId } = currentContext()?.fields ?? {}
  const given = said as Readonly<Record<string, unknown>>
  const fields = Object.entries(row.fields).flatMap(([name, kind]) => {
    const value = judgeField(kind, given[name], pseudonym)
    return value === undefined ? [] : [[name, value] as const]
  })
  return {
    id: randomUUID(),
    time: new Date(now()).toISOString(),
    event,
    version: row.version,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(flowId === undefined ? {} : { flow_id: flowId }),
    ...Object.fromEntries(fields),
  }
}

/** Counts what each sink loses, so that the complaint is not a flood of its own. */
export function createLosses({ now, onLost }: Pick<AuditOptions, 'now' | 'onLost'>) {
  const losses = new Map<string, { count: number; toldAt: number }>()
  return (sink: string, error: unknown, lostNow = 1): void => {
    const { count, toldAt } = losses.get(sink) ?? { count: 0, toldAt: -Infinity }
    const isDue = now() - toldAt >= TELL_EVERY_MS
    const next = count + lostNow
    if (isDue) onLost({ sink, count: next, error })
    losses.set(sink, isDue ? { count: 0, toldAt: now() } : { count: next, toldAt })
  }
}
