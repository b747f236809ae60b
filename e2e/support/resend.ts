// What Chromium does when a kept connection ends in the moment in which it is used, before an answer has begun: the request goes
// out once more on another one, POSTs too. The protocol lets clients do that on their own for idempotent requests only; here a
// code that was taken by the first try is refused at the second, so that a test sees it. Counted, so that a test can bound it.

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
