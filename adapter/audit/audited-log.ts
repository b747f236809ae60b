// A log whose lines make security events, where the table says so: a fact is said once, by the room that knows it, and both the
// log and the audit have it. Works whatever the level of the log is.
import type { AdjustableLog, LogFields } from '../../service/log.ts'
import { currentContext } from '../../service/request-context.ts'
import { unloggedOf } from '../../service/unlogged.ts'
import type { Audit } from './audit.ts'
import { AUDIT_EVENTS, type AuditEvent } from './audit-events.ts'
import type { AuditRow, LogSource } from './audit-fields.ts'

type Named = readonly [name: string, source: LogSource]

/** Name of a log line → the events that it may make. */
const BY_LINE: ReadonlyMap<string, readonly Named[]> = Map.groupBy(
  Object.entries<AuditRow>(AUDIT_EVENTS).flatMap(([name, { from }]) =>
    from.map((source): Named => [name, source]),
  ),
  ([, source]) => source.event,
)

export function auditedLog(log: AdjustableLog, audit: Audit): AdjustableLog {
  const level =
    (write: (event: string, fields?: LogFields) => void) =>
    (event: string, fields?: LogFields): void => {
      write(event, fields)
      for (const [name, source] of BY_LINE.get(event) ?? [])
        if (fits(source, fields)) audit.record({ event: name, ...said(fields) } as AuditEvent)
    }
  return {
    trace: level(log.trace),
    debug: level(log.debug),
    info: level(log.info),
    warn: level(log.warn),
    error: level(log.error),
    setLevel: log.setLevel,
  }
}

function fits({ where = {} }: LogSource, fields: LogFields = {}): boolean {
  return Object.entries(where).every(([name, expected]) =>
    expected instanceof RegExp ? expected.test(String(fields[name])) : fields[name] === expected,
  )
}

/** An error says the reason where the line has none of its own. */
function said(fields: LogFields = {}): LogFields {
  const { error, ...rest } = fields
  const reason = error instanceof Error ? { reason: reasonOf(error) } : {}
  const { client_id: clientId, upstream } = currentContext()?.fields ?? {}
  return { client_id: clientId, upstream, ...reason, ...rest, ...unloggedOf(fields) }
}

/** Down to the innermost cause, which names what was wrong; each is redacted later, with the whole. */
function reasonOf({ message, cause }: Error, depth = 0): string {
  const inner = cause instanceof Error && depth < 3 ? `: ${reasonOf(cause, depth + 1)}` : ''
  return `${message}${inner}`
}
