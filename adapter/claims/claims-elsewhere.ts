// Claims that an upstream does not tell but says where to fetch: as Entra does for people in many groups. We do not fetch
// them, so whoever wonders why a rule was not met has to know. Pure.
import type { ClaimSources } from './mapping/find-claim.ts'

const MOST_NAMES = 10
const MAX_NAME_LENGTH = 100

/** Their names. https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims */
export function claimsElsewhere({ idToken, userinfo }: ClaimSources): string[] {
  const all = [idToken, userinfo ?? {}].flatMap((claims) => namesIn(claims['_claim_names']))
  const isTold = (name: string) =>
    Object.hasOwn(idToken, name) || Object.hasOwn(userinfo ?? {}, name)
  return [...new Set(all)].filter((name) => !isTold(name)).slice(0, MOST_NAMES)
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.keys(value).filter((name) => name.length <= MAX_NAME_LENGTH)
}
