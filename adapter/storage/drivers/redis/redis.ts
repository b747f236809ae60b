// The driver over Redis 6.2 or later: one server, Sentinel, or a Cluster. Each record, index and lease is one key, so
// every operation is one command on one node; Redis's own expiry is garbage collection. Connecting is redis-connection.ts.
//
// A primary that dies takes with it what it had not replicated (milliseconds of writes): a consumed mark may be lost in
// a failover. Operators who can not have that set `min-replicas-to-write 1` on the servers; codes live 60 s at most.
import type { Driver, StoredRecord, Value } from '../../driver.ts'
import { createRedisConnection } from './redis-connection.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { RedisOptions } from './redis-endpoint.ts'
import { scanKeys } from './redis-scan.ts'
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

interface Store {
  command: RedisConnection['command']
  /** Scripts are sent by their digest; a server that does not know one yet gets the text once. */
  run(script: Script, key: string, ...values: (string | number)[]): Promise<unknown>
  now: () => number
  /** Keys: of records, indexes and leases. */
  key: Record<'record' | 'index' | 'lease', (name: string) => string>
}

const milliseconds = (ttlSeconds: number) => Math.max(1, Math.ceil(ttlSeconds * 1000))
const expiry = (now: () => number, ttlSeconds: number) => Math.ceil(now() + ttlSeconds * 1000)

function createStore({ command }: RedisConnection, prefix: string, now: () => number): Store {
  const key = {
    record: (name: string) => `${prefix}r:${name}`,
    index: (name: string) => `${prefix}i:${name}`,
    lease: (name: string) => `${prefix}l:${name}`,
  }
  const run: Store['run'] = (script, name, ...values) => {
    const call = { keys: [name], arguments: values.map(String) }
    return command((redis) =>
      redis.evalSha(script.sha1, call).catch((error: unknown) => {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return redis.eval(script.lua, call)
      }),
    )
  }
  return { command, run, now, key }
}

type Plain = Pick<Driver, 'get' | 'set' | 'setAll' | 'delete' | 'take'>

function plainCommands({ command, now, key: { record } }: Store): Plain {
  async function set(key: string, value: Value, ttlSeconds: number): Promise<void> {
    const text = encode(value, expiry(now, ttlSeconds))
    await command((redis) => redis.set(record(key), text, { PX: milliseconds(ttlSeconds) }))
  }
  return {
    set,
    get: async (key) => decode(await command((redis) => redis.get(record(key))), now()),
    take: async (key) => decode(await command((redis) => redis.getDel(record(key))), now()),
    async setAll(entries) {
      await Promise.all(entries.map(({ key, value, ttlSeconds }) => set(key, value, ttlSeconds)))
    },
    async delete(key) {
      await command((redis) => redis.del(record(key)))
    },
  }
}

type Deciding = Pick<Driver, 'insert' | 'consume' | 'update'>

function decidingScripts({ run, now, key: { record } }: Store): Deciding {
  return {
    async insert(key, value, ttlSeconds) {
      const text = encode(value, expiry(now, ttlSeconds))
      return (await run(scripts.insert, record(key), now(), text, milliseconds(ttlSeconds))) === 1
    },
    consume: async (key) => (await run(scripts.consume, record(key), now())) === 1,
    async update(key, expectedVersion, value, ttlSeconds) {
      const times =
        ttlSeconds === undefined ? ['', ''] : [expiry(now, ttlSeconds), milliseconds(ttlSeconds)]
      const json = JSON.stringify(value)
      return (await run(scripts.update, record(key), now(), expectedVersion, json, ...times)) === 1
    },
  }
}

function indexes({ command, run, now, key }: Store): Pick<Driver, 'add' | 'members' | 'drop'> {
  return {
    async add(index, member, ttlSeconds) {
      const times = [expiry(now, ttlSeconds), milliseconds(ttlSeconds)]
      await run(scripts.add, key.index(index), now(), member, ...times)
    },
    members: (index) =>
      command((redis) => redis.zRange(key.index(index), `(${now()}`, '+inf', { BY: 'SCORE' })),
    async drop(index, member) {
      const name = key.index(index)
      await command((redis) => (member === undefined ? redis.del(name) : redis.zRem(name, member)))
    },
  }
}

function leases({ run, now, key }: Store): Pick<Driver, 'lease' | 'release' | 'ping'> {
  const lease: Driver['lease'] = async (name, owner, ttlSeconds) => {
    const times = [expiry(now, ttlSeconds), milliseconds(ttlSeconds)]
    return (await run(scripts.lease, key.lease(name), now(), owner, ...times)) === 1
  }
  return {
    lease,
    async release(name, owner) {
      await run(scripts.release, key.lease(name), owner)
    },
    async ping() {
      await lease('ping', 'ping', 1)
    },
  }
}

/**
 * Connects in the background and keeps trying; until then, and while the connection is lost, operations reject at once.
 * Throws StorageError `unusable` when the settings themselves can not be right.
 */
export function createRedisDriver(options: RedisOptions & { now?: () => number }): RedisDriver {
  const { prefix, now = Date.now } = options
  const connection = createRedisConnection(options)
  const store = createStore(connection, prefix, now)
  return {
    kind: 'redis',
    ...plainCommands(store),
    ...decidingScripts(store),
    keys: (cursor) => scanKeys(store.command, store.key.record(''), cursor),
    ...indexes(store),
    ...leases(store),
    connected: connection.connected,
    async evictionPolicy() {
      const info = await store.run(scripts.memory, store.key.lease('ping'))
      return /maxmemory_policy:(\S+)/.exec(String(info))?.[1]
    },
    close: connection.close,
  }
}
