// Opens the audit of the process: its sinks by the configuration, and the log that feeds it.
import { createAudit, createLosses } from './audit/audit.ts'
import { auditedLog } from './audit/audited-log.ts'
import { createPseudonym, type Pseudonym } from './audit/judge-field.ts'
import { createFileSink, createLogSink } from './audit/line-sink.ts'
import { createTrail, type Trail } from './audit/trail.ts'
import type { AuditSink } from './audit/audit.ts'
import type { Config } from './config/schema.ts'
import type { Driver } from './storage/driver.ts'
import type { AdjustableLog } from '../service/log.ts'

export interface OpenedAudit {
  /** For all rooms. */
  log: AdjustableLog
  pseudonym: Pseudonym
  /** Once there is a store and the keys in it: the trail begins, and people have a name in it. */
  use(parts: { driver: Driver; key: Uint8Array }): void
  /** What waits goes out now. Never rejects. */
  flush(): Promise<void>
  /** Before the store is closed. */
  close(): Promise<void>
}

export function openAudit(
  { audit: settings }: Pick<Config, 'audit'>,
  { log, now }: { log: AdjustableLog; now: () => number },
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
      trail = createTrail({ driver, keepSeconds: settings.keep, onLost: told })
    },
    flush: async () => trail?.flush(),
    close: async () => trail?.close(),
  }
}
