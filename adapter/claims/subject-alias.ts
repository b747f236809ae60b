// What makes one person of two upstreams the same one: an immutable claim that both say. Which claims can not be that one
// is judged once, by config/checks/upstreams/alias-faults.ts; what is kept of it is in storage/subject-aliases.ts.
import type { ClaimSources } from './mapping/find-claim.ts'
import { findClaim } from './mapping/find-claim.ts'

const MAX_LENGTH = 512

/**
 * The claim's value, with its type: 42 is not "42". A `sub` counts together with its issuer, since every issuer may give the
 * same ones.
 */
export function aliasValue(
  path: string,
  issuer: string,
  sources: ClaimSources,
): { value: string } | { fault: string } {
  const said = findClaim(sources, path)?.value
  const isText = typeof said === 'string' && said.trim() !== '' && said.length <= MAX_LENGTH
  if (!isText && !Number.isSafeInteger(said))
    return { fault: `Claim "${path}" of subject_alias is not there, or no text or whole number` }
  const text = String(said)
  return {
    value: path === 'sub' ? `${issuer.length}:${issuer}${text}` : `${typeof said}:${text}`,
  }
}
