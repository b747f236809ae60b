// Rules that deny a sign-in before it is complete: the `require` of an upstream. They judge what the upstream said, not what
// is mapped from it.
import type { Requirements } from '../config/claim-rule.ts'
import { findClaim } from './mapping/find-claim.ts'
import type { ClaimSources } from './mapping/find-claim.ts'

/** The settings that are not met, such as `require.groups` or `require.claims.department`; never a value. */
export function unmetRequirements(
  required: Requirements | undefined,
  sources: ClaimSources,
): string[] {
  if (!required) return []
  const { groups, groups_from: groupsFrom, email_domains: domains, claims = {} } = required
  const said = (path: string) => findClaim(sources, path)?.value
  return [
    ...(groups && !holdsOneOf(said(groupsFrom), groups) ? ['require.groups'] : []),
    ...(domains && !hasVerifiedEmailAt(sources, domains) ? ['require.email_domains'] : []),
    ...Object.entries(claims)
      .filter(([path, wanted]) => !holdsOneOf(said(path), [wanted].flat()))
      .map(([path]) => `require.claims.${path}`),
  ]
}

/** Same type, same value: `"true"` is not `true` (A14). */
function holdsOneOf(value: unknown, wanted: readonly unknown[]): boolean {
  return (Array.isArray(value) ? value : [value]).some((entry) => wanted.includes(entry))
}

/** Whoever vouches for the address must be who says that it is verified; the ID token is asked first. */
function hasVerifiedEmailAt(sources: ClaimSources, domains: readonly string[]): boolean {
  const email = findClaim(sources, 'email')?.value
  if (typeof email !== 'string' || !isAt(email, domains)) return false
  const verdicts = [sources.idToken, sources.userinfo ?? {}]
    .filter((claims) => Object.hasOwn(claims, 'email') && claims['email'] === email)
    .filter((claims) => Object.hasOwn(claims, 'email_verified'))
  // https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims: a JSON boolean
  return verdicts[0]?.['email_verified'] === true
}

/** One @ only: an address with a second one is read differently by different programs (A15). */
function isAt(email: string, domains: readonly string[]): boolean {
  const [local, domain, ...rest] = email.split('@')
  if (!local || domain === undefined || rest.length > 0) return false
  return domains.some((allowed) => asciiLowerCase(allowed) === asciiLowerCase(domain))
}

/** toLowerCase would also turn the Kelvin sign into a k. */
function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
