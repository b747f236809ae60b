// Sinks of lines: a file of its own, one JSON object a line; or the standard output, marked `audit: true`.
import { closeSync, openSync, writeSync } from 'node:fs'
import { createLog, escapeUnsafe } from '../../service/log.ts'
import { createRequestContext, runInContext } from '../../service/request-context.ts'
import type { AuditSink } from './audit.ts'

/**
 * Readable by its owner only; made where it is missing, and again where it was moved away by a log rotation, since it is opened
 * for each entry. Each line is with the system before the next thing happens.
 */
export function createFileSink(file: string): AuditSink {
  return {
    name: 'file',
    write(entry) {
      const descriptor = openSync(file, 'a', 0o600)
      try {
        writeSync(descriptor, `${escapeUnsafe(JSON.stringify(entry))}\n`)
      } finally {
        closeSync(descriptor)
      }
    },
  }
}

/** Whatever the level of the log is. */
export function createLogSink(): AuditSink {
  const log = createLog({ level: 'info', base: { audit: true } })
  return {
    name: 'log',
    // A line of the log has a `time` of its own; the fields of the request are in the entry, as far as an event has them.
    write: ({ time: at, event, ...fields }) =>
      runInContext(createRequestContext(), () => log.info(event, { ...fields, at })),
  }
}
