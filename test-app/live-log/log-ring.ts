// The newest lines of this process's own log, and whose they are. Lines come as the log wrote them: redacted.
import type { LogDestination } from '../../service/log.ts'
import { createLineOwners } from './line-owners.ts'

export type LogLine = Readonly<Record<string, unknown>>

export interface LogEntry {
  /** Counts the lines of this process, from 1. */
  readonly id: number
  readonly line: LogLine
}

/** Who looks: everybody sees what their own sign-ins and requests wrote, administrators see all. */
export interface Viewer {
  readonly subject: string
  readonly seesAll: boolean
}

export interface LogRing extends LogDestination {
  /**
   * What changed for this viewer after the revision, oldest line first, the newest `atMost` of them. A line changes twice:
   * when it is written, and when a later one tells whose it is.
   */
  changes(viewer: Viewer, after: number, atMost: number): readonly LogEntry[]
  /** Number of the newest change. */
  revision(): number
  /** Called after each line. */
  onLine(listener: () => void): void
}

const MOST_LINES = 2_000
/** Longer lines are left out: none of this app's is. */
const MOST_CHARACTERS = 16 * 1024

interface Kept extends LogEntry {
  owner: string | undefined
  revision: number
}

export function createLogRing(mostLines: number = MOST_LINES): LogRing {
  const owners = createLineOwners(mostLines)
  const listeners = new Set<() => void>()
  const kept: Kept[] = []
  let count = 0
  let revision = 0

  function add(line: LogLine): void {
    const id = ++count
    const { owner, alsoTheirs } = owners.place(line, id)
    kept.push({ id, line, owner, revision: ++revision })
    if (kept.length > mostLines) kept.shift()
    if (owner !== undefined) settle(alsoTheirs, owner)
  }

  /** A line whose owner is now known tells those of its login and its request in turn. */
  function settle(ids: readonly number[], owner: string): void {
    const open = [...ids]
    for (let id = open.shift(); id !== undefined; id = open.shift()) {
      const entry = kept[id - (kept[0]?.id ?? 0)]
      if (!entry || entry.owner !== undefined) continue
      Object.assign(entry, { owner, revision: ++revision })
      open.push(...owners.place({ ...entry.line, sub: owner }, id).alsoTheirs)
    }
  }

  return {
    write(text) {
      if (text.length > MOST_CHARACTERS) return
      add(parseLine(text))
      for (const listener of listeners) listener()
    },
    changes({ subject, seesAll }, after, atMost) {
      const isTheirs = (entry: Kept) =>
        entry.revision > after && (seesAll || entry.owner === subject)
      return kept
        .filter(isTheirs)
        .slice(-atMost)
        .map(({ id, line }) => ({ id, line }))
    },
    revision: () => revision,
    onLine: (listener) => void listeners.add(listener),
  }
}

// A stack names files of this machine, which is nobody's business in a browser. Most lines have none, and are read faster.
const parseLine = (text: string): LogLine =>
  JSON.parse(text, text.includes('"stack"') ? withoutStack : undefined) as LogLine

const withoutStack = (name: string, value: unknown) => (name === 'stack' ? undefined : value)
