// One redis-server as a child process: its configuration, its start, and a question to it. What it is for, its callers know.
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findRedis } from './find-redis.ts'
import { describeEnd, startProcess, type ManagedProcess } from './managed-process.ts'

const ANSWERS_WITHIN_MS = 5000

export interface RedisConfiguration {
  port: number
  /** Its configuration and its data; made when missing. */
  folder: string
  /** Keeps the data in an append-only file. */
  appendonly: boolean
  /** More lines of redis.conf, one directive each. */
  directives?: readonly string[]
}

/** Writes `<folder>/redis.conf`, and returns its path. A sentinel or a node of a Cluster keeps its state there. */
export function writeRedisConfiguration(configuration: RedisConfiguration): string {
  const { port, folder, appendonly, directives = [] } = configuration
  mkdirSync(folder, { recursive: true })
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir "${folder}"`,
    'daemonize no',
    'loglevel warning',
    'save ""',
    ...(appendonly ? ['appendonly yes'] : []),
    ...directives,
    '',
  ]
  const file = join(folder, 'redis.conf')
  writeFileSync(file, lines.join('\n'))
  return file
}

/** One command over a connection of its own, in Redis's inline form; resolves with the raw answer. */
export function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.setTimeout(1000, () => socket.destroy(new Error('Redis does not answer')))
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('Redis closed the connection')))
  })
}

/** Waits until `isSo` holds; errors on the way count as not yet. */
export async function until(
  what: string,
  isSo: () => Promise<boolean>,
  timeoutMs = ANSWERS_WITHIN_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await delay(20)
  }
}

export interface RedisProcessOptions {
  /** Its configuration file. */
  file: string
  /** The one of the file. */
  port: number
  sentinel?: boolean
  onLine?: (line: string) => void
}

/** Resolves when it answers. Rejects with its last lines, and nothing left running. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<ManagedProcess> {
  const { file, port, sentinel, onLine = () => undefined } = options
  const server = startProcess({
    name: 'redis',
    command: findRedis().path,
    args: [file, ...(sentinel ? ['--sentinel'] : [])],
    env: process.env,
    onLine,
  })
  const answers = until(`redis-server on port ${port} answers`, async () =>
    /^(\+PONG|-NOAUTH)/.test(await ask(port, 'PING')),
  )
  const ends = server.ended.then((end) => {
    throw new Error(`redis-server on port ${port} ${describeEnd(end)}`)
  })
  try {
    await Promise.race([answers, ends])
    return server
  } catch (error) {
    await server.kill()
    const said = [(error as Error).message, ...server.lines.slice(-10)].join('\n')
    throw new Error(said, { cause: error })
  }
}
