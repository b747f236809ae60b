// The Redis behind `npm start -- --redis`: the one at REDIS_URL, or a private server that keeps its data in the data folder.
import { join } from 'node:path'
import { findRedis } from './find-redis.ts'
import type { ManagedProcess } from './managed-process.ts'
import { freePorts } from './ports.ts'
import { startRedisProcess, writeRedisConfiguration } from './redis-process.ts'

export interface DemoRedis {
  /** Tells the three processes to keep their state there. */
  env: Readonly<Record<string, string>>
  /** Said to the person; never holds a password. */
  where: string
  /** Absent when the server is not ours to stop. */
  process?: ManagedProcess
}

/** What tells the three processes to keep their state in Redis. */
export const redisEnvironment = (url: string) => ({
  REDIS_URL: url,
  AUTH_ADAPTER_STORAGE: JSON.stringify({ driver: 'redis', url }),
})

async function startPrivate(dataFolder: string): Promise<DemoRedis> {
  const { source } = findRedis()
  const [port = 0] = await freePorts(1)
  const folder = join(dataFolder, 'redis')
  const file = writeRedisConfiguration({ port, folder, appendonly: true })
  const server = await startRedisProcess({ file, port })
  return {
    env: redisEnvironment(`redis://127.0.0.1:${port}`),
    where: `Redis at 127.0.0.1:${port} (${source})`,
    process: server,
  }
}

/** `url` names a server that runs already. Rejects when none can be found, fetched or started. */
export async function startDemoRedis(
  url: string | undefined,
  dataFolder: string,
): Promise<DemoRedis> {
  if (url) return { env: redisEnvironment(url), where: `Redis at ${new URL(url).host}` }
  return startPrivate(dataFolder)
}
