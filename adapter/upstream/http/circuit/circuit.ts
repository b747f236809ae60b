// Keeps calls away from one endpoint that fails each time, and asks it in the background whether it is back, so that the
// first call after its return is let through. Knows neither HTTP nor OAuth.
import { BrokenCircuitError, circuitBreaker, handleAll } from 'cockatiel'
import type { IBackoff, IBreaker } from 'cockatiel'

export interface CircuitOptions {
  /** So many failures in a row, the first not long before the last, open it. */
  failures: number
  /** Open at most so long; then one call is let through as a trial. */
  pauseMs: number
  /** Whether the endpoint answers again. */
  check: (signal: AbortSignal) => Promise<boolean>
  /** `isOpen` after the change. */
  onChange: (isOpen: boolean) => void
  /** What a call gets that is not let through. */
  refusal: () => Error
}

export interface Circuit {
  /** @throws `refusal` at once while open; otherwise what `work` throws */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Stops asking. */
  close(): void
}

const WINDOW_MS = 10_000
const CHECK_INTERVAL_MS = 1000

export function createCircuit({
  failures,
  pauseMs,
  check,
  onChange,
  refusal,
}: CircuitOptions): Circuit {
  const closing = new AbortController()
  let isOpen = false
  let isResting = false
  // Ended by our own clock below: cockatiel's is the one on the wall, which may be put back.
  const rest: IBackoff<unknown> = {
    get duration() {
      return isResting ? Infinity : -Infinity
    },
    next: () => rest,
  }
  const policy = circuitBreaker(handleAll, { halfOpenAfter: rest, breaker: countsInARow(failures) })
  policy.onBreak(() => {
    isResting = true
    if (!isOpen) onChange((isOpen = true))
    void untilBack(check, pauseMs, closing.signal).then(() => (isResting = false))
  })
  policy.onReset(() => onChange((isOpen = false)))

  async function run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await policy.execute(work)
    } catch (error) {
      throw error instanceof BrokenCircuitError ? refusal() : error
    }
  }

  return { run, close: () => closing.abort() }
}

function countsInARow(failures: number): IBreaker {
  let times: number[] = []
  return {
    state: undefined,
    success: () => void (times = []),
    failure: () => {
      const now = performance.now()
      times = [...times.filter((time) => now - time < WINDOW_MS), now]
      return times.length >= failures
    },
  }
}

/** Settles when the endpoint answers, or when the pause is over. */
async function untilBack(
  check: CircuitOptions['check'],
  pauseMs: number,
  closing: AbortSignal,
): Promise<void> {
  const over = performance.now() + pauseMs
  while (!closing.aborted) {
    const leftMs = over - performance.now()
    if (leftMs <= 0) return
    await sleep(Math.min(CHECK_INTERVAL_MS, leftMs), closing)
    if (closing.aborted || (await check(closing))) return
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds).unref()
    signal.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
