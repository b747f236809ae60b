// What one person sees of the log, from a place on: the same for /logs.json and for sockets.
import { randomBytes } from 'node:crypto'
import type { Principal } from '../authentication/principal.ts'
import type { LogEntry, LogRing, Viewer } from './log-ring.ts'

export interface LogPart {
  readonly lines: readonly LogEntry[]
  /** Where the next part begins; means nothing to another run of the process. */
  readonly next: string
}

export interface LogView {
  /** From the beginning where `since` is undefined or of another run. */
  part(viewer: Viewer, since: string | undefined): LogPart
}

const MOST_LINES = 200
const ADMINISTRATOR = 'ROLE_ADMIN'
const PLACE = /^([\w-]{8})\.(\d{1,15})$/

export const isPlace = (text: string): boolean => PLACE.test(text)

export function viewerOf({ subject, claims }: Pick<Principal, 'subject' | 'claims'>): Viewer {
  const { authorities } = claims
  return { subject, seesAll: Array.isArray(authorities) && authorities.includes(ADMINISTRATOR) }
}

export function createLogView(ring: LogRing): LogView {
  const run = randomBytes(6).toString('base64url')
  return {
    part(viewer, since = '') {
      const [, itsRun, revision] = PLACE.exec(since) ?? []
      const after = itsRun === run ? Number(revision) : 0
      return {
        lines: ring.changes(viewer, after, MOST_LINES),
        next: `${run}.${ring.revision()}`,
      }
    },
  }
}
