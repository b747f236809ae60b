// What was asked of the test server, without queries, bodies or headers: no secret is in it.
import { EventEmitter } from 'node:events'
import type { RequestHandler } from 'express'
import { endpointPaths, githubPaths } from './faults.ts'
import type { Endpoint } from './faults.ts'

export interface JournalEntry {
  /** Counts up from 1, also over a reset. */
  id: number
  /** Epoch milliseconds. */
  at: number
  method: string
  path: string
  endpoint: Endpoint | null
  /** 0 when the connection ended before an answer. */
  status: number
}

export interface JournalFilter {
  endpoint?: Endpoint
  /** Only entries with a larger id. */
  after?: number
}

export interface Journal {
  record: RequestHandler
  list(filter: JournalFilter): JournalEntry[]
  /** Resolves at the first that fits, or with nothing when the time is over. */
  wait(filter: JournalFilter, milliseconds: number): Promise<JournalEntry[]>
  reset(): void
}

const keptEntries = 1000

const endpoints = Object.keys(endpointPaths) as Endpoint[]

export const endpointOf = (path: string): Endpoint | undefined =>
  endpoints.find((endpoint) => endpointPaths[endpoint] === path) ?? githubPaths[path]

// Who knows the id of an interaction could resume it.
const withoutInteraction = (path: string) => path.replace(/^(\/oauth2\/authorize\/).+/, '$1:id')

export function createJournal(now: () => number): Journal {
  const added = new EventEmitter().setMaxListeners(0)
  let entries: JournalEntry[] = []
  let lastId = 0
  const list = ({ endpoint, after = 0 }: JournalFilter) =>
    entries.filter(
      (entry) => entry.id > after && (endpoint === undefined || entry.endpoint === endpoint),
    )
  const add = (entry: Omit<JournalEntry, 'id'>) => {
    lastId += 1
    entries = [...entries, { id: lastId, ...entry }].slice(-keptEntries)
    added.emit('entry')
  }

  return {
    record(req, res, next) {
      const { method, path } = req
      const endpoint = endpointOf(path) ?? null
      res.once('close', () => {
        const status = res.headersSent ? res.statusCode : 0
        add({ at: now(), method, path: withoutInteraction(path), endpoint, status })
      })
      next()
    },
    list,
    wait(filter, milliseconds) {
      return new Promise((resolve) => {
        const answer = () => {
          clearTimeout(timer)
          added.off('entry', look)
          resolve(list(filter))
        }
        const look = () => void (list(filter).length > 0 && answer())
        const timer = setTimeout(answer, milliseconds)
        added.on('entry', look)
        look()
      })
    },
    reset: () => void (entries = []),
  }
}
