// Sessions in Redis through connect-redis. A server that is away or does not answer is an error within half a second.
import { RedisStore } from 'connect-redis'
import type { Store } from 'express-session'
import { createClient } from 'redis'
import type { Log } from '../../../service/log.ts'
import { ENDED_MS, SESSION_IDLE_MS } from '../session-data.ts'
import type { RedisCommands } from '../../store/redis-record-texts.ts'
import type { SessionSerializer } from './session-store.ts'

const COMMAND_TIMEOUT_MS = 500
const LONGEST_RECONNECT_MS = 500

// An empty value is a session that was ended: a request that read it before can not write it back.
const SET_UNLESS_ENDED = `
if redis.call('GET', KEYS[1]) == '' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1`

export interface RedisSessionOptions {
  readonly url: string
  /** Whose keys these are: the name of the session cookie. */
  readonly app: string
  readonly serializer: SessionSerializer
  readonly log: Log
}

/** Starts connecting and returns at once; the app serves what needs no session while Redis is away. */
export function openRedisSessions(options: RedisSessionOptions): {
  store: Store
  commands: RedisCommands
  close(): Promise<void>
} {
  const client = createClient({
    url: options.url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 2000,
      reconnectStrategy: (retries: number) =>
        Math.min(50 * 2 ** Math.min(retries, 8), LONGEST_RECONNECT_MS),
    },
  })
  noteOutages(client, options.log)
  const connecting = client.connect().catch(() => undefined)
  const store = new RedisStore({
    client: withinTime(client) as unknown as typeof client,
    prefix: `test-app:${options.app}:`,
    ttl: SESSION_IDLE_MS / 1000,
    serializer: options.serializer as SessionSerializer & typeof JSON,
  })
  return {
    store,
    commands: timedCommands(client),
    async close() {
      if (client.isOpen) client.destroy()
      await connecting
    },
  }
}

type RedisClient = ReturnType<typeof createClient>
interface Emitter {
  on(event: string, listener: (error: Error) => void): unknown
}

// One line when it goes, one when it is back: the client raises an error for every attempt in between.
function noteOutages(client: Emitter, log: Log): void {
  let isAway = false
  client.on('error', (error: Error) => {
    if (!isAway) log.error('session_store.unavailable', { reason: error.message })
    isAway = true
  })
  client.on('ready', () => {
    if (isAway) log.info('session_store.recovered')
    isAway = false
  })
}

// The client's own command timeout ends once a command is written; a frozen server would keep the request waiting.
function withinTime(client: Pick<RedisClient, 'get' | 'set' | 'expire' | 'eval'>) {
  return {
    get: (...args: Parameters<typeof client.get>) => timed(client.get(...args)),
    set(key: string, value: string, { expiration }: { expiration: { value: number } }) {
      const values = [value, String(expiration.value)]
      return timed(client.eval(SET_UNLESS_ENDED, { keys: [key], arguments: values }))
    },
    expire: (...args: Parameters<typeof client.expire>) => timed(client.expire(...args)),
    del: async (keys: readonly string[]) => {
      const expiration = { type: 'PX', value: ENDED_MS } as const
      await Promise.all(keys.map((key) => timed(client.set(key, '', { expiration }))))
    },
  }
}

/** For what else is kept there. */
function timedCommands(client: Pick<RedisClient, 'get' | 'set' | 'del' | 'eval'>): RedisCommands {
  return {
    get: (key) => timed(client.get(key)),
    set: (key, value, { PX }) =>
      timed(client.set(key, value, { expiration: { type: 'PX', value: PX } })),
    del: (key) => timed(client.del(key)),
    eval: (script, options) => timed(client.eval(script, options)),
  }
}

async function timed<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`Redis did not answer within ${COMMAND_TIMEOUT_MS} ms`)),
    COMMAND_TIMEOUT_MS,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
