// From what the upstream said to what we mint: the `claims` of one upstream in auth-adapter.yaml, applied. Which names may
// be minted at all is judged once, by config/check-config.ts.
import type { ClaimRule } from '../../config/claim-rule.ts'
import { changedValue, filledTemplate } from './change-values.ts'
import type { DetailedRule } from './change-values.ts'
import { findClaim, NEVER } from './find-claim.ts'
import type { ClaimSources, FoundClaim } from './find-claim.ts'

export interface MappedClaims {
  /** Null prototype, own copies only. */
  claims: Record<string, unknown>
  /** One sentence for each claim that could not be minted; names the claim, never its value. */
  faults: string[]
}

/** How one rule came to its value. */
export interface Resolution {
  source: FoundClaim['source'] | 'template' | 'constant' | 'default' | 'nothing'
  /** What the rule looked up, with the path it looked for; also where the value was then not good for anything. */
  reads: { path: string; found: FoundClaim | undefined }[]
  /** As minted; undefined where nothing results or the claim is too large. */
  value: unknown
  fault: string | undefined
}

/** Bytes of JSON: one claim, and all of them. They travel in every token, and a token has to stay below 8 kB (F10). */
export const MAX_CLAIM_LENGTH = 4096
export const MAX_CLAIMS_LENGTH = 4608
const MAX_DEPTH = 8

/**
 * Applies the rules in their order. A rule without `from`, `template` and `constant` reads the claim of its own name.
 * `observe` is told of each rule how it came to its value; `lengthBefore` are the bytes that other claims take already.
 */
export function mapClaims(
  rules: Readonly<Record<string, ClaimRule>>,
  sources: ClaimSources,
  observe?: (name: string, resolution: Resolution) => void,
  lengthBefore = 0,
): MappedClaims {
  const claims: Record<string, unknown> = Object.create(null)
  const faults: string[] = []
  let length = lengthBefore
  for (const [name, detailed] of detailedRules(rules)) {
    const resolved = resolve(name, detailed, sources)
    const { valueLength, fault } = judge(name, detailed, resolved.value, length)
    if (fault !== undefined) faults.push(fault)
    else if (resolved.value !== undefined) claims[name] = resolved.value
    length += valueLength
    observe?.(name, { ...resolved, value: claims[name], fault })
  }
  return { claims, faults }
}

const detailedByRules = new WeakMap<object, readonly (readonly [string, DetailedRule])[]>()

/** Rules live as long as the configuration. */
function detailedRules(
  rules: Readonly<Record<string, ClaimRule>>,
): readonly (readonly [string, DetailedRule])[] {
  const known = detailedByRules.get(rules)
  if (known) return known
  const detailed = Object.entries(rules)
    .filter(([name]) => !NEVER.has(name))
    .map(([name, rule]) => [name, typeof rule === 'string' ? { from: rule } : rule] as const)
  detailedByRules.set(rules, detailed)
  return detailed
}

function judge(
  name: string,
  { required }: DetailedRule,
  value: unknown,
  lengthBefore: number,
): { valueLength: number; fault?: string } {
  if (value === undefined)
    return required
      ? { valueLength: 0, fault: `Claim "${name}" is required, and the upstream did not send it` }
      : { valueLength: 0 }
  const valueLength = bytesOf(value)
  return valueLength > MAX_CLAIM_LENGTH || lengthBefore + valueLength > MAX_CLAIMS_LENGTH
    ? { valueLength: 0, fault: `Claim "${name}" is too large` }
    : { valueLength }
}

/** Neither escaped in JSON nor longer than one byte each. */
const PLAIN = /^[ !#-[\]-~]*$/

/** As JSON. */
export function bytesOf(value: unknown): number {
  if (typeof value === 'string' && PLAIN.test(value)) return value.length + 2
  return Buffer.byteLength(JSON.stringify(value))
}

type Resolved = Omit<Resolution, 'fault'>

function resolve(name: string, rule: DetailedRule, sources: ClaimSources): Resolved {
  if (rule.constant !== undefined)
    return { source: 'constant', reads: [], value: copy(rule.constant) }
  const { source, reads, value: found } = looked(name, rule, sources)
  const value = found === undefined ? undefined : changedValue(found, rule)
  if (!isNothing(value)) return { source, reads, value: copy(value) }
  const byDefault = copy(rule.default)
  return { source: byDefault === undefined ? 'nothing' : 'default', reads, value: byDefault }
}

function looked(name: string, rule: DetailedRule, sources: ClaimSources): Resolved {
  if (rule.template === undefined) {
    const path = rule.from ?? name
    const found = findClaim(sources, path)
    return { source: found?.source ?? 'nothing', reads: [{ path, found }], value: found?.value }
  }
  const reads: Resolution['reads'] = []
  const value = filledTemplate(rule.template, (path) => {
    const found = findClaim(sources, path)
    reads.push({ path, found })
    return found?.value
  })
  return { source: 'template', reads, value }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0)
}

/** JSON values only, without the names that reach a prototype, and no deeper than MAX_DEPTH. */
function copy(value: unknown, depth = 0): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return undefined
  if (Array.isArray(value))
    return value.map((entry) => copy(entry, depth + 1)).filter((entry) => entry !== undefined)
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, entry] of Object.entries(value)) {
    const copied = NEVER.has(key) ? undefined : copy(entry, depth + 1)
    if (copied !== undefined) result[key] = copied
  }
  return result
}
