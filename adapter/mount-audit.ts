// Opens the audit of the process: its sinks by the configuration, and the log that feeds it.
import { setTimeout as sleep } from 'node:timers/promises'
import { createAudit, createLosses } from './audit/audit.ts'
import { auditedLog } from './audit/audited-log.ts'
import { createPseudonym, type Pseudonym } from './audit/judge-field.ts'
import { createFileSink, createLogSink } from './audit/line-sink.ts'
import { createTrail, FLUSH_MS, type Trail } from './audit/trail.ts'
import type { AuditSink } from './audit/audit.ts'
import type { Config } from './config/schema.ts'
import type { Driver } from './storage/driver.ts'
import type { AdjustableLog } from '../service/log.ts'

/** How long the others may take to write, beyond their time. */
const OTHERS_WRITE_MS = 200

export interface OpenedAudit {
  /** For all rooms. */
  log: AdjustableLog
  pseudonym: Pseudonym
  /** Once there is a store and the keys in it: the trail begins, and people have a name in it. */
  use(parts: { driver: Driver; key: Uint8Array }): void
  /** Resolves once the trail has what happened before, on every instance whose store answers. Never rejects. */
  settle(): Promise<void>
  /** Before the store is closed. */
  close(): Promise<void>
}

export interface AuditParts {
  log: AdjustableLog
  /** Epoch milliseconds. */
  now: () => number
  /** How long events for the trail wait for others. */
  flushMs?: number
}

export function openAudit(
  { audit: settings }: Pick<Config, 'audit'>,
  { log, now, flushMs = FLUSH_MS }: AuditParts,
): OpenedAudit {
  let trail: Trail | undefined
  let key: Uint8Array | undefined
  const pseudonym = createPseudonym(() => key)
  const onLost = (lost: object) => log.error('audit.lost', lost as Record<string, unknown>)
  const lines = settings.file === undefined ? createLogSink() : createFileSink(settings.file)
  const inStore: AuditSink = { name: 'trail', write: (...entry) => trail?.write(...entry) }
  const audit = createAudit({ sinks: [lines, inStore], now, pseudonym, onLost })
  const lose = createLosses({ now, onLost })
  return {
    log: auditedLog(log, audit),
    pseudonym,
    use({ driver, key: given }) {
      key = given
      if (settings.keep === 0 || trail) return
      const told = (count: number, error: unknown) => lose('trail', error, count)
      trail = createTrail({ driver, keepSeconds: settings.keep, onLost: told, flushMs })
    },
    settle: async () => {
      if (trail) await Promise.all([trail.flush(), sleep(flushMs + OTHERS_WRITE_MS)])
    },
    close: async () => trail?.close(),
  }
}
