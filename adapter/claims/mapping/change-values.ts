// What a rule does to the value it found: filter, prefixes, table, template. No patterns of the operator's own are run (A33).
import type { ClaimRule } from '../../config/claim-rule.ts'

export type DetailedRule = Exclude<ClaimRule, string>
type Step = (text: string) => string | undefined

/**
 * `filter`, `strip_prefix`, `values`, `add_prefix`, in this order, on each entry of a list or on a single value. As soon as
 * one of them is there only texts, numbers and booleans pass, and lists lose what is there twice.
 */
export function changedValue(value: unknown, rule: DetailedRule): unknown {
  const { filter, strip_prefix: stripped, values, add_prefix: added } = rule
  if ((filter ?? stripped ?? values ?? added) === undefined) return value
  const steps = stepsOf(rule)
  if (!Array.isArray(value)) return changed(value, steps)
  return [
    ...new Set(value.map((entry) => changed(entry, steps)).filter((entry) => entry !== undefined)),
  ]
}

const stepsByRule = new WeakMap<DetailedRule, readonly Step[]>()

/** Rules live as long as the configuration. */
function stepsOf(rule: DetailedRule): readonly Step[] {
  const known = stepsByRule.get(rule)
  if (known) return known
  const steps = newSteps(rule)
  stepsByRule.set(rule, steps)
  return steps
}

function newSteps(rule: DetailedRule): Step[] {
  const { filter, strip_prefix: stripped, values, add_prefix: added } = rule
  const steps: Step[] = []
  if (filter) steps.push(passing(filter))
  if (stripped !== undefined) steps.push(stripping(stripped))
  if (values)
    steps.push((text) => (Object.hasOwn(values, text) ? (values[text] as string) : undefined))
  if (added !== undefined) steps.push((text) => added + text)
  return steps
}

function changed(value: unknown, steps: readonly Step[]): string | undefined {
  let text = textOf(value)
  for (const step of steps) {
    if (text === undefined) return undefined
    text = step(text)
  }
  return text
}

function textOf(value: unknown): string | undefined {
  const isScalar =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? String(value) : undefined
}

/** Exact values, or beginnings where a `*` stands at the end. */
function passing(filter: readonly string[]): Step {
  const exact = new Set(filter.filter((entry) => !entry.endsWith('*')))
  const beginnings = filter
    .filter((entry) => entry.endsWith('*'))
    .map((entry) => entry.slice(0, -1))
  return (text) =>
    exact.has(text) || beginnings.some((beginning) => text.startsWith(beginning)) ? text : undefined
}

/** What lacks the prefix is dropped: `admin` of somewhere else must not pass for `app-admin`. */
function stripping(prefix: string): Step {
  return (text) =>
    text.length > prefix.length && text.startsWith(prefix) ? text.slice(prefix.length) : undefined
}

/** `{path}` replaced. Undefined as soon as one path leads to nothing, or to a list or map. */
export function filledTemplate(
  template: string,
  find: (path: string) => unknown,
): string | undefined {
  // Braces match: the schema sees to it. So the paths are at the odd places.
  const parts = template.split(/[{}]/)
  let filled: string | undefined = ''
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as string
    // Each path is looked up, also after one that leads nowhere: an explanation tells of all.
    const text = index % 2 === 0 ? part : textOf(find(part))
    filled = filled === undefined || text === undefined ? undefined : filled + text
  }
  return filled
}
