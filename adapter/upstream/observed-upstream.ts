// An upstream whose outcomes are noted down, so that the chooser can say that it is gone.
import { UpstreamError } from '../errors.ts'
import type { Availability } from './availability.ts'
import type { Upstream } from './upstream.ts'

export function observedUpstream(upstream: Upstream, availability: Availability): Upstream {
  /** The step that failed last: what comes before it proves nothing. */
  let failedAt: 'start' | 'redeem' | undefined

  async function observed<T>(step: 'start' | 'redeem', work: Promise<T>): Promise<T> {
    try {
      const value = await work
      if (step === 'redeem' || failedAt === 'start') {
        failedAt = undefined
        availability.worked()
      }
      return value
    } catch (error) {
      if (error instanceof UpstreamError && error.code === 'unavailable') {
        failedAt = step
        availability.failed()
      }
      throw error
    }
  }

  return {
    ...upstream,
    authorizationUrl: (request) => observed('start', upstream.authorizationUrl(request)),
    redeem: (parameters, expected) => observed('redeem', upstream.redeem(parameters, expected)),
    refresh: (refreshToken, expected, keep) =>
      observed('redeem', upstream.refresh(refreshToken, expected, keep)),
    close: () => {
      availability.close()
      return upstream.close()
    },
  }
}
