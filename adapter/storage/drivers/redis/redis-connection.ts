// One connection to Redis, whatever kind. Puts a time limit around every command, queues nothing while the connection is
// lost, and comes back within a second of the server's return.
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../../../errors.ts'
import { createEndpoint, retryDelayMs } from './redis-endpoint.ts'
import type { RedisCommands, RedisOptions } from './redis-endpoint.ts'

/** Commands go out and nothing comes back for so long: the peer is gone without a word. TCP would wait for minutes. */
const SILENCE_MS = 2000
/** The server was made a replica, and the address of the primary may by now lead elsewhere. */
const NO_PRIMARY = /^(READONLY|MASTERDOWN)/

function fault(error: unknown): StorageError {
  return new StorageError(
    'unavailable',
    `Redis failed: ${error instanceof Error ? error.message : 'unknown error'}`,
    { cause: error },
  )
}

export interface RedisConnection {
  /** Runs one command; rejects with StorageError `unavailable` at the time limit at the latest. */
  command<T>(call: (redis: RedisCommands) => Promise<T>): Promise<T>
  /** Resolves with the first connection. */
  connected(): Promise<void>
  close(): Promise<void>
}

type State = 'connecting' | 'connected' | 'lost' | 'closed'

/** Tells of changes only: of a loss once, and of the first answer after it. */
function createState(onChange: RedisOptions['onChange']) {
  let state: State = 'connecting'
  return {
    is: (asked: State) => state === asked,
    change(to: 'connected' | 'lost', error?: Error): void {
      if (state === to || state === 'closed') return
      state = to
      onChange?.(to, error)
    },
    close(): void {
      state = 'closed'
    },
  }
}

/** The endpoint, connected again and again until it is closed. */
function createLink(options: RedisOptions) {
  const endpoint = createEndpoint(options)
  const state = createState(options.onChange)
  let lastAnswerAt = performance.now()
  // A listener must be there: without one an 'error' event ends the process.
  endpoint.on('error', (error) => state.change('lost', error))

  /** A single client retries by itself; Cluster and Sentinel give up when no node answers at the first attempt. */
  async function connect(): Promise<void> {
    for (let retries = 0; !state.is('closed'); retries++) {
      try {
        await endpoint.connect()
        return state.change('connected')
      } catch (error) {
        state.change('lost', error as Error)
        await delay(retryDelayMs(retries), undefined, { ref: false })
      }
    }
  }

  return {
    endpoint,
    state,
    connect,
    answered(): void {
      lastAnswerAt = performance.now()
      if (!state.is('connected')) state.change('connected')
    },
    /** Sentinel and Cluster look for the primary by themselves; a single connection has to be made anew. */
    reconnect(reason: Error): void {
      const isSilent = performance.now() - lastAnswerAt >= SILENCE_MS
      if (options.url === undefined || !state.is('connected') || !isSilent) return
      state.change('lost', reason)
      endpoint.destroy()
      void connect()
    },
  }
}

type Link = ReturnType<typeof createLink>

function limitedCommand<T>(
  { endpoint, answered, reconnect }: Link,
  call: (redis: RedisCommands) => Promise<T>,
  timeoutMs: number,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const why = `Redis did not answer within ${timeoutMs} ms`
      const timeout = new StorageError('unavailable', why)
      reconnect(timeout)
      reject(timeout)
    }, timeoutMs)
    call(endpoint).then(
      (reply) => {
        clearTimeout(timer)
        answered()
        resolve(reply)
      },
      (error: unknown) => {
        clearTimeout(timer)
        if (error instanceof Error && NO_PRIMARY.test(error.message)) reconnect(error)
        reject(fault(error))
      },
    )
  })
}

/** Throws StorageError `unusable` for a URL that is none. */
export function createRedisConnection(options: RedisOptions): RedisConnection {
  const { commandTimeoutMs = 500 } = options
  const link = createLink(options)
  const firstConnection = link.connect()
  return {
    async command(call) {
      if (!link.state.is('closed')) return limitedCommand(link, call, commandTimeoutMs)
      throw new StorageError('unavailable', 'Cannot use Redis: the connection is closed')
    },
    connected: () => firstConnection,
    async close() {
      if (link.state.is('closed')) return
      link.state.close()
      link.endpoint.destroy()
    },
  }
}
