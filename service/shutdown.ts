// How a process ends: by signal after what runs is finished, or at once when it can not go on.
import type { Log } from './log.ts'

export interface ShutdownOptions {
  readonly log: Log
  /** After this the process ends with exit code 1, finished or not. */
  readonly graceMs?: number
}

const GRACE_MS = 25_000

/**
 * On SIGTERM or SIGINT runs `stop` once and exits: 0 when it is done, 1 when it fails or takes longer than `graceMs`,
 * 1 at once on a second signal. An error nobody caught is logged as `process.failed` and ends the process with 1.
 */
export function onShutdown(
  { log, graceMs = GRACE_MS }: ShutdownOptions,
  stop: () => Promise<void>,
): void {
  let stopping = false
  const end = async (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info('process.stopping', { signal })
    setTimeout(() => {
      log.error('process.stopped', { reason: 'grace period over', grace_ms: graceMs })
      process.exit(1)
    }, graceMs)
    try {
      await stop()
      log.info('process.stopped')
      process.exit(0)
    } catch (error) {
      log.error('process.stopped', { error })
      process.exit(1)
    }
  }
  const fail = (error: unknown) => {
    log.error('process.failed', { error })
    process.exit(1)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(signal))
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
}
