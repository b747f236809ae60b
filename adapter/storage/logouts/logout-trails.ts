// What became of a logout, for a day: which apps the session had, and what each said when it was told. Found by the `sid` of
// any of them. Decides nothing.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import { deliveryId } from './logout-deliveries.ts'

export interface LogoutTrail {
  /** Epoch milliseconds. */
  endedAt: number
  cause: LogoutCause
  apps: { clientId: string; way: 'server' | 'browser' | 'none'; deliveryId: string }[]
}

export type LogoutCause = 'person' | 'upstream' | 'operator'

export interface DeliveryOutcome {
  state: 'told' | 'failed' | 'given_up'
  attempts: number
  /** Epoch milliseconds of the last try. */
  at: number
  reason?: string | undefined
}

export interface ExplainedApp {
  client_id: string
  told_by: LogoutTrail['apps'][number]['way']
  state: DeliveryOutcome['state'] | 'waiting' | 'sent_to_browser' | 'not_told'
  attempts: number
  /** ISO 8601. */
  at?: string
  reason?: string
}

export interface ExplainedLogout {
  ended_at: string
  cause: LogoutCause
  apps: ExplainedApp[]
}

const TTL_SECONDS = 86_400

const trailKey = (sid: string) => `LogoutTrail:${hashed(sid)}`
const outcomeKey = (id: string) => `LogoutOutcome:${id}`

export interface LogoutTrails {
  save(
    ended: Pick<LogoutTrail, 'endedAt' | 'cause'>,
    apps: readonly { clientId: string; sid: string; way: LogoutTrail['apps'][number]['way'] }[],
  ): Promise<void>
  note(deliveryId: string, outcome: DeliveryOutcome): Promise<void>
}

/** Both reject with StorageError `unavailable`. */
export function createLogoutTrails(driver: Driver): LogoutTrails {
  return {
    async save({ endedAt, cause }, told) {
      const apps = told.map(({ clientId, sid, way }) => ({
        clientId,
        way,
        deliveryId: deliveryId({ clientId, sid }),
      }))
      const trail: LogoutTrail = { endedAt, cause, apps }
      const entries = told.map(({ sid }) => ({
        key: trailKey(sid),
        value: trail,
        ttlSeconds: TTL_SECONDS,
      }))
      if (entries.length > 0) await driver.setAll(entries)
    },
    note: (id, outcome) => driver.set(outcomeKey(id), outcome, TTL_SECONDS),
  }
}

/** Undefined when no session with this `sid` ended within a day. Rejects as above. */
export async function explainLogout(
  driver: Driver,
  sid: string,
): Promise<ExplainedLogout | undefined> {
  const trail = (await driver.get(trailKey(sid)))?.value as LogoutTrail | undefined
  if (!trail) return undefined
  const records = await Promise.all(trail.apps.map((app) => driver.get(outcomeKey(app.deliveryId))))
  const outcomes = records.map((record) => record?.value as DeliveryOutcome | undefined)
  return {
    ended_at: new Date(trail.endedAt).toISOString(),
    cause: trail.cause,
    apps: trail.apps.map(({ clientId, way }, at) => ({
      client_id: clientId,
      told_by: way,
      ...stateOf(way, outcomes[at]),
    })),
  }
}

function stateOf(
  way: LogoutTrail['apps'][number]['way'],
  outcome: DeliveryOutcome | undefined,
): Omit<ExplainedApp, 'client_id' | 'told_by'> {
  if (way !== 'server')
    return { state: way === 'browser' ? 'sent_to_browser' : 'not_told', attempts: 0 }
  if (!outcome) return { state: 'waiting', attempts: 0 }
  const { state, attempts, at, reason } = outcome
  const why = reason === undefined ? {} : { reason }
  return { state, attempts, at: new Date(at).toISOString(), ...why }
}
