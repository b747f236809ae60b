// The store of the trail: a file that is opened at first use and again after it failed, beside the sessions where these are in one;
// also where sessions are in Redis. While another process writes to the file, events wait.
import { SessionFileError } from '../../store/sqlite-file.ts'
import { openRows } from './trail-rows.ts'
import type { NewEvent, Rows, StoredEvent, TrailQuery, TrailStoreOptions } from './trail-rows.ts'

export interface TrailStore {
  /** False: the event happens once in a login, and did. @throws {TrailStoreError} */
  add(event: NewEvent): boolean
  /** Whether something in this login happened in this browser. @throws {TrailStoreError} */
  isOfBrowser(flowId: string, browser: string): boolean
  /** The events of each login in order, the login with the newest event first. @throws {TrailStoreError} */
  read(query: TrailQuery): StoredEvent[]
  close(): void
}

/** The file can not be read or written now. */
export class TrailStoreError extends Error {
  override readonly name = 'TrailStoreError'
  readonly code = 'trail_unavailable'
  /** Another process writes just now. */
  readonly isBusy: boolean
  constructor(failure: unknown) {
    const cause = failure instanceof SessionFileError ? failure.cause : failure
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`The audit trail can not be used: ${reason}`, { cause })
    const { errcode } = (cause ?? {}) as { errcode?: unknown }
    // The upper bits say why.
    this.isBusy = typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY
  }
}

const SQLITE_BUSY = 5
const REOPEN_AFTER_MS = 10_000
const TRY_AGAIN_MS = 500
const MOST_WAITING = 1000
/** Before what waits is lost at the end of the process. */
const LAST_TRIES = 20
const LAST_PAUSE_MS = 50

export function openTrailStore(options: TrailStoreOptions): TrailStore {
  const rows = keepOpen(options)
  const waiting: NewEvent[] = []
  const flush = (): void => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const event = next
      rows.use(({ add }) => add(event))
      waiting.shift()
    }
  }
  const timer = setInterval(() => attempt(flush), TRY_AGAIN_MS).unref()
  function wait(event: NewEvent): true {
    if (waiting.length >= MOST_WAITING) throw new TrailStoreError('too many events wait for it')
    waiting.push(event)
    return true
  }
  return {
    add(event) {
      if (waiting.length > 0) return wait(event)
      try {
        return rows.use(({ add }) => add(event))
      } catch (error) {
        if (error instanceof TrailStoreError && error.isBusy) return wait(event)
        throw error
      }
    },
    isOfBrowser: (flowId, browser) =>
      waiting.some((event) => event.flowId === flowId && event.browser === browser) ||
      rows.use(({ isOfBrowser }) => isOfBrowser(flowId, browser)),
    read(query) {
      attempt(flush)
      return rows.use(({ read }) => read(query))
    },
    close() {
      clearInterval(timer)
      insist(flush, () => waiting.length === 0)
      rows.close()
    },
  }
}

/** What could not be written goes on waiting. */
function attempt(flush: () => void): void {
  try {
    flush()
  } catch (error) {
    if (!(error instanceof TrailStoreError)) throw error
  }
}

/** At the end, where nothing else is to be done meanwhile. */
function insist(flush: () => void, isDone: () => boolean): void {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 1; !isDone() && tries <= LAST_TRIES; tries += 1) {
    if (tries > 1) Atomics.wait(nobody, 0, 0, LAST_PAUSE_MS)
    attempt(flush)
  }
}

function keepOpen(options: TrailStoreOptions) {
  let open: { readonly rows: Rows; close(): void } | undefined
  let failure: TrailStoreError | undefined
  let retryAt = 0

  const close = (): void => {
    open?.close()
    open = undefined
  }
  return {
    use<T>(work: (rows: Rows) => T): T {
      if (failure && options.now() < retryAt) throw failure
      try {
        open ??= openRows(options)
        failure = undefined
        return work(open.rows)
      } catch (cause) {
        const error = new TrailStoreError(cause)
        if (!error.isBusy) {
          close()
          failure = error
          retryAt = options.now() + REOPEN_AFTER_MS
        }
        throw error
      }
    },
    close,
  }
}
