// What every measurement runs in: a folder, free ports, the upstream, and a load generator in a process of its own.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NODE, startProcess, type ManagedProcess } from '../scripts/managed-process.ts'
import { freePorts } from '../scripts/ports.ts'
import type { LoginTarget } from './chained-login.ts'
import type { LoadJob, LoadResult } from './load.ts'

const ROOT = join(import.meta.dirname, '..')
/** What `npm start` gives to the processes, and nothing else of this environment. */
const AS_SHIPPED = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE', 'MALLOC_ARENA_MAX'].map((name) => [name, process.env[name]]),
)
export const REDIRECT_URI = 'http://127.0.0.1:1/login/oauth2/code/auth-adapter'
const runFile = promisify(execFile)

/** Where an adapter listens. */
export interface Place {
  port: number
  adminPort: number
}

export interface Surroundings {
  folder: string
  /** Its issuer. */
  upstream: string
  place: Place
  /** For a second adapter beside the first. */
  otherPlace: Place
  floorPort: number
}

export function start(
  name: string,
  [script, ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ManagedProcess {
  return startProcess({
    name,
    command: NODE,
    args: [join(ROOT, script as string), ...args],
    env: { ...AS_SHIPPED, ...env },
  })
}

/** What was started ends with us; the folder would stay. */
function removeAtSignals(folder: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    })
}

/** Everything is ended and removed after `work`. */
export async function withSurroundings(
  work: (surroundings: Surroundings) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-bench-'))
  removeAtSignals(folder)
  const [upstreamPort = 0, port = 0, adminPort = 0, otherPort = 0, otherAdmin = 0, floorPort = 0] =
    await freePorts(6)
  const callbacks = [port, otherPort, floorPort]
    .map((each) => `http://127.0.0.1:${each}/login/oauth2/code/test-auth-server`)
    .join(',')
  const upstream = start('upstream', ['upstream-test-server/main.ts'], {
    UPSTREAM_PORT: String(upstreamPort),
    UPSTREAM_DATABASE: ':memory:',
    UPSTREAM_REDIRECT_URIS: callbacks,
    UPSTREAM_PASSWORD_MEMORY_KIB: '8',
    AUTH_ADAPTER_DATA: folder,
  })
  try {
    await upstream.listening
    await work({
      folder,
      upstream: `http://127.0.0.1:${upstreamPort}`,
      place: { port, adminPort },
      otherPlace: { port: otherPort, adminPort: otherAdmin },
      floorPort,
    })
  } finally {
    await upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Signs in `logins` times at what listens on `port`, `concurrency` at a time. */
export async function load(
  { upstream }: Surroundings,
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
  const job: LoadJob = { target, upstreamOrigin: upstream, logins, concurrency }
  const { stdout } = await runFile(NODE, [join(ROOT, 'bench', 'load.ts'), JSON.stringify(job)], {
    maxBuffer: 64 * 1024 * 1024,
  })
  return JSON.parse(stdout) as LoadResult
}
