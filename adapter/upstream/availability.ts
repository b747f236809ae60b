// What is known of one upstream: the outcome of the last sign-ins. One that was gone is asked in the background, more and
// more seldom, whether it is back; whoever looks waits for nothing and causes no request.

export interface UpstreamStatus {
  state: 'unknown' | 'up' | 'down'
  /** Epoch milliseconds; of the start, where nothing is known. */
  since: number
}

export interface Availability {
  status(): UpstreamStatus
  /** It was of use. */
  worked(): void
  /** It could not be reached, or gave no verdict. */
  failed(): void
  /** Stops asking. */
  close(): void
}

export interface AvailabilityOptions {
  /** Whether what failed last answers again. */
  isBack: () => Promise<boolean>
  /** Epoch milliseconds. */
  now: () => number
}

const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 30_000

export function createAvailability({ isBack, now }: AvailabilityOptions): Availability {
  let status: UpstreamStatus = { state: 'unknown', since: now() }
  let timer: NodeJS.Timeout | undefined

  function become(state: UpstreamStatus['state']): void {
    if (state !== status.state) status = { state, since: now() }
  }

  function askIn(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(delayMs), delayMs).unref()
  }

  async function ask(delayMs: number): Promise<void> {
    const asked = status
    const isThere = await isBack().catch(() => false)
    if (status !== asked) return
    // It answers; whether a sign-in works is not known by that.
    if (isThere) become('unknown')
    else askIn(Math.min(MAX_DELAY_MS, delayMs * 2))
  }

  function close(): void {
    clearTimeout(timer)
    // An answer under way comes too late to matter.
    status = { ...status }
  }

  return {
    status: () => status,
    worked: () => {
      clearTimeout(timer)
      become('up')
    },
    failed: () => {
      if (status.state === 'down') return
      become('down')
      askIn(FIRST_DELAY_MS)
    },
    close,
  }
}
