// The time that the second half of a login may take at one upstream, over all its requests.
import { UpstreamError } from '../../errors.ts'
import { startDeadline } from './deadline.ts'

/** Metadata, tokens, keys and userinfo together may take this long; fetches shared with other logins go on without us. */
export async function withinDeadline<T>(
  upstream: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, clear } = startDeadline(timeoutMs)
  const { promise: late, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () =>
    reject(
      new UpstreamError('unavailable', upstream, `No complete sign-in within ${timeoutMs} ms`),
    ),
  )
  try {
    return await Promise.race([work(signal), late])
  } finally {
    clear()
  }
}
