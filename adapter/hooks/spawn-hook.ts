// Starts the process of one hooks file: it may read that file and ours, and nothing else; no environment, no child processes,
// no threads, no addons, little memory. What it prints goes to the log.
import { fork, type ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Log } from '../../service/log.ts'
import type { HookMessage, HookRequest } from './hook-messages.ts'

export interface HookProcess {
  send(request: HookRequest): void
  kill(): void
}

export interface HookEvents {
  message(message: HookMessage): void
  /** At most once, also after `kill`. */
  ended(): void
}

const [OWN_FILE, ...OWN_PARTS] = ['hook-process.ts', 'shut-ways-out.ts'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
) as [string, ...string[]]
const MEMORY_MIB = 64
const MAX_LINE = 500
const MAX_LINES = 1000
const LONGEST_LINE = 1024 * 1024

/** `file`: absolute, without symbolic links. */
export function spawnHook(file: string, log: Log, events: HookEvents): HookProcess {
  const child = fork(OWN_FILE, [pathToFileURL(file).href], {
    env: {},
    execArgv: [
      // https://nodejs.org/docs/latest-v24.x/api/permissions.html
      '--permission',
      `--allow-fs-read=${file}`,
      ...[OWN_FILE, ...OWN_PARTS].map((own) => `--allow-fs-read=${own}`),
      `--max-old-space-size=${MEMORY_MIB}`,
      '--disallow-code-generation-from-strings',
      '--frozen-intrinsics',
      '--no-warnings',
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'json',
  })
  logOutput(child, basename(file), log)
  child.on('message', (message) => events.message(message as HookMessage))
  const end = once(() => {
    child.kill('SIGKILL')
    events.ended()
  })
  child.on('exit', end).on('error', end)
  return {
    // A process that is just ending is told of by `ended`.
    send: (request) => void child.send(request, () => undefined),
    kill: () => void child.kill('SIGKILL'),
  }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

function logOutput(child: ChildProcess, hook: string, log: Log): void {
  let count = 0
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    endAtLongLine(stream)
    createInterface({ input: stream }).on('line', (line) => {
      count += 1
      if (count <= MAX_LINES) log.info('hook.output', { hook, line: line.slice(0, MAX_LINE) })
    })
  }
}

/** A line that never ends would be kept until it does. */
function endAtLongLine(stream: Readable): void {
  let length = 0
  stream.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(10)
    length = end < 0 ? length + chunk.length : chunk.length - end - 1
    if (length > LONGEST_LINE) stream.destroy()
  })
}
