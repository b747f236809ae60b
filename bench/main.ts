// `npm run bench`: what a whole chained login costs, on each storage, beside a floor measured in the same run. Every party is
// a process of its own; the adapter runs as configured by default, its log written to a pipe.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { NODE, startProcess, type ManagedProcess } from '../scripts/managed-process.ts'
import { freePorts } from '../scripts/ports.ts'
import { startRedis } from '../scripts/redis-server.ts'
import type { LoginTarget } from './chained-login.ts'
import type { LoadJob, LoadResult } from './load.ts'
import { mappingCost } from './mapping.ts'
import { cpuMs, percentile, rssMib } from './measure.ts'

const ROOT = join(import.meta.dirname, '..')
/** What `npm start` gives to the processes, and nothing else of this environment. */
const AS_SHIPPED = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE', 'MALLOC_ARENA_MAX'].map((name) => [name, process.env[name]]),
)
const REDIRECT_URI = 'http://127.0.0.1:1/login/oauth2/code/auth-adapter'
const run = promisify(execFile)

const { values: flags } = parseArgs({
  options: {
    logins: { type: 'string', default: '1000' },
    'rss-logins': { type: 'string', default: '20000' },
    storage: { type: 'string', default: 'memory,sqlite,redis' },
    alg: { type: 'string', default: 'RS256' },
    help: { type: 'boolean', default: false },
  },
})

interface Row {
  name: string
  cpu: number
  ratio?: number
  roundTrips?: number
  low: [p50: number, p99: number]
  busy: [p50: number, p99: number]
  rss: number
  rssAfter?: number
  startMs: number
}

interface Surroundings {
  folder: string
  upstream: string
  adapterPort: number
  adminPort: number
  floorPort: number
}

