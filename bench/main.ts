// `npm run bench`: what a whole chained login costs, on each storage, beside a floor measured in the same run; and with
// one upstream beside twenty; and what refreshes, introspection and logouts cost beside a login. `-- gateway` measures the
// test app and the identity service in their place. Every party is a process of its own; the adapter runs as configured by default, its log
// written to a pipe.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../scripts/redis-server.ts'
import { countRoundTrips, startAdapter } from './adapter.ts'
import type { LoadResult } from './load.ts'
import { reportGateway } from './gateway/report-gateway.ts'
import { mappingCost } from './mapping.ts'
import { cpuMs, percentile, rssMib } from './measure.ts'
import { printRows, printSideBySide, type Row } from './print-report.ts'
import { reportOperations } from './operations/report-operations.ts'
import { measureSideBySide } from './side-by-side.ts'
import { load, start, withSurroundings, type Surroundings } from './surroundings.ts'

const USAGE =
  'npm run bench -- [gateway: the test app and the identity service alone] [--requests 200] [--logins 1000] [--rss-logins 20000 (0: leave out)] [--storage memory,sqlite,redis (or none)] [--upstreams 20 (1: leave out)] [--rounds 20] [--operations 50 (0: leave out)] [--alg RS256]'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '200' },
    logins: { type: 'string', default: '1000' },
    'rss-logins': { type: 'string', default: '20000' },
    storage: { type: 'string', default: 'memory,sqlite,redis' },
    upstreams: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '20' },
    operations: { type: 'string', default: '50' },
    alg: { type: 'string', default: 'RS256' },
    help: { type: 'boolean', default: false },
  },
})

async function report(surroundings: Surroundings): Promise<void> {
  if (flags.storage !== 'none') await reportStorages(surroundings)
  if (Number(flags.upstreams) > 1) await reportUpstreams(surroundings)
  if (Number(flags.operations) > 0) await checkOperations(surroundings)
  const { mapped, explained } = mappingCost()
  console.log(
    `\n100 claims: mapped in ${mapped.toFixed(0)} µs, with provenance in ${explained.toFixed(0)} µs of CPU (bound: 100 µs)`,
  )
}

async function reportStorages(surroundings: Surroundings): Promise<void> {
  const rows: Row[] = []
  for (const storage of flags.storage.split(',')) {
    // The machine's speed wanders: each storage is compared with a floor measured just before it.
    const floor = await measureFloor(surroundings)
    const row = await measureStorage(storage, surroundings)
    rows.push(floor, { ...row, ratio: row.cpu / floor.cpu })
  }
  printRows(rows)
  console.log(
    `${flags.logins} logins each way, ${flags.alg}; soak: ${flags['rss-logins']} logins on sqlite. Latencies are whole logins, the upstream and the load generator on the same machine.\n`,
  )
}

async function reportUpstreams(surroundings: Surroundings): Promise<void> {
  const sides = await measureSideBySide(surroundings, {
    upstreams: Number(flags.upstreams),
    rounds: Number(flags.rounds),
    logins: Math.max(20, Number(flags.logins) / 5),
    alg: flags.alg,
  })
  printSideBySide(sides)
}

async function checkGateway(): Promise<void> {
  fail(await reportGateway({ rounds: Number(flags.rounds), count: Number(flags.requests) }))
}

async function checkOperations(surroundings: Surroundings): Promise<void> {
  const options = { rounds: Number(flags.rounds), count: Number(flags.operations) }
  fail(await reportOperations(surroundings, options))
}

/** What costs more than it may makes the command fail. */
function fail(faults: readonly string[]): void {
  for (const fault of faults) console.log(`over its bound: ${fault}`)
  if (faults.length > 0) process.exitCode = 1
}

async function measureFloor(surroundings: Surroundings): Promise<Row> {
  const { floorPort, upstream } = surroundings
  const startedAt = performance.now()
  const floor = start('floor', ['bench/floor.ts', String(floorPort), upstream])
  await floor.listening
  const startMs = performance.now() - startedAt
  try {
    return {
      name: 'floor',
      startMs,
      ...(await measure(floor.pid as number, surroundings, floorPort)),
    }
  } finally {
    await floor.stop()
  }
}

async function measureStorage(storage: string, surroundings: Surroundings): Promise<Row> {
  const { folder, place } = surroundings
  const redis = storage === 'redis' ? await startRedis() : undefined
  const settings = {
    memory: '{ driver: memory }',
    sqlite: `{ driver: sqlite, file: ${join(folder, 'bench.sqlite')} }`,
    redis: `{ driver: redis, url: "${redis?.url}" }`,
  }[storage]
  if (!settings)
    throw new Error(`--storage: expected none, memory, sqlite or redis, found "${storage}"`)
  const options = { name: storage, place, storage: settings, alg: flags.alg }
  const { process: adapter, startMs } = await startAdapter(surroundings, options)
  const pid = adapter.pid as number
  try {
    const row = { name: storage, startMs, ...(await measure(pid, surroundings, place.port)) }
    const roundTrips = await countRoundTrips(adapter, surroundings)
    const rssLogins = Number(flags['rss-logins'])
    if (rssLogins === 0 || storage !== 'sqlite') return { ...row, roundTrips }
    await load(surroundings, place.port, rssLogins, 4)
    return { ...row, roundTrips, rssAfter: rssMib(pid) }
  } finally {
    await adapter.stop()
    await redis?.stop()
  }
}

async function measure(pid: number, surroundings: Surroundings, port: number) {
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

if (flags.help) console.log(USAGE)
else if (positionals.join() === 'gateway') await checkGateway()
else if (positionals.length > 0) throw new Error(`expected: ${USAGE}`)
else await withSurroundings(report)
