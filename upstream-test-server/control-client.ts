// Switches the test server's misbehaviour from a test, over HTTP.
import type { ArmedTokenFault, Endpoint, EndpointFault, TokenFault } from './control/faults.ts'
import type { JournalEntry, JournalFilter } from './control/journal.ts'

export interface ControlClient {
  /** The next `times` (default 1) answers of the endpoint go wrong. */
  failNext(endpoint: Endpoint, fault: EndpointFault, options?: { times?: number }): Promise<void>
  /** The next ID tokens, or answers of userinfo, go wrong; with `username` only that person's. */
  corruptNext(
    fault: TokenFault,
    options?: Partial<Pick<ArmedTokenFault, 'times' | 'username'>>,
  ): Promise<void>
  /** Answered requests, oldest first. */
  requests(filter?: JournalFilter): Promise<JournalEntry[]>
  /** The first that fits, also one from before. Rejects when none comes within `milliseconds`, default 5000. */
  waitForRequest(filter: JournalFilter, milliseconds?: number): Promise<JournalEntry>
  /** Strict again, with an empty journal. */
  reset(): Promise<void>
}

function queryOf(filter: JournalFilter, milliseconds: number): string {
  const query = new URLSearchParams({ wait_ms: String(milliseconds) })
  for (const [name, value] of Object.entries(filter)) query.set(name, String(value))
  return query.toString()
}

/** `url` of the control listener. Every call rejects with what the server expected when it refuses. */
export function createControlClient(url: string): ControlClient {
  async function call(path: string, init: RequestInit = {}): Promise<unknown> {
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const response = await fetch(new URL(path, url), { ...init, headers })
    const body = (await response.json()) as { error?: string }
    if (!response.ok) throw new Error(`control ${path}: ${response.status} ${body.error}`)
    return body
  }
  const post = async (path: string, body: object): Promise<void> => {
    await call(path, { method: 'POST', body: JSON.stringify(body) })
  }
  const journal = async (filter: JournalFilter, milliseconds: number) => {
    const answer = await call(`/requests?${queryOf(filter, milliseconds)}`)
    return (answer as { requests: JournalEntry[] }).requests
  }

  return {
    failNext: (endpoint, fault, options = {}) => post('/faults', { endpoint, fault, ...options }),
    corruptNext: (fault, options = {}) => post('/token-faults', { fault, ...options }),
    requests: (filter = {}) => journal(filter, 0),
    async waitForRequest(filter, milliseconds = 5000) {
      const [first] = await journal(filter, milliseconds)
      if (first) return first
      throw new Error(`no request within ${milliseconds} ms: ${JSON.stringify(filter)}`)
    },
    reset: () => post('/reset', {}),
  }
}
