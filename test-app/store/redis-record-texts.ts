// Records in the Redis of the sessions.
import type { RecordTexts } from './sealed-records.ts'

// One command, so that nobody comes between looking and writing.
const SWAP = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

export interface RedisCommands {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options: { PX: number }): Promise<unknown>
  del(key: string): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

export interface RedisRecordsOptions {
  readonly redis: RedisCommands
  readonly app: string
  readonly now: () => number
}

export function createRedisRecordTexts({ redis, app, now }: RedisRecordsOptions): RecordTexts {
  const keyOf = (id: string) => `test-app:${app}:record:${id}`
  const leftMs = (expiresAt: number) => Math.max(1, Math.ceil(expiresAt - now()))
  return {
    get: async (id) => (await redis.get(keyOf(id))) ?? undefined,
    set: async (id, text, expiresAt) =>
      void (await redis.set(keyOf(id), text, { PX: leftMs(expiresAt) })),
    async swap(id, before, text, expiresAt) {
      const values = [before, text, String(leftMs(expiresAt))]
      return (await redis.eval(SWAP, { keys: [keyOf(id)], arguments: values })) === 1
    },
    delete: async (id) => void (await redis.del(keyOf(id))),
  }
}
