// What a hook made of the mapped claims, judged as everything that is minted: only claims that have a rule, with their
// sizes and depth, and those that are required. Where they go is what their rules say.
import type { ClaimRule } from '../../config/claim-rule.ts'
import type { ClaimProvenance, Explanation } from '../explain/explain-claims.ts'
import { mapClaims } from './map-claims.ts'
import type { MappedClaims } from './map-claims.ts'

type Rules = Readonly<Record<string, ClaimRule>>

export function hookedClaims(rules: Rules, given: Readonly<Record<string, unknown>>): MappedClaims {
  const values = Object.entries(rules).map(([name, rule]): [string, ClaimRule] => {
    const value = Object.hasOwn(given, name) ? (given[name] ?? undefined) : undefined
    const isRequired = typeof rule === 'object' && rule.required === true
    return [name, { constant: value, required: isRequired }]
  })
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name))
  const { claims, faults } = mapClaims(Object.fromEntries(values), { idToken: {} })
  return { claims, faults: [...faults, ...unknown.map(undeclared)] }
}

function undeclared(name: string): string {
  return `Claim ${JSON.stringify(name.slice(0, 128))} comes from a hook, and has no entry under claims`
}

/**
 * The explanation of the rules alone, and what the hook changed of it. `rules` are the upstream's; what comes by `ownRules`,
 * those of a client, no hook changes.
 */
export function explainHooked(
  explanation: Explanation,
  rules: Rules,
  ownRules: Rules,
  given: Readonly<Record<string, unknown>>,
): Explanation {
  const hooked = hookedClaims(rules, given)
  const isHooked = (claim: string) => Object.hasOwn(rules, claim) && !Object.hasOwn(ownRules, claim)
  const provenance = explanation.provenance.map((entry) =>
    isHooked(entry.claim) ? changedEntry(entry, hooked.claims[entry.claim]) : entry,
  )
  const minted = provenance.flatMap(({ claim, value }) =>
    value === undefined ? [] : [[claim, value] as const],
  )
  const faults = provenance.flatMap(({ claim, fault }) =>
    fault === undefined || isHooked(claim) ? [] : [fault],
  )
  return {
    ...explanation,
    provenance,
    claims: Object.fromEntries(minted),
    faults: [...hooked.faults, ...faults],
  }
}

function changedEntry(entry: ClaimProvenance, value: unknown): ClaimProvenance {
  const isSame = JSON.stringify(value) === JSON.stringify(entry.value)
  return isSame ? entry : { ...entry, source: 'hook', raw: entry.value, value, fault: undefined }
}
