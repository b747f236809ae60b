// What the audit trail says of one logout: each try to tell an app, in the order of time. What there is without a trail is
// storage/logouts/logout-trails.ts.
import type { AuditEntry } from '../audit/audit.ts'
import { readTrail } from '../audit/trail.ts'
import type { Driver } from '../storage/driver.ts'
import { DELIVERY_TTL_SECONDS } from '../storage/logouts/logout-deliveries.ts'

export interface LogoutEvent {
  /** ISO 8601. */
  time: string
  event: string
  client_id?: string
  attempt?: number
  reason?: string
  gives_up?: boolean
}

export interface LogoutHistoryOptions {
  driver: Driver
  /** The hash of a session in the audit trail. */
  pseudonym: (sid: string) => string | undefined
}

/** Clocks of instances differ. */
const SLACK_MS = 60_000

/** `sid` may be that of any app of the session. Rejects with StorageError `unavailable`. */
export async function logoutHistory(
  { driver, pseudonym }: LogoutHistoryOptions,
  sid: string,
  endedAt: number,
): Promise<LogoutEvent[]> {
  const hash = pseudonym(sid)
  const until = endedAt + DELIVERY_TTL_SECONDS * 1000 + SLACK_MS
  const entries = await readTrail(driver, { since: endedAt - SLACK_MS, until })
  const of = (entry: AuditEntry) => (entry['sessions'] ?? []) as string[]
  const isNamed = (entry: AuditEntry) => Array.isArray(entry['sessions'])
  const ended = entries.filter(
    (entry) => entry.event === 'session.ended' && isNamed(entry) && of(entry).includes(hash ?? ''),
  )
  const all = new Set(ended.flatMap(of))
  return entries
    .filter((entry) => isNamed(entry) && of(entry).some((session) => all.has(session)))
    .map(({ time, event, ...said }) => ({ time, event, ...shown(said) }))
}

const SHOWN = ['client_id', 'attempt', 'reason', 'gives_up'] as const

function shown(said: Record<string, unknown>): Omit<LogoutEvent, 'time' | 'event'> {
  return Object.fromEntries(
    SHOWN.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])),
  )
}
