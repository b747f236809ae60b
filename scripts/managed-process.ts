// One of our processes as a child in its own process group: its log lines, the moment it serves, and its end.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const ROOT = join(import.meta.dirname, '..')
const LOCKED_NODE = join(ROOT, 'node_modules', '.bin', 'node')
/** The Node that runs the processes: the locked one, else the one we run on. */
export const NODE = existsSync(LOCKED_NODE) ? LOCKED_NODE : process.execPath

export interface ProcessOptions {
  /** Shown to people: `adapter`. */
  name: string
  command: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  /** Each line of stdout and stderr as it comes, without its line end. */
  onLine?: (line: string) => void
}

export interface ListeningLine {
  url: string
  admin_url?: string
}

export interface ProcessEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface ManagedProcess {
  readonly name: string
  readonly pid: number | undefined
  /** Every line so far. */
  readonly lines: readonly string[]
  /** The process's own `listening` line. Rejects when the process ends without one. */
  readonly listening: Promise<ListeningLine>
  readonly ended: Promise<ProcessEnd>
  /** SIGTERM, then SIGKILL for the whole group after `graceMs`. Resolves when it is gone. */
  stop(graceMs?: number): Promise<ProcessEnd>
  /** SIGKILL for the whole group. */
  kill(): Promise<ProcessEnd>
}

function parseListening(line: string): ListeningLine | undefined {
  if (!line.includes('"listening"')) return undefined
  try {
    const entry = JSON.parse(line) as ListeningLine & { event?: string }
    return entry.event === 'listening' ? entry : undefined
  } catch {
    return undefined
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    // 'close' comes after the last line was read; 'error' when it could not be started at all.
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 127, signal: null }))
  })
}

/** How a process ended, in words. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`
}

function watchLines(child: ChildProcess, onLine: (line: string) => void): void {
  const streams = [child.stdout, child.stderr].filter(
    (stream): stream is Readable => stream !== null,
  )
  for (const input of streams) createInterface({ input }).on('line', onLine)
}

const running = new Set<ChildProcess>()
let isHooked = false

/** Own process groups outlive us, so whatever still runs when we end goes first. */
function endWithUs(child: ChildProcess): void {
  if (!isHooked) process.once('exit', () => running.forEach((one) => signalGroup(one, 'SIGKILL')))
  isHooked = true
  running.add(child)
  child.once('exit', () => running.delete(child))
}

/** Starts it at once. Nothing is thrown here: `listening` and `ended` tell. */
export function startProcess({ name, command, args, env, onLine }: ProcessOptions): ManagedProcess {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithUs(child)
  const lines: string[] = []
  const ready = Promise.withResolvers<ListeningLine>()
  const ended = endOf(child)
  watchLines(child, (line) => {
    lines.push(line)
    onLine?.(line)
    const listening = parseListening(line)
    if (listening) ready.resolve(listening)
  })
  void ended.then((end) => ready.reject(new Error(`${name} ${describeEnd(end)} before it served`)))
  ready.promise.catch(() => undefined)
  const kill = async () => {
    signalGroup(child, 'SIGKILL')
    return ended
  }
  const stop = async (graceMs = 25_000) => {
    const timer = setTimeout(() => void kill(), graceMs)
    if (child.pid !== undefined && child.exitCode === null) child.kill('SIGTERM')
    return ended.finally(() => clearTimeout(timer))
  }
  return { name, pid: child.pid, lines, listening: ready.promise, ended, stop, kill }
}
