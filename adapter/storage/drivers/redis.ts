// The driver over Redis 6.2 or later: one server, Sentinel, or a Cluster. Each record, index and lease is one key, so
// every operation is one command on one node; Redis's own expiry is garbage collection. Connecting is redis-connection.ts.
//
// A primary that dies takes with it what it had not replicated (milliseconds of writes): a consumed mark may be lost in
// a failover. Operators who can not have that set `min-replicas-to-write 1` on the servers; codes live 60 s at most.
import type { Driver, StoredRecord, Value } from '../driver.ts'
import { createRedisConnection } from './redis-connection.ts'
import type { RedisOptions } from './redis-connection.ts'
import { scripts } from './redis-scripts.ts'
import type { Script } from './redis-scripts.ts'

/** A record is one string: version|expiresAt|consumedAt|json. redis-scripts.ts reads it too. */
function encode(value: Value, expiresAt: number): string {
  return `1|${expiresAt}||${JSON.stringify(value)}`
}

function decode(text: string | null, at: number): StoredRecord | undefined {
  if (text === null) return undefined
  const first = text.indexOf('|')
  const second = text.indexOf('|', first + 1)
  const third = text.indexOf('|', second + 1)
  const expiresAt = Number(text.slice(first + 1, second))
  if (!(expiresAt > at)) return undefined
  const record = {
    value: JSON.parse(text.slice(third + 1)) as Value,
    version: Number(text.slice(0, first)),
    expiresAt,
  }
  return third === second + 1
    ? record
    : { ...record, consumedAt: Number(text.slice(second + 1, third)) }
}

export interface RedisDriver extends Driver {
  /** Resolves with the first connection. */
  connected(): Promise<void>
  /** `noeviction`, or what else the server does when its memory is full. */
  evictionPolicy(): Promise<string | undefined>
}

/**
 * Connects in the background and keeps trying; until then, and while the connection is lost, operations reject at once.
 * Throws StorageError `unusable` when the settings themselves can not be right.
 */
export function createRedisDriver(options: RedisOptions & { now?: () => number }): RedisDriver {
  const { prefix, now = Date.now } = options
  const connection = createRedisConnection(options)
  const { command } = connection

  const milliseconds = (ttlSeconds: number) => Math.max(1, Math.ceil(ttlSeconds * 1000))
  const expiry = (ttlSeconds: number) => Math.ceil(now() + ttlSeconds * 1000)

  /** Scripts are sent by their digest; a server that does not know one yet gets the text once. */
  function run(script: Script, key: string, ...values: (string | number)[]): Promise<unknown> {
    const call = { keys: [key], arguments: values.map(String) }
    return command((redis) =>
      redis.evalSha(script.sha1, call).catch((error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return redis.eval(script.lua, call)
      }),
    )
  }

  const record = (key: string) => `${prefix}r:${key}`
  const set = (index: string) => `${prefix}i:${index}`
  const lease = (key: string) => `${prefix}l:${key}`

  async function write(key: string, value: Value, ttlSeconds: number): Promise<void> {
    const text = encode(value, expiry(ttlSeconds))
    await command((redis) => redis.set(record(key), text, { PX: milliseconds(ttlSeconds) }))
  }

  return {
    kind: 'redis',
    connected: connection.connected,
    async evictionPolicy() {
      const info = await run(scripts.memory, lease('ping'))
      return /maxmemory_policy:(\S+)/.exec(String(info))?.[1]
    },
    async get(key) {
      return decode(await command((redis) => redis.get(record(key))), now())
    },
    set: write,
    async setAll(entries) {
      await Promise.all(entries.map(({ key, value, ttlSeconds }) => write(key, value, ttlSeconds)))
    },
    async delete(key) {
      await command((redis) => redis.del(record(key)))
    },
    async insert(key, value, ttlSeconds) {
      const text = encode(value, expiry(ttlSeconds))
      return (await run(scripts.insert, record(key), now(), text, milliseconds(ttlSeconds))) === 1
    },
    async take(key) {
      return decode(await command((redis) => redis.getDel(record(key))), now())
    },
    async consume(key) {
      return (await run(scripts.consume, record(key), now())) === 1
    },
    async update(key, expectedVersion, value, ttlSeconds) {
      const times =
        ttlSeconds === undefined ? ['', ''] : [expiry(ttlSeconds), milliseconds(ttlSeconds)]
      return (
        (await run(
          scripts.update,
          record(key),
          now(),
          expectedVersion,
          JSON.stringify(value),
          ...times,
        )) === 1
      )
    },
    async add(index, member, ttlSeconds) {
      await run(
        scripts.add,
        set(index),
        now(),
        member,
        expiry(ttlSeconds),
        milliseconds(ttlSeconds),
      )
    },
    members: (index) =>
      command((redis) => redis.zRange(set(index), `(${now()}`, '+inf', { BY: 'SCORE' })),
    async drop(index, member) {
      await command((redis) =>
        member === undefined ? redis.del(set(index)) : redis.zRem(set(index), member),
      )
    },
    async lease(key, owner, ttlSeconds) {
      return (
        (await run(
          scripts.lease,
          lease(key),
          now(),
          owner,
          expiry(ttlSeconds),
          milliseconds(ttlSeconds),
        )) === 1
      )
    },
    async release(key, owner) {
      await run(scripts.release, lease(key), owner)
    },
    async ping() {
      await run(scripts.lease, lease('ping'), now(), 'ping', expiry(1), 1000)
    },
    close: connection.close,
  }
}
