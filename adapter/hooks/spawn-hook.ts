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

const OWN_FILE = fileURLToPath(new URL('hook-process.ts', import.meta.url))
const MEMORY_MIB = 64
const MAX_LINE = 500
const MAX_LINES = 1000

/** `file`: absolute, without symbolic links. */
export function spawnHook(file: string, log: Log, events: HookEvents): HookProcess {
  const child = fork(OWN_FILE, [pathToFileURL(file).href], {
    env: {},
    execArgv: [
      // https://nodejs.org/docs/latest-v24.x/api/permissions.html
      '--permission',
      `--allow-fs-read=${file}`,
      `--allow-fs-read=${OWN_FILE}`,
      `--max-old-space-size=${MEMORY_MIB}`,
      '--disallow-code-generation-from-strings',
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
  for (const stream of [child.stdout, child.stderr] as Readable[])
    createInterface({ input: stream }).on('line', (line) => {
      count += 1
      if (count <= MAX_LINES) log.info('hook.output', { hook, line: line.slice(0, MAX_LINE) })
    })
}
