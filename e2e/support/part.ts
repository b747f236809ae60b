// One process of a chain under test: can be killed, stopped and started again on the same port with the same data.
import type { ManagedProcess, ProcessEnd } from '../../scripts/managed-process.ts'

export interface Part {
  readonly name: string
  /** Every line of every start so far. */
  readonly lines: readonly string[]
  /** Resolves when it serves. Does nothing while it runs. */
  start(): Promise<void>
  /** SIGTERM. */
  stop(): Promise<ProcessEnd | undefined>
  /** SIGKILL. */
  kill(): Promise<ProcessEnd | undefined>
  /** Stops and starts. */
  restart(): Promise<void>
  /** To the running process: SIGSTOP makes it silent without ending it. */
  signal(signal: NodeJS.Signals): void
  /** How the running process ends, by itself or not. */
  ended(): Promise<ProcessEnd | undefined>
}

const SERVES_WITHIN_MS = 15_000
const SHOWN_LINES = 20

async function serving(
  run: ManagedProcess,
  isReady: (run: ManagedProcess) => Promise<unknown>,
): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`${run.name} does not serve`)),
    SERVES_WITHIN_MS,
  )
  try {
    await Promise.race([isReady(run), late.promise])
  } catch (error) {
    await run.kill()
    throw new Error(`${(error as Error).message}\n${run.lines.slice(-SHOWN_LINES).join('\n')}`, {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}

function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** `launch` starts one run and passes each of its lines on. */
export function createPart(
  name: string,
  launch: (onLine: (line: string) => void) => ManagedProcess | Promise<ManagedProcess>,
  isReady: (run: ManagedProcess) => Promise<unknown> = (run) => run.listening,
): Part {
  const lines: string[] = []
  let current: ManagedProcess | undefined
  const signal = (name: NodeJS.Signals) => sendSignal(current?.pid, name)
  const end = async (how: 'stop' | 'kill') => {
    // One that was stopped by SIGSTOP would not see SIGTERM.
    signal('SIGCONT')
    const ending = current?.[how]()
    current = undefined
    return ending
  }
  const start = async () => {
    if (current) return
    current = await launch((line) => void lines.push(line))
    await serving(current, isReady)
  }
  const stop = () => end('stop')
  return {
    name,
    lines,
    start,
    stop,
    kill: () => end('kill'),
    signal,
    ended: async () => current?.ended,
    async restart() {
      await stop()
      await start()
    },
  }
}
