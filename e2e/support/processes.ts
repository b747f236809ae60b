// Starts a whole chain for tests: real processes on free ports with a data folder of their own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainProcesses } from '../../scripts/chain.ts'
import { redisEnvironment } from '../../scripts/demo-redis.ts'
import { NODE, startProcess } from '../../scripts/managed-process.ts'
import { freePorts } from '../../scripts/ports.ts'
import { startRedisProcess, writeRedisConfiguration } from '../../scripts/redis-process.ts'
import { writeChainConfig, type Settings } from './chain-config.ts'
import { httpsLayout, plainLayout, type Layout } from './layout.ts'
import { withOtherUpstreams } from './other-upstreams.ts'
import { createPart, type Part } from './part.ts'

export interface ChainOptions {
  storage: 'sqlite' | 'redis'
  /** For every process of the chain. */
  env?: Readonly<Record<string, string>>
  /** Merged over the demo configuration; null takes a setting away. */
  config?: Settings
  /** Starts the second app as well. */
  secondApp?: boolean
  /** Further upstreams by name; behind each is the upstream test server. */
  otherUpstreams?: readonly string[]
  /** Three host names of three sites, on https. */
  https?: boolean
  /** Parts that the test starts itself. */
  notStarted?: readonly ('upstream' | 'adapter' | 'test-app')[]
}

export interface Chain {
  readonly appUrl: string
  /** Serves only with `secondApp`. */
  readonly secondAppUrl: string
  readonly adapterUrl: string
  readonly adminUrl: string
  readonly upstreamUrl: string
  /** What Chromium needs to open it; empty without https. */
  readonly browserArgs: readonly string[]
  readonly dataFolder: string
  readonly configFile: string
  readonly upstream: Part
  readonly adapter: Part
  readonly testApp: Part
  readonly secondApp: Part | undefined
  /** Absent on SQLite. */
  readonly redis: Part | undefined
  /** JSON lines of one part, or of all. */
  logs(part?: Part): readonly string[]
  /** Ends every process and removes the data. */
  stop(): Promise<void>
}

/** Cheap password hashes: tests sign in often, and how long a hash takes is not what they are about. */
const QUICK = { UPSTREAM_PASSWORD_MEMORY_KIB: '1024', LOG_LEVEL: 'debug', NO_COLOR: '1' }

export function withoutOurSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isOurs = (name: string) =>
    /^(AUTH_ADAPTER|TEST_APP|SECOND_APP|UPSTREAM|ADAPTER)_|^(REDIS_URL|NODE_ENV|FORCE_COLOR)$/.test(
      name,
    )
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOurs(name)))
}

/** What Redis acknowledged has to outlive a SIGKILL; by default a busy disk may cost the last second. */
const KEEP_EVERY_WRITE = ['appendfsync always']

function createRedisPart(dataFolder: string, port: number): Part {
  const folder = join(dataFolder, 'redis')
  const file = writeRedisConfiguration({
    port,
    folder,
    appendonly: true,
    directives: KEEP_EVERY_WRITE,
  })
  const launch = (onLine: (line: string) => void) => startRedisProcess({ file, port, onLine })
  return createPart('redis', launch, async () => undefined)
}

function createParts(
  layout: Layout,
  configFile: string,
  env: NodeJS.ProcessEnv,
  secondApp: boolean,
): Map<string, Part> {
  const processes = chainProcesses(configFile, secondApp ? layout.ports.secondApp : undefined)
  const parts = processes.map(({ name, args, env: own }) => {
    const options = { name, command: NODE, args, env: { ...env, ...own, ...layout.env[name] } }
    return createPart(name, (onLine) => startProcess({ ...options, onLine }))
  })
  return new Map(parts.map((part) => [part.name, part]))
}

function partOf(parts: ReadonlyMap<string, Part>, name: string): Part {
  const part = parts.get(name)
  if (!part) throw new Error(`There is no ${name} in this chain`)
  return part
}

interface Parts {
  chain: ReadonlyMap<string, Part>
  redis: Part | undefined
}

async function startParts({ chain, redis }: Parts, notStarted: readonly string[]): Promise<void> {
  await redis?.start()
  const started = [...chain.values()].filter(({ name }) => !notStarted.includes(name))
  await Promise.all(started.map((part) => part.start()))
}

async function stopParts({ chain, redis }: Parts): Promise<void> {
  await Promise.all([...chain.values()].map((part) => part.stop()))
  await redis?.stop()
}

function describeChain(layout: Layout, { chain, redis }: Parts) {
  const all = [...chain.values(), ...(redis ? [redis] : [])]
  return {
    ...layout.urls,
    browserArgs: layout.browserArgs,
    upstream: partOf(chain, 'upstream'),
    adapter: partOf(chain, 'adapter'),
    testApp: partOf(chain, 'test-app'),
    secondApp: chain.get('second-app'),
    redis,
    logs: (part?: Part) => (part ? part.lines : all.flatMap(({ lines }) => lines)),
  }
}

/** Resolves when every part serves. Rejects with the last lines of the part that does not, with nothing left running. */
export async function startChain(options: ChainOptions): Promise<Chain> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'auth-adapter-e2e-'))
  const [testApp = 0, secondApp = 0, adapter = 0, admin = 0, upstream = 0, redisPort = 0] =
    await freePorts(6)
  const ports = { testApp, secondApp, adapter, admin, upstream }
  const demo = options.https ? httpsLayout(ports, dataFolder) : plainLayout(ports)
  const layout = withOtherUpstreams(demo, options.otherUpstreams ?? [])
  const redis = options.storage === 'redis' ? createRedisPart(dataFolder, redisPort) : undefined
  const env = {
    ...withoutOurSettings(process.env),
    ...QUICK,
    AUTH_ADAPTER_DATA: dataFolder,
    ...(redis ? redisEnvironment(`redis://127.0.0.1:${redisPort}`) : {}),
    ...layout.sharedEnv,
    ...options.env,
  }
  const configFile = writeChainConfig(dataFolder, layout.config, options.config ?? {})
  const parts = { chain: createParts(layout, configFile, env, options.secondApp === true), redis }
  const stop = async () => {
    await stopParts(parts)
    rmSync(dataFolder, { recursive: true, force: true })
  }
  try {
    await startParts(parts, options.notStarted ?? [])
  } catch (error) {
    await stop()
    throw error
  }
  return { ...describeChain(layout, parts), dataFolder, configFile, stop }
}
