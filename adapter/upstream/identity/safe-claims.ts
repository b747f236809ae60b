// Copies what an upstream said into objects that can do no harm: null prototypes, no keys that reach a prototype,
// bounded depth and size. Judges no claim.

export type Claims = Readonly<Record<string, unknown>>

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])
const MAX_DEPTH = 16
const MAX_VALUES = 20_000

/** A deep copy with null prototypes; undefined when the value is no object, too deep or too large. */
export function copyClaims(value: unknown): Claims | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const budget = { values: MAX_VALUES }
  const copy = copyValue(value, MAX_DEPTH, budget)
  return budget.values < 0 ? undefined : (copy as Claims)
}

function copyValue(value: unknown, depth: number, budget: { values: number }): unknown {
  budget.values -= 1
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) budget.values = -1
  if (budget.values < 0) return undefined
  if (Array.isArray(value)) return value.map((item) => copyValue(item, depth - 1, budget))
  const copy: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) {
    if (!FORBIDDEN.has(key)) copy[key] = copyValue(item, depth - 1, budget)
  }
  return copy
}
