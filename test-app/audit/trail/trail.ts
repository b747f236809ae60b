// The audit trail of this app: what happened to each login, from the first redirect to the sign-out. Each event is a line of the
// log and a row of the store; a store that fails keeps nobody from signing in.
import { randomBytes } from 'node:crypto'
import type { Log } from '../../../service/log.ts'
import { noteFields } from '../../../service/request-context.ts'
import { currentRequestId } from '../../../service/request-ids.ts'
import type { EmailHash } from '../hashes.ts'
import { eventRow } from './trail-events.ts'
import type { TrailEventName } from './trail-events.ts'
import { judgeFields } from './trail-fields.ts'
import type { SaidFields, TrailFields } from './trail-fields.ts'
import type { NewEvent } from './trail-rows.ts'
import type { TrailStore } from './trail-store.ts'
import { currentVisitor } from '../visitor.ts'

export interface TrailEvent {
  /** What happened: see trail-events.ts. */
  readonly event: TrailEventName
  /** Joins the events of one login, however long it lives; 12 characters that reveal nothing. */
  readonly flowId: string | undefined
  /** The flow id is what a caller says: the event is of that login only where it happens in a browser of it. */
  readonly isClaimed?: boolean
  readonly subject?: string | undefined
  /** Kept as a keyed hash only. */
  readonly email?: string | undefined
  /** What else is known, such as aud, code_hash, failure; see trail-fields.ts. */
  readonly fields?: TrailFields
}

export interface Trail {
  /** Never throws. Address, user agent and browser are those of the request now running. */
  note(event: TrailEvent): void
}

export interface TrailOptions {
  readonly log: Log
  readonly store: Pick<TrailStore, 'add' | 'isOfBrowser'>
  readonly hashEmail: EmailHash
  readonly now: () => number
}

const TELL_EVERY_MS = 10_000
const MAX_SUBJECT = 255

export function createTrail({ log, store, hashEmail, now }: TrailOptions): Trail {
  const tellLoss = createLosses(log, now)
  return {
    note(said) {
      const flowId =
        said.isClaimed && !isOfThisBrowser(store, said.flowId) ? undefined : said.flowId
      const entry = entryFrom({ ...said, flowId }, hashEmail, now())
      noteFields({ flow_id: entry.flowId })
      let isNew = true
      try {
        isNew = store.add(entry)
      } catch (error) {
        tellLoss(error)
      }
      if (isNew) log.info(`audit.${entry.event}`, lineFrom(entry))
    },
  }
}

/** Not, where that can not be found out. */
function isOfThisBrowser(store: TrailOptions['store'], flowId: string | undefined): boolean {
  const browser = currentVisitor()?.browser()
  if (browser === undefined || flowId === undefined) return false
  try {
    return store.isOfBrowser(flowId, browser)
  } catch {
    return false
  }
}

/** A flow id for a login that has none of its own. */
export const newFlowId = (): string => randomBytes(9).toString('base64url')

function entryFrom(
  { event, flowId = newFlowId(), subject, email, fields = {} }: TrailEvent,
  hashEmail: EmailHash,
  at: number,
): NewEvent {
  const visitor = currentVisitor()
  const said = judgeFields(fields)
  const requestId = currentRequestId()
  if (event.startsWith('login.')) visitor?.nameBrowser()
  return {
    at,
    event,
    once: onceKey(event, said),
    flowId,
    subject: subject?.slice(0, MAX_SUBJECT),
    browser: visitor?.browser(),
    fields: {
      ...said,
      ...(email ? { email_hash: hashEmail(email) } : {}),
      ...(visitor ? { address: visitor.address } : {}),
      ...(visitor?.userAgent === undefined ? {} : { user_agent: visitor.userAgent }),
      ...(requestId === '' ? {} : { request_id: requestId }),
    },
  }
}

function onceKey(event: TrailEventName, { token_hash: hash }: SaidFields): string | undefined {
  const { isOnce } = eventRow(event)
  if (isOnce !== 'for each token') return isOnce && event
  return typeof hash === 'string' ? `${event} ${hash}` : undefined
}

function lineFrom({ flowId, subject, fields }: NewEvent) {
  return { flow_id: flowId, sub: subject, ...fields }
}

/** At the first loss, and then every ten seconds while it goes on. */
function createLosses(log: Log, now: () => number): (error: unknown) => void {
  let lost = 0
  let toldAt = Number.NEGATIVE_INFINITY
  return (error) => {
    lost += 1
    if (now() - toldAt < TELL_EVERY_MS) return
    toldAt = now()
    log.error('audit.store_failed', { lost, error })
    lost = 0
  }
}
