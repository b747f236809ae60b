// What is known of one upstream without asking it: the outcome of the last sign-ins. Asks only where it was gone and somebody
// looks, and then seldom; nobody waits for that.

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
}

export interface AvailabilityOptions {
  /** Whether what failed last answers again. */
  isBack: () => Promise<boolean>
  /** Epoch milliseconds. */
  now: () => number
}

const CHECK_INTERVAL_MS = 5000

export function createAvailability({ isBack, now }: AvailabilityOptions): Availability {
  let status: UpstreamStatus = { state: 'unknown', since: now() }
  let checkedAt = -Infinity

  function become(state: UpstreamStatus['state']): void {
    if (state !== status.state) status = { state, since: now() }
  }

  async function check(): Promise<void> {
    checkedAt = performance.now()
    const asked = status
    // It answers; whether a sign-in works is not known by that.
    if ((await isBack()) && status === asked) become('unknown')
  }

  return {
    status: () => {
      const isDue = performance.now() - checkedAt >= CHECK_INTERVAL_MS
      if (status.state === 'down' && isDue) check().catch(() => {})
      return status
    },
    worked: () => become('up'),
    failed: () => {
      checkedAt = performance.now()
      become('down')
    },
  }
}