async function main(): Promise<void> {
  if (flags.help)
    return void console.log(
      'npm run bench -- [--logins 1000] [--rss-logins 20000 (0: leave out)] [--storage memory,sqlite,redis] [--alg RS256]',
    )
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-bench-'))
  const [upstreamPort, adapterPort, adminPort, floorPort] = (await freePorts(4)) as [
    number,
    number,
    number,
    number,
  ]
  const callbacks = [adapterPort, floorPort]
    .map((port) => `http://127.0.0.1:${port}/login/oauth2/code/test-auth-server`)
    .join(',')
  const upstream = start('upstream', ['upstream-test-server/main.ts'], {
    UPSTREAM_PORT: String(upstreamPort),
    UPSTREAM_DATABASE: ':memory:',
    UPSTREAM_REDIRECT_URIS: callbacks,
    UPSTREAM_PASSWORD_MEMORY_KIB: '8',
    AUTH_ADAPTER_DATA: folder,
  })
  try {
    const surroundings = {
      folder,
      upstream: `http://127.0.0.1:${upstreamPort}`,
      adapterPort,
      adminPort,
      floorPort,
    }
    await upstream.listening
    await report(surroundings)
  } finally {
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function report(surroundings: Surroundings): Promise<void> {
  const rows: Row[] = []
  for (const storage of flags.storage.split(',')) {
    // The machine's speed wanders: each storage is compared with a floor measured just before it.
    const floor = await measureFloor(surroundings)
    const row = await measureStorage(storage, surroundings)
    rows.push(floor, { ...row, ratio: row.cpu / floor.cpu })
  }
  print(rows)
  const { mapped, explained } = mappingCost()
  console.log(
    `\n100 claims: mapped in ${mapped.toFixed(0)} µs, with provenance in ${explained.toFixed(0)} µs of CPU (bound: 100 µs)`,
  )
}

async function measureFloor(surroundings: Surroundings): Promise<Row> {
  const startedAt = performance.now()
  const floor = start(
    'floor',
    ['bench/floor.ts', String(surroundings.floorPort), surroundings.upstream],
    {},
  )
  await floor.listening
  const startMs = performance.now() - startedAt
  try {
    return {
      name: 'floor',
      startMs,
      ...(await measure(floor, surroundings, surroundings.floorPort)),
    }
  } finally {
    await floor.stop()
  }
}

async function measureStorage(storage: string, surroundings: Surroundings): Promise<Row> {
  const redis = storage === 'redis' ? await startRedis() : undefined
  const settings = {
    memory: '{ driver: memory }',
    sqlite: `{ driver: sqlite, file: ${join(surroundings.folder, 'bench.sqlite')} }`,
    redis: `{ driver: redis, url: "${redis?.url}" }`,
  }[storage]
  if (!settings) throw new Error(`--storage: expected memory, sqlite or redis, found "${storage}"`)
  const configFile = join(surroundings.folder, `${storage}.yaml`)
  writeFileSync(configFile, configuration(surroundings, settings))
  // Once, so that what is made on first start is there: what is measured is every start after that.
  await (await startAdapter(configFile, surroundings)).process.stop()
  const { process: adapter, startMs } = await startAdapter(configFile, surroundings)
  try {
    const row = {
      name: storage,
      startMs,
      ...(await measure(adapter, surroundings, surroundings.adapterPort)),
    }
    const roundTrips = await countRoundTrips(adapter, surroundings)
    const rssLogins = Number(flags['rss-logins'])
    if (rssLogins === 0 || storage !== 'sqlite') return { ...row, roundTrips }
    await load(surroundings, surroundings.adapterPort, rssLogins, 4)
    return { ...row, roundTrips, rssAfter: rssMib(adapter.pid as number) }
  } finally {
    await adapter.stop()
    await redis?.stop()
  }
}

async function measure(party: ManagedProcess, surroundings: Surroundings, port: number) {
  const pid = party.pid as number
  const logins = Number(flags.logins)
  await load(surroundings, port, Math.max(200, logins / 4), 2)
  const before = cpuMs(pid)
  const low = await load(surroundings, port, logins, 1)
  const busy = await load(surroundings, port, logins, 4)
  const cpu = (cpuMs(pid) - before) / (low.durations.length + busy.durations.length)
  const shares = ({ durations }: LoadResult): [number, number] => [
    percentile(durations, 0.5),
    percentile(durations, 0.99),
  ]
  return { cpu, low: shares(low), busy: shares(busy), rss: rssMib(pid) }
}

async function load(
  surroundings: Surroundings,
  port: number,
  logins: number,
  concurrency: number,
): Promise<LoadResult> {
  const target: LoginTarget = {
    issuer: `http://127.0.0.1:${port}`,
    clientId: 'client',
    clientSecret: 'secret',
    redirectUri: REDIRECT_URI,
    scope: 'openid profile read',
  }
  const job: LoadJob = { target, upstreamOrigin: surroundings.upstream, logins, concurrency }
  const { stdout } = await run(NODE, [join(ROOT, 'bench', 'load.ts'), JSON.stringify(job)], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout) as LoadResult
}

/** Read from the adapter's own log: each request says how often it waited for the store. */
async function countRoundTrips(
  adapter: ManagedProcess,
  surroundings: Surroundings,
): Promise<number> {
  const from = adapter.lines.length
  const logins = 20
  await load(surroundings, surroundings.adapterPort, logins, 1)
  const waits = adapter.lines.slice(from).flatMap((line) => {
    const { event, storage } = JSON.parse(line) as {
      event?: string
      storage?: { round_trips: number }
    }
    return event === 'request.done' && storage ? [storage.round_trips] : []
  })
  // The load generator signs in once more, to open its session at the upstream; that login ends before the token request.
  return waits.reduce((sum, count) => sum + count, 0) / (logins + 1)
}

async function startAdapter(
  configFile: string,
  { folder }: Surroundings,
): Promise<{ process: ManagedProcess; startMs: number }> {
  const startedAt = performance.now()
  const adapter = start('adapter', ['adapter/main.ts', '--config', configFile], {
    AUTH_ADAPTER_DATA: folder,
  })
  await adapter.listening
  return { process: adapter, startMs: performance.now() - startedAt }
}

function start(
  name: string,
  [script, ...args]: string[],
  env: Record<string, string>,
): ManagedProcess {
  return startProcess({
    name,
    command: NODE,
    args: [join(ROOT, script as string), ...args],
    env: { ...AS_SHIPPED, ...env },
  })
}

function configuration(
  { upstream, adapterPort, adminPort }: Surroundings,
  storage: string,
): string {
  return `issuer: http://127.0.0.1:${adapterPort}
listen: { port: ${adapterPort} }
admin: { port: ${adminPort} }
storage: ${storage}
keys: { alg: ${flags.alg} }
upstreams:
  test-auth-server:
    kind: oidc
    issuer: ${upstream}
    client_id: test-client
    client_secret: test-secret
    subject: bare
    claims: { test_auth_server_sub: sub, preferred_username: preferred_username, name: name, authorities: { from: roles, values: { user: ROLE_USER } } }
clients:
  client: { client_secret: secret, redirect_uris: [ "${REDIRECT_URI}" ], scope: openid profile read }
`
}

function print(rows: readonly Row[]): void {
  const ms = ([p50, p99]: [number, number]) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`
  const table = rows.map((row) => ({
    '': row.name,
    'CPU ms/login': row.cpu.toFixed(2),
    'ratio to floor': row.ratio?.toFixed(2) ?? '',
    'round trips': row.roundTrips?.toFixed(1) ?? '',
    'p50/p99 ms, 1 at a time': ms(row.low),
    'p50/p99 ms, 4 at a time': ms(row.busy),
    'RSS MiB': row.rss.toFixed(0),
    'RSS MiB after soak': row.rssAfter?.toFixed(0) ?? '',
    'ready ms': row.startMs.toFixed(0),
  }))
  console.table(table)
  console.log(
    `${flags.logins} logins each way, ${flags.alg}; soak: ${flags['rss-logins']} logins on sqlite. Latencies are whole logins, the upstream and the load generator on the same machine.`,
  )
}

await main()
