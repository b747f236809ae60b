// Throw-away redis-servers for tests: on free ports, in folders of their own, gone with the process that started them.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  /** SIGKILL, as a crash: the folder stays for `restart`. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Starts it again on the same port; with `appendonly` it has its data. */
  restart(): Promise<void>
}

interface RedisServerOptions {
  port?: number
  /** Keeps the data through `kill` and `restart`. */
  appendonly?: boolean
  /** More lines of redis.conf, one directive each. */
  directives?: readonly string[]
  sentinel?: boolean
}

const START_TIMEOUT_MS = 5000
const running = new Set<ChildProcess>()
const folders = new Set<string>()

function endAll(): void {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
process.once('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll()
    process.kill(process.pid, signal)
  })
}

/** Path of redis-server: AUTH_ADAPTER_REDIS_SERVER, or the one on the PATH. */
export function findRedisServer(): string | undefined {
  const named = process.env['AUTH_ADAPTER_REDIS_SERVER']
  const candidates = named
    ? [named]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'))
  return candidates.find((path) => existsSync(path))
}

function redisServerPath(): string {
  const path = findRedisServer()
  if (path) return path
  throw new Error(
    'Cannot start Redis for a test: install redis-server, or set AUTH_ADAPTER_REDIS_SERVER to its path',
  )
}

/** A Cluster node listens on port + 10000 as well, so ports stay below 55000. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    if (port < 55_000) return port
  }
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
  timeoutMs = START_TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await delay(20)
  }
}

function configuration(port: number, folder: string, options: RedisServerOptions): string {
  const storing = options.sentinel
    ? []
    : ['save ""', `appendonly ${options.appendonly ? 'yes' : 'no'}`, 'appendfsync always']
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    'daemonize no',
    ...storing,
    ...(options.directives ?? []),
    '',
  ].join('\n')
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** Starts a server and waits until it answers. Without options it keeps nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const path = redisServerPath()
  const port = options.port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-redis-'))
  folders.add(folder)
  const file = join(folder, 'redis.conf')
  writeFileSync(file, configuration(port, folder, options))
  let child: ChildProcess

  async function start(): Promise<void> {
    child = spawn(path, [file, ...(options.sentinel ? ['--sentinel'] : [])], { stdio: 'ignore' })
    running.add(child)
    const process = child
    child.once('exit', () => running.delete(process))
    await until(`redis-server on port ${port} answers`, async () =>
      /^(\+PONG|-NOAUTH)/.test(await ask(port, 'PING')),
    )
  }

  const kill = () => killed(child)

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      await kill()
      await start()
    },
    async stop() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
      folders.delete(folder)
    },
  }
}
