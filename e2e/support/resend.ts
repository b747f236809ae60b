// What browsers, proxies and HTTP libraries do when a kept connection ends in the moment in which they use it: no answer has
// begun, and the request goes out once more on another one (RFC 9112, section 9.3.1). Counted, so that a test can bound it.

/** https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1 */
const CLOSED_UNANSWERED = new Set(['UND_ERR_SOCKET', 'ECONNRESET'])

export interface ResendingFetch {
  readonly fetch: typeof fetch
  /** How often it had to. */
  count(): number
}

function isClosedUnanswered(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as { code?: string }
  return code !== undefined && CLOSED_UNANSWERED.has(code)
}

export function createResendingFetch(): ResendingFetch {
  let count = 0
  return {
    count: () => count,
    fetch: async (target, init) => {
      try {
        return await fetch(target, init)
      } catch (error) {
        if (!isClosedUnanswered(error)) throw error
        count += 1
        return fetch(target, init)
      }
    },
  }
}
