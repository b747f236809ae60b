// The operator's program that holds keys: started once, asked by one JSON object a line on its standard input, and answering
// the same way. What is asked is not decided here (external-keys.ts).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Log } from '../../../../service/log.ts'

export interface SignerProgram {
  /** Its answer to one request, without `id`. Rejects when it refuses, ends, says nonsense, or takes too long. */
  ask(request: Readonly<Record<string, string>>): Promise<Record<string, unknown>>
  close(): void
}

export interface SignerProgramOptions {
  /** The program, and its arguments. */
  command: readonly string[]
  timeoutMs: number
  log: Log
}

interface Pending {
  resolve(answer: Record<string, unknown>): void
  reject(error: Error): void
}

/** One start of the program. */
interface Run {
  ask(id: number, request: object): Promise<Record<string, unknown>>
  /** What waits is rejected with the reason. */
  end(why: string): void
}

const MAX_LINE = 300

export function createSignerProgram(options: SignerProgramOptions): SignerProgram {
  const { timeoutMs, log } = options
  let running: Run | undefined
  let lastId = 0

  function start(): Run {
    const run = startRun(options, (why, wasAsked) => {
      if (running === run) running = undefined
      if (wasAsked) log.error('signer.ended', { reason: why })
    })
    return run
  }

  return {
    ask(request) {
      const run = (running ??= start())
      // One that hangs would hang for whoever comes next, too.
      const timer = setTimeout(() => run.end(`took longer than ${timeoutMs} ms`), timeoutMs)
      return run.ask((lastId += 1), request).finally(() => clearTimeout(timer))
    },
    close: () => running?.end('was closed'),
  }
}

function startRun(
  { command, log }: SignerProgramOptions,
  ended: (why: string, wasAsked: boolean) => void,
): Run {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'pipe' })
  const pending = new Map<unknown, Pending>()
  const end = (why: string) => {
    const waiting = [...pending.values()]
    pending.clear()
    child.kill('SIGKILL')
    ended(why, waiting.length > 0)
    for (const { reject } of waiting) reject(new Error(`The signer ${why}`))
  }
  child.on('error', (error) => end(`can not be started: ${error.message}`))
  child.on('exit', (code, signal) => end(`ended with ${signal ?? code}`))
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!settle(pending, line)) end('answered what nobody had asked')
  })
  createInterface({ input: child.stderr }).on('line', (line) =>
    log.info('signer.output', { line: line.slice(0, MAX_LINE) }),
  )
  return {
    end,
    ask(id, request) {
      const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
      pending.set(id, { resolve, reject })
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
      return promise
    },
  }
}

/** False when it answers nothing that was asked. */
function settle(pending: Map<unknown, Pending>, line: string): boolean {
  const { id, error, ...answer } = parsed(line)
  const waiting = pending.get(id)
  if (!waiting) return false
  pending.delete(id)
  if (error === undefined) waiting.resolve(answer)
  else waiting.reject(new Error(`The signer refuses: ${String(error).slice(0, MAX_LINE)}`))
  return true
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
