// From what the upstream said to what we mint: the `claims` of one upstream in auth-adapter.yaml, applied. Which names may
// be minted at all is judged once, by config/check-config.ts.
import type { ClaimRule } from '../config/schema.ts'

/** What the upstream said. Where both know a claim the ID token wins: it is signed. */
export interface ClaimSources {
  idToken: Readonly<Record<string, unknown>>
  userinfo?: Readonly<Record<string, unknown>> | undefined
}

export interface MappedClaims {
  /** Null prototype, own copies only. */
  claims: Record<string, unknown>
  /** One sentence for each claim that could not be minted; names the claim, never its value. */
  faults: string[]
}

/** Bytes of JSON: one claim, and all of them. They travel in every token, and a token has to stay below 8 kB (F10). */
export const MAX_CLAIM_LENGTH = 4096
export const MAX_CLAIMS_LENGTH = 4608
const MAX_DEPTH = 8

const NEVER = new Set(['__proto__', 'constructor', 'prototype'])

type DetailedRule = Exclude<ClaimRule, string>

/** Applies the rules in their order. A rule without `from` and `constant` reads the claim of its own name. */
export function mapClaims(
  rules: Readonly<Record<string, ClaimRule>>,
  sources: ClaimSources,
): MappedClaims {
  const claims: Record<string, unknown> = Object.create(null)
  const faults: string[] = []
  let length = 0
  for (const [name, rule] of Object.entries(rules)) {
    if (NEVER.has(name)) continue
    const detailed = typeof rule === 'string' ? { from: rule } : rule
    const value = copy(mappedValue(name, detailed, sources))
    if (value === undefined) {
      if (detailed.required)
        faults.push(`Claim "${name}" is required, and the upstream did not send it`)
      continue
    }
    const valueLength = bytesOf(value)
    if (valueLength > MAX_CLAIM_LENGTH || length + valueLength > MAX_CLAIMS_LENGTH) {
      faults.push(`Claim "${name}" is too large`)
      continue
    }
    length += valueLength
    claims[name] = value
  }
  return { claims, faults }
}

const encoder = new TextEncoder()

function bytesOf(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length
}

function mappedValue(name: string, rule: DetailedRule, sources: ClaimSources): unknown {
  if (rule.constant !== undefined) return rule.constant
  const path = (rule.from ?? name).split('.')
  const found = valueAt(sources.idToken, path) ?? valueAt(sources.userinfo, path)
  const value = rule.values ? translate(found, rule.values) : found
  return isNothing(value) ? rule.default : value
}

/** A key that itself holds dots is found before a nested one of the same spelling. Own properties only. */
function valueAt(source: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return source
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return undefined
  for (let length = path.length; length > 0; length -= 1) {
    const key = path.slice(0, length).join('.')
    if (NEVER.has(key) || !Object.hasOwn(source, key)) continue
    const value = valueAt((source as Record<string, unknown>)[key], path.slice(length))
    if (value !== undefined) return value
  }
  return undefined
}

function translate(value: unknown, values: Readonly<Record<string, string>>): unknown {
  if (!Array.isArray(value)) return translated(value, values)
  return [
    ...new Set(
      value.map((entry) => translated(entry, values)).filter((entry) => entry !== undefined),
    ),
  ]
}

function translated(value: unknown, values: Readonly<Record<string, string>>): string | undefined {
  const isScalar =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar && Object.hasOwn(values, String(value)) ? values[String(value)] : undefined
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
