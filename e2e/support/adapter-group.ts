// Several adapter processes over one Redis, behind a plain TCP balancer that listens where the issuer says: what an app and a
// browser see is one adapter.
import { isAbsolute, join } from 'node:path'
import { redisEnvironment } from '../../scripts/demo-redis.ts'
import { NODE, startProcess } from '../../scripts/managed-process.ts'
import { freePorts } from '../../scripts/ports.ts'
import { startRedis } from '../../scripts/redis-server.ts'
import { createPart, type Part } from './part.ts'
import { startChain, withoutOurSettings, type Chain } from './processes.ts'
import { startTcpBalancer, type TcpBalancer } from './tcp-balancer.ts'

export interface AdapterGroup {
  readonly chain: Chain
  readonly balancer: TcpBalancer
  readonly adapters: readonly Part[]
  /** From its next start on this process runs the code of that folder. */
  runFrom(index: number, folder: string): void
  /** SIGTERM, start, and the next only then. Rejects when the process did not end well. */
  restart(index: number): Promise<void>
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')
const SIZE = 3
/** Longer than the balancer takes to see that a process is not ready any more. */
const DRAIN = '1s'

function environmentOf({ chain, url }: { chain: Chain; url: string }) {
  return {
    ...withoutOurSettings(process.env),
    ...redisEnvironment(url),
    ADAPTER_PORT: new URL(chain.adapterUrl).port,
    UPSTREAM_PORT: new URL(chain.upstreamUrl).port,
    TEST_APP_PORT: new URL(chain.appUrl).port,
    AUTH_ADAPTER_DATA: chain.dataFolder,
    AUTH_ADAPTER_LISTEN__DRAIN: DRAIN,
    NO_COLOR: '1',
  }
}

interface Place {
  port: number
  adminPort: number
  /** A checkout. */
  folder: string
}

function adapterPart(
  index: number,
  place: Place,
  configFile: string,
  env: NodeJS.ProcessEnv,
): Part {
  const name = `adapter ${index + 1}`
  const launch = (onLine: (line: string) => void) =>
    startProcess({
      name,
      command: NODE,
      args: [join(place.folder, 'adapter', 'main.ts'), '--config', configFile],
      env: {
        ...env,
        AUTH_ADAPTER_LISTEN__PORT: String(place.port),
        AUTH_ADAPTER_ADMIN__PORT: String(place.adminPort),
      },
      onLine,
    })
  return createPart(name, launch)
}

async function freePlaces(folder: string): Promise<Place[]> {
  const ports = await freePorts(2 * SIZE)
  return Array.from({ length: SIZE }, (_, index) => ({
    port: ports[2 * index] ?? 0,
    adminPort: ports[2 * index + 1] ?? 0,
    folder,
  }))
}

const startQuiet = () =>
  startChain({
    storage: 'sqlite',
    notStarted: ['adapter', 'test-app'],
    env: { LOG_LEVEL: 'info' },
  })

export interface GroupOptions {
  /** A checkout that all run from at first. Its demo configuration is that of all processes, whatever they run from later. */
  folder?: string
}

/** Three processes. Resolves when the balancer knows all of them to be ready. */
export async function startAdapterGroup({
  folder = ROOT,
}: GroupOptions = {}): Promise<AdapterGroup> {
  const redis = await startRedis()
  const chain = await startQuiet()
  const places = await freePlaces(folder)
  const configFile = join(folder, 'auth-adapter.yaml')
  const env = environmentOf({ chain, url: redis.url })
  const adapters = places.map((place, index) => adapterPart(index, place, configFile, env))
  const backends = places.map(({ port, adminPort }) => ({
    port,
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`,
  }))
  const balancer = await startTcpBalancer(Number(new URL(chain.adapterUrl).port), backends)

  async function stop(): Promise<void> {
    await balancer.stop()
    await Promise.all(adapters.map((adapter) => adapter.kill()))
    await chain.stop()
    await redis.stop()
  }
  async function restart(index: number): Promise<void> {
    const adapter = adapters[index] as Part
    const end = await adapter.stop()
    if (end?.code !== 0) throw new Error(`${adapter.name} ended with ${JSON.stringify(end)}`)
    await adapter.start()
    await balancer.readyAgain(index)
  }
  function runFrom(index: number, folder: string): void {
    if (!isAbsolute(folder)) throw new Error(`Not an absolute path: ${folder}`)
    ;(places[index] as Place).folder = folder
  }

  try {
    await Promise.all(adapters.map((adapter) => adapter.start()))
    await balancer.ready(SIZE)
  } catch (error) {
    await stop()
    throw error
  }
  return { chain, balancer, adapters, runFrom, restart, stop }
}
