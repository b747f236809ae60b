// Ends sessions that nobody signs out of in a browser: what the upstream or an operator wants ended. Apps are told; who may
// want it is judged by who asks.
import type { Driver } from '../storage/driver.ts'
import { endSession, readSession, type SessionParts } from '../storage/sessions/end-session.ts'
import type { Log } from '../../service/log.ts'
import type { DeliverLogouts } from './down/deliver-logouts.ts'
import type { TellApps } from './down/tell-apps.ts'

export interface EndSessionsOptions {
  driver: Driver
  tellApps: Pick<TellApps, 'byServer'>
  deliver: Pick<DeliverLogouts, 'wake'>
  log: Log
}

export interface EndOrder {
  /** `sessionMember`s; such as are over already do no harm. */
  members: readonly string[]
  /** Of these sessions, which. */
  isMeant: (session: SessionParts) => boolean
  /** For the log. */
  cause: 'upstream' | 'operator'
}

export interface EndedCount {
  sessions: number
  /** Logout tokens on their way. */
  told: number
}

export type EndSessions = (order: EndOrder) => Promise<EndedCount>

type Judge = Pick<EndOrder, 'isMeant' | 'cause'>

/** So many at a time. */
const BATCH = 50

/** Once it resolves nothing of them can be used, on any instance. Rejects with StorageError `unavailable`; some may have ended. */
export function createEndSessions(options: EndSessionsOptions): EndSessions {
  const { driver, tellApps, deliver, log } = options

  async function end(member: string, { isMeant, cause }: Judge): Promise<EndedCount> {
    const session = await readSession(driver, member)
    if (!session || !isMeant(session)) return { sessions: 0, told: 0 }
    // Put down first: a process that ends in between leaves apps told of a session that is asked for again, not the reverse.
    const told = await tellApps.byServer(session, cause)
    await endSession(driver, member, session)
    return { sessions: 1, told }
  }

  return async ({ members, isMeant, cause }) => {
    const total = { sessions: 0, told: 0 }
    for (let at = 0; at < members.length; at += BATCH) {
      const batch = members.slice(at, at + BATCH)
      for (const ended of await Promise.all(
        batch.map((member) => end(member, { isMeant, cause })),
      )) {
        total.sessions += ended.sessions
        total.told += ended.told
      }
    }
    if (total.sessions > 0) log.info('sessions.ended', { cause, ...total })
    deliver.wake()
    return total
  }
}
