// `npm start`: the whole chain as separate processes, with their logs, until Ctrl-C.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { createSecretFile, readSecretFile } from '../service/secret-file.ts'
import { chainPorts, chainProcesses, type ChainPort } from './chain.ts'
import { startDemoRedis, type DemoRedis } from './demo-redis.ts'
import { describeEnd, NODE, startProcess, type ManagedProcess } from './managed-process.ts'
import { isPortFree } from './ports.ts'
import { renderLog } from './render-log.ts'
import { welcome } from './start-welcome.ts'

const USAGE = `Usage: npm start [-- --config FILE] [-- --redis] [-- --second-app]

  --config      configuration of the adapter, such as docs/examples/three-upstreams.yaml
  --redis       keep state in Redis: at REDIS_URL, else in a private server with its data in the data folder
  --second-app  start a second app on port 8081, to see single sign-on

Environment:
  TEST_APP_PORT, ADAPTER_PORT, ADAPTER_ADMIN_PORT          (8080, 9000, 9010)
  UPSTREAM_PORT, UPSTREAM_CONTROL_PORT, SECOND_APP_PORT    (9001, 9011, 8081)
  AUTH_ADAPTER_DATA     folder of databases and generated keys (data)
  AUTH_ADAPTER_CONFIG   the same as --config (auth-adapter.yaml)
  REDIS_URL             keep state in this Redis
`
const DEMO_CONFIG = join(import.meta.dirname, '..', 'auth-adapter.yaml')
const READY_WITHIN_MS = 20_000
const STOP_WITHIN_MS = 26_000
/** npm and the terminal both pass one Ctrl-C on; later than this it is a second one. */
const SAME_CTRL_C_MS = 700
const COLOURS = ['cyan', 'magenta', 'blue', 'green', 'yellow'] as const

function readOptions(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  const config = { type: 'string' } as const
  const options = { config, redis: flag, 'second-app': flag, help: flag }
  return parseArgs({ args: [...args], options }).values
}

function linePrinter(name: string, index: number): (line: string) => void {
  const prefix = `${name.padEnd(10)} | `
  const colour = COLOURS[index % COLOURS.length] ?? 'cyan'
  if (!process.stdout.isTTY) return (line) => process.stdout.write(`${prefix}${line}\n`)
  return (line) => process.stdout.write(`${styleText(colour, prefix)}${renderLog(line)}\n`)
}

async function checkPorts(ports: readonly ChainPort[]): Promise<void> {
  const taken: ChainPort[] = []
  for (const entry of ports) if (!(await isPortFree(entry.port))) taken.push(entry)
  if (taken.length === 0) return
  const lines = taken.map(
    ({ port, variable, what }) => `Port ${port} for ${what} is taken: set ${variable} to another.`,
  )
  throw new Error(lines.join('\n'))
}

/** npm runs us in the root of the repository, wherever it was called. */
function configFileFrom(option: string | undefined): string | undefined {
  const named = option ?? (process.env['AUTH_ADAPTER_CONFIG'] || undefined)
  return named && resolve(process.env['INIT_CWD'] || '.', named)
}

interface Run {
  ports: readonly ChainPort[]
  env: NodeJS.ProcessEnv
  /** Absent: the demo's own. */
  config: string | undefined
  /** Of the worker and the test app. */
  workerSecret: string
}

/** The worker finds it in the same folder. */
function workerSecretIn(data: string): string {
  const file = join(data, 'worker.secret')
  const given = process.env['TEST_APP_WORKER_SECRET'] || readSecretFile(file)
  return given ?? createSecretFile(file, randomBytes(32).toString('base64url'))
}

function startProcesses({ ports, env, config = DEMO_CONFIG, workerSecret }: Run): ManagedProcess[] {
  const ownTo: Readonly<Record<string, NodeJS.ProcessEnv>> = {
    'test-app': { TEST_APP_WORKER_SECRET: workerSecret },
  }
  const secondAppPort = ports.find(({ variable }) => variable === 'SECOND_APP_PORT')?.port
  return chainProcesses(config, secondAppPort).map(({ name, args, env: own }, index) =>
    startProcess({
      name,
      command: NODE,
      args,
      env: { ...env, ...own, ...ownTo[name] },
      onLine: linePrinter(name, index),
    }),
  )
}

async function untilServing(processes: readonly ManagedProcess[]): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`Not ready within ${READY_WITHIN_MS / 1000} s.`)),
    READY_WITHIN_MS,
  )
  const serving = Promise.all(processes.map((one) => one.listening))
  await Promise.race([serving, late.promise]).finally(() => clearTimeout(timer))
}

/** Resolves at the first Ctrl-C or termination; a second one kills what still runs. */
function untilSignal(killAll: () => void): Promise<undefined> {
  return new Promise((done) => {
    let firstAt: number | undefined
    const onSignal = () => {
      if (firstAt !== undefined && Date.now() - firstAt > SAME_CTRL_C_MS) killAll()
      firstAt ??= Date.now()
      done(undefined)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  })
}

const endOf = async (one: ManagedProcess): Promise<string> =>
  `${one.name} ${describeEnd(await one.ended)}. Stopping the others.`

/** Serves until a signal (resolves undefined) or a failure (resolves with its words); either way nothing is left running. */
async function serve(run: Run, redis: DemoRedis | undefined, storage: string) {
  const processes = startProcesses(run)
  const server = redis?.process ? [redis.process] : []
  const all = [...processes, ...server]
  const signalled = untilSignal(() => all.forEach((one) => void one.kill()))
  const failed = untilServing(processes).then(
    () => {
      process.stdout.write(welcome({ ...run, storage }))
      return Promise.race(all.map(endOf))
    },
    (error: Error) => error.message,
  )
  const failure = await Promise.race([signalled, failed])
  if (failure) process.stderr.write(`${failure}\n`)
  await Promise.all(processes.map((one) => one.stop(STOP_WITHIN_MS)))
  await Promise.all(server.map((one) => one.stop(STOP_WITHIN_MS)))
  return failure
}

async function start(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options.help) return process.stdout.write(USAGE) ? 0 : 1
  const ports = chainPorts(process.env, options['second-app'])
  await checkPorts(ports)
  const data = resolve(process.env['AUTH_ADAPTER_DATA'] || join(import.meta.dirname, '..', 'data'))
  mkdirSync(data, { recursive: true })
  const url = process.env['REDIS_URL'] || undefined
  const redis = options.redis || url ? await startDemoRedis(url, data) : undefined
  const taken = Object.fromEntries(ports.map(({ variable, port }) => [variable, String(port)]))
  const env = { ...process.env, ...taken, AUTH_ADAPTER_DATA: data, ...redis?.env }
  const workerSecret = workerSecretIn(data)
  const run = { ports, env, config: configFileFrom(options.config), workerSecret }
  return (await serve(run, redis, redis?.where ?? `SQLite (${data})`)) ? 1 : 0
}

try {
  process.exitCode = await start(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
