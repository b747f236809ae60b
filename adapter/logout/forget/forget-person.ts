// Forgets a person: their sessions end, their apps are told, and everything that names them is erased. Then every record is
// looked at again, and what is left is counted: the proof.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { forgetInTrail } from '../../audit/trail.ts'
import type { Config } from '../../config/schema.ts'
import type { Driver } from '../../storage/driver.ts'
import { forgetConsents } from '../../storage/consents/consents.ts'
import { dropIndexes, eraseRecords } from '../../storage/erasure/erase-records.ts'
import {
  countByKind,
  mayNamePerson,
  namesPerson,
  walkRecords,
  type IsAbout,
  type PersonRecord,
} from '../../storage/erasure/person-records.ts'
import { hashed } from '../../storage/provider/artefact-key.ts'
import {
  createLogoutDeliveries,
  type LogoutDelivery,
} from '../../storage/logouts/logout-deliveries.ts'
import type { Log } from '../../../service/log.ts'
import type { DeliverLogouts } from '../down/deliver-logouts.ts'
import type { EndSessions } from '../end-sessions.ts'

export interface ForgetOptions {
  driver: Driver
  config: Pick<Config, 'clients'>
  endSessions: EndSessions
  deliver: Pick<DeliverLogouts, 'deliverDue'>
  /** The hash of a person in the audit trail. */
  pseudonym: (sub: string) => string | undefined
  /** Resolves once the audit trail has what happened before, on every instance. */
  settle: () => Promise<void>
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export interface ForgetOrder {
  /** As `sessions list` shows it. */
  sub: string
  /** Only counts. */
  isDryRun: boolean
  /** Logout tokens that apps do not take at once are given up; otherwise they wait for an hour, and name the person. */
  isQueueDropped: boolean
}

export interface Forgotten {
  /** Records that named the person, by kind. */
  found: Record<string, number>
  /** Events of the audit trail that are nobody's now. */
  events: number
  sessions: number
  /** Logout tokens for apps. */
  told: number
  /** Records that name the person now, by kind. Without a dry run it is empty, or something is left to do. */
  left: Record<string, number>
  /** How many records were looked at to know that. */
  looked: number
}

const ROUNDS = 5
const WAIT_FOR_APPS_MS = 6000
const WAIT_STEP_MS = 50

/** Rejects with StorageError `unavailable`: then it is not known what is left, and it is to be asked for again. */
export async function forgetPerson(options: ForgetOptions, order: ForgetOrder): Promise<Forgotten> {
  const { driver, log } = options
  const { sub } = order
  const isTheirs = theirs(options, sub, namesPerson(sub))
  const before = await walkRecords(driver, isTheirs)
  const found = countByKind(before.found)
  if (order.isDryRun || before.found.length === 0)
    return { found, events: 0, sessions: 0, told: 0, left: found, looked: before.looked }
  const ended = await endSessionsOf(options, sub, before.found)
  if (ended.told > 0) await tellApps(options, sub)
  await options.settle()
  const events = await eraseAll(options, order, isTheirs)
  await dropIndexes(driver, sub, before.found)
  const proof = await walkRecords(driver, theirs(options, sub, mayNamePerson(sub)))
  const left = countByKind(proof.found)
  log.info('person.forgotten', {
    ...ended,
    erased: before.found.length,
    left: proof.found.length,
  })
  return { found, events, ...ended, left, looked: proof.looked }
}

/** In the audit trail people go by their hash. */
function theirs({ pseudonym }: ForgetOptions, sub: string, isAbout: IsAbout): IsAbout {
  const hash = pseudonym(sub)
  return (record) =>
    record.kind === 'AuditBatch'
      ? (record.value as { person?: string }[]).some(
          ({ person }) => person !== undefined && person === hash,
        )
      : isAbout(record)
}

const hashOf = ({ key, kind }: PersonRecord) => key.slice(kind.length + 1)

async function endSessionsOf(
  options: ForgetOptions,
  sub: string,
  records: readonly PersonRecord[],
): Promise<{ sessions: number; told: number }> {
  const members = records.filter(({ kind }) => kind === 'Session').map(hashOf)
  const isMeant = ({ accountId }: { accountId: string }) => accountId === sub
  const offline = await tellOfflineApps(options, sub, records)
  const { sessions, told } = await options.endSessions({ members, isMeant, cause: 'operator' })
  return { sessions, told: told + offline }
}

/** Apps whose refresh tokens have outlived every session: told of the person, since there is no session to name. */
async function tellOfflineApps(
  { driver, config, now }: ForgetOptions,
  sub: string,
  records: readonly PersonRecord[],
): Promise<number> {
  const inSession = new Set(records.filter(({ kind }) => kind === 'Session').flatMap(grantsOf))
  const apps = records
    .filter(({ kind }) => kind === 'Grant')
    .filter((grant) => !inSession.has(hashOf(grant)))
    .flatMap(({ value }) => (value as { payload?: { clientId?: string } }).payload?.clientId ?? [])
  const reachable = [...new Set(apps)].filter((clientId) => {
    const client = Object.hasOwn(config.clients, clientId) ? config.clients[clientId] : undefined
    return client?.backchannel_logout_uri && !client.backchannel_logout_session_required
  })
  // The delivery has to be told from others by something.
  const about = reachable.map((clientId) => ({ clientId, accountId: sub, sid: randomUUID() }))
  await createLogoutDeliveries({ driver, now }).add(about)
  return about.length
}

/** By their hashes, as their keys have them. */
function grantsOf({ value }: PersonRecord): string[] {
  const { authorizations = {} } = (value ?? {}) as {
    authorizations?: Record<string, { grantId?: string }>
  }
  return Object.values(authorizations).flatMap(({ grantId }) =>
    grantId === undefined ? [] : [hashed(grantId)],
  )
}

/** Each app is tried once; who is slow is not waited for. */
async function tellApps({ driver, deliver }: ForgetOptions, sub: string): Promise<void> {
  const { found } = await walkRecords(driver, isDeliveryOf(sub))
  let isPossible = true
  // What waits is counted as left.
  const trying = deliver.deliverDue().catch(() => void (isPossible = false))
  for (let waited = 0; isPossible && waited < WAIT_FOR_APPS_MS; waited += WAIT_STEP_MS) {
    const records = await Promise.all(found.map(({ key }) => driver.get(key)))
    const isWaiting = ({ attempts }: LogoutDelivery) => attempts === 0
    if (!records.some((record) => record && isWaiting(record.value as LogoutDelivery))) break
    await sleep(WAIT_STEP_MS)
  }
  await Promise.race([trying, sleep(WAIT_STEP_MS)])
}

const isDeliveryOf =
  (sub: string): IsAbout =>
  ({ kind, value }) =>
    kind === 'LogoutDelivery' && (value as LogoutDelivery).accountId === sub

/** Requests that were under way may have written again: until a walk finds nothing. How many events of the audit trail. */
async function eraseAll(
  { driver, pseudonym }: ForgetOptions,
  { sub, isQueueDropped }: ForgetOrder,
  isTheirs: IsAbout,
): Promise<number> {
  const hash = pseudonym(sub)
  let events = 0
  await forgetConsents(driver, sub)
  for (let round = 0; round < ROUNDS; round += 1) {
    const { found } = await walkRecords(driver, isTheirs)
    const records = found.filter(({ kind }) => isQueueDropped || kind !== 'LogoutDelivery')
    if (records.length === 0) break
    const trail = records.filter(({ kind }) => kind === 'AuditBatch')
    const entries = await Promise.all(
      trail.map(({ key }) => forgetInTrail(driver, key, hash ?? '')),
    )
    events += entries.reduce((sum, count) => sum + count, 0)
    const erased = records.filter(({ kind }) => kind !== 'AuditBatch')
    await eraseRecords(driver, erased)
    await dropIndexes(driver, sub, erased)
  }
  return events
}
