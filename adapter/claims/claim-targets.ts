// Which claims go where: `in` of the rules. What scopes release is in scopes.ts; both must agree.
import type { ClaimRule, ClaimTarget } from '../config/claim-rule.ts'

/** Claim → where it goes. A claim that is not listed goes everywhere. */
export type ClaimTargets = Readonly<Record<string, readonly ClaimTarget[]>>

/** Undefined when every claim goes everywhere. */
export function claimTargets(
  rules: Readonly<Record<string, ClaimRule>>,
): Record<string, readonly ClaimTarget[]> | undefined {
  const limited = Object.entries(rules).flatMap(([name, rule]) =>
    typeof rule === 'object' && rule.in ? [[name, rule.in] as const] : [],
  )
  return limited.length === 0 ? undefined : Object.fromEntries(limited)
}

/** The part of `claims` that goes to `target`. Null prototype. */
export function claimsFor(
  target: ClaimTarget,
  claims: Readonly<Record<string, unknown>>,
  targets: ClaimTargets = {},
): Record<string, unknown> {
  const released: Record<string, unknown> = Object.create(null)
  for (const [name, value] of Object.entries(claims)) {
    const isFor = !Object.hasOwn(targets, name) || targets[name]?.includes(target)
    if (isFor) released[name] = value
  }
  return released
}
