// The Redis behind `npm start -- --redis`: the one at REDIS_URL, or a private server that keeps its data in the data folder.
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findRedis } from './find-redis.ts'
import { startProcess, type ManagedProcess } from './managed-process.ts'
import { freePorts } from './ports.ts'

export interface DemoRedis {
  /** Tells the three processes to keep their state there. */
  env: Readonly<Record<string, string>>
  /** Said to the person; never holds a password. */
  where: string
  /** Absent when the server is not ours to stop. */
  process?: ManagedProcess
}

const ANSWERS_WITHIN_MS = 5_000

/** What tells the three processes to keep their state in Redis. */
export const redisEnvironment = (url: string) => ({
  REDIS_URL: url,
  AUTH_ADAPTER_STORAGE: JSON.stringify({ driver: 'redis', url }),
})

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'))
    socket.setTimeout(500, () => socket.destroy())
    socket.once('data', (reply) => {
      resolve(reply.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(false))
  })
}

async function untilAnswering(server: ManagedProcess, port: number): Promise<void> {
  const deadline = Date.now() + ANSWERS_WITHIN_MS
  while (!(await answersPing(port))) {
    if (Date.now() > deadline)
      throw new Error(`redis did not answer:\n${server.lines.slice(-10).join('\n')}`)
    await pause(20)
  }
}

export interface RedisOptions {
  program: string
  port: number
  /** Keeps its append-only file there; made when missing. */
  folder: string
  onLine?: (line: string) => void
}

/** A server on loopback whose data outlives it. Resolves when it answers. */
export async function startRedis({
  program,
  port,
  folder,
  onLine = () => undefined,
}: RedisOptions): Promise<ManagedProcess> {
  mkdirSync(folder, { recursive: true })
  const listen = ['--port', String(port), '--bind', '127.0.0.1']
  const keep = ['--dir', folder, '--appendonly', 'yes', '--save', '', '--loglevel', 'warning']
  const server = startProcess({
    name: 'redis',
    command: program,
    args: [...listen, ...keep],
    env: process.env,
    onLine,
  })
  try {
    await untilAnswering(server, port)
    return server
  } catch (error) {
    await server.kill()
    throw error
  }
}

async function startPrivate(dataFolder: string): Promise<DemoRedis> {
  const found = findRedis()
  const [port = 0] = await freePorts(1)
  const server = await startRedis({ program: found.path, port, folder: join(dataFolder, 'redis') })
  return {
    env: redisEnvironment(`redis://127.0.0.1:${port}`),
    where: `Redis at 127.0.0.1:${port} (${found.source})`,
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
