// The time that work may take, as a signal.

export interface Deadline {
  signal: AbortSignal
  clear(): void
}

/** Like AbortSignal.timeout, but leaves no timer behind when the work is done in time. */
export function startDeadline(milliseconds: number): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), milliseconds)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}
