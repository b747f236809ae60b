// Throw-away redis-servers for tests: on free ports, in folders of their own, gone with the process that started them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ManagedProcess } from './managed-process.ts'
import { freePorts } from './ports.ts'
import { startRedisProcess, writeRedisConfiguration } from './redis-process.ts'

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

const running = new Set<ManagedProcess>()
const folders = new Set<string>()

function endAll(): void {
  for (const server of running) void server.kill()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
process.once('exit', endAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll()
    process.kill(process.pid, signal)
  })
}

function writeConfiguration(folder: string, port: number, options: RedisServerOptions): string {
  const { appendonly = false, directives = [] } = options
  const always = appendonly ? ['appendfsync always'] : []
  return writeRedisConfiguration({
    port,
    folder,
    appendonly,
    directives: [...always, ...directives],
  })
}

const ATTEMPTS = 3

/** Starts a server and waits until it answers. Without options it keeps nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  if (options.port) return startOn(options.port, options)
  for (let attempt = 1; ; attempt += 1) {
    const [port = 0] = await freePorts(1)
    try {
      return await startOn(port, options)
    } catch (error) {
      // Somebody else may have taken the port since we looked.
      if (attempt === ATTEMPTS) throw error
    }
  }
}

async function startOn(port: number, options: RedisServerOptions): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-redis-'))
  folders.add(folder)
  const file = writeConfiguration(folder, port, options)
  let server: ManagedProcess

  async function start(): Promise<void> {
    const started = await startRedisProcess({ file, port, sentinel: options.sentinel === true })
    server = started
    running.add(started)
    void started.ended.then(() => running.delete(started))
  }
  const kill = async () => void (await server.kill())
  const signal = (name: NodeJS.Signals) => void process.kill(server.pid as number, name)

  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
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
