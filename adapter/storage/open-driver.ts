// From the storage settings to a driver: the one place that knows all three. A Redis that is down does not stop the
// start (it will come back); one that refuses us, or a file that can not be used, does.
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../errors.ts'
import type { StorageConfig } from '../config/schema.ts'
import type { Log } from '../../service/log.ts'
import { countRoundTrips } from './count-round-trips.ts'
import type { Driver } from './driver.ts'
import type { RedisDriver } from './drivers/redis/redis.ts'
import { createMemoryDriver } from './drivers/memory.ts'
import { createSqliteDriver } from './drivers/sqlite.ts'

interface Surroundings {
  /** Epoch milliseconds. */
  now: () => number
  log: Log
}

type RedisConfig = Extract<StorageConfig, { driver: 'redis' }>

const CONNECT_WAIT_MS = 1500
const REFUSALS: readonly [RegExp, string][] = [
  [/^(NOAUTH|WRONGPASS)|invalid username-password/i, 'Set the user and password in storage.url'],
  [
    /^NOPERM/,
    'Allow this user get, set, getdel, del, eval, evalsha, zadd, zrange, zrem, zremrangebyscore, pttl, pexpire, scan and ping',
  ],
  [/unknown command|syntax error/i, 'Redis 6.2 or later is needed'],
]

/** A refusal is a fault of configuration; anything else passes with time. */
function refusal(error: unknown): StorageError | undefined {
  const message =
    error instanceof StorageError && error.cause instanceof Error ? error.cause.message : ''
  const remedy = REFUSALS.find(([pattern]) => pattern.test(message))?.[1]
  return remedy === undefined
    ? undefined
    : new StorageError('unusable', `Cannot use Redis: it answers "${message}". ${remedy}`, {
        cause: error,
      })
}

/** A server that evicts ends sessions and logins at will; what it forgets is never valid again, so no one gets in. */
async function warnOfEviction(driver: RedisDriver, log: Log): Promise<void> {
  const policy = await driver.evictionPolicy()
  if (policy === 'noeviction') return
  log.warn('storage.eviction', { policy, remedy: 'Set maxmemory-policy noeviction in Redis' })
}

async function openRedis(
  { url, cluster, sentinel, prefix }: RedisConfig,
  { now, log }: Surroundings,
): Promise<Driver> {
  const { createRedisDriver } = await import('./drivers/redis/redis.ts')
  let lastError: Error | undefined
  const driver = createRedisDriver({
    url,
    cluster,
    sentinel,
    prefix,
    now,
    onChange(state, error) {
      lastError = error
      if (state === 'lost') log.warn('storage.lost', { driver: 'redis', reason: error?.message })
      else log.info('storage.connected', { driver: 'redis' })
    },
  })
  await Promise.race([driver.connected(), delay(CONNECT_WAIT_MS, undefined, { ref: false })])
  try {
    await driver.ping()
    await warnOfEviction(driver, log)
  } catch (error) {
    const fault =
      refusal(error) ?? refusal(new StorageError('unavailable', '', { cause: lastError }))
    if (!fault) return driver
    await driver.close()
    throw fault
  }
  return driver
}

const openers: {
  [Kind in StorageConfig['driver']]: (
    config: Extract<StorageConfig, { driver: Kind }>,
    surroundings: Surroundings,
  ) => Promise<Driver>
} = {
  memory: async (_config, { now }) => createMemoryDriver({ now }),
  sqlite: async ({ file }, { now }) => createSqliteDriver({ file, now }),
  redis: openRedis,
}

/** The driver of the settings, counted per request. Rejects with StorageError `unusable`, naming the remedy. */
export async function openDriver(
  config: StorageConfig,
  surroundings: Surroundings,
): Promise<Driver> {
  const open = openers[config.driver] as (
    config: StorageConfig,
    surroundings: Surroundings,
  ) => Promise<Driver>
  return countRoundTrips(await open(config, surroundings))
}
