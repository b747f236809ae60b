// Tokens that were found good, while the keys are the same: their signature need not be computed again in each request, which is
// most of what a request costs. What time changes is not kept here, and neither is what was refused.
import { createHash } from 'node:crypto'
import type { Claims } from '../../session/session-data.ts'

const MOST_TOKENS = 1000

export interface VerifiedTokens {
  /** What was kept of it with these keys. */
  find(keys: object, name: string): Claims | undefined
  keep(keys: object, name: string, claims: Claims): void
}

/** One token for one use. */
export function verifiedName(
  token: string,
  { audience, isOfAnyType = false }: { audience: string; isOfAnyType?: boolean },
): string {
  const hash = createHash('sha256').update(token).digest('base64url')
  return `${hash} ${isOfAnyType} ${audience}`
}

export function createVerifiedTokens(mostTokens: number = MOST_TOKENS): VerifiedTokens {
  const known = new Map<string, Claims>()
  let knownBy: object | undefined
  return {
    find: (keys, name) => (keys === knownBy ? known.get(name) : undefined),
    keep(keys, name, claims) {
      if (keys !== knownBy) known.clear()
      knownBy = keys
      const [oldest] = known.keys()
      if (known.size >= mostTokens && oldest !== undefined) known.delete(oldest)
      known.set(name, Object.freeze(claims))
    },
  }
}
