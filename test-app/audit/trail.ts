// The audit trail of this app: what happened to each login, from the first redirect to the sign-out.
import type { Log } from '../../service/log.ts'

export interface TrailEvent {
  /** What happened: `login.started`, `login.finished`. */
  readonly event: string
  /** Joins the events of one login, however long it lives; 12 characters that reveal nothing. */
  readonly flowId: string | undefined
  readonly subject?: string | undefined
  /** What else is known, such as aud, code_hash, failure. No secret, no e-mail address. */
  readonly fields?: Readonly<
    Record<string, string | number | boolean | readonly string[] | undefined>
  >
}

export interface Trail {
  note(event: TrailEvent): void
}

export function createTrail({ log }: { log: Log }): Trail {
  return {
    note: ({ event, flowId, subject, fields }) =>
      log.info(`audit.${event}`, { flow_id: flowId, sub: subject, ...fields }),
  }
}
