// What the doctor says: one finding a check, in words that are safe to print. Knows no protocol.

export type Verdict = 'pass' | 'warn' | 'fail' | 'skipped'

export interface Outcome {
  verdict: Verdict
  /** One sentence; for a fault with what was expected and what was found. Why, for `skipped`. */
  sentence: string
  /** What to do about it. */
  fix?: string
  /** YAML for auth-adapter.yaml. */
  snippet?: string
}

export interface Finding extends Outcome {
  /** Kebab-case; stays the same from one release to the next. */
  check: string
  /** Whether it sent more than a GET for a public document. */
  isProbe: boolean
}

export interface Check<E> {
  id: string
  isProbe?: boolean
  /** The reason not to run it. */
  skip?(exam: E): Outcome | undefined
  run(exam: E): Outcome | Promise<Outcome>
}

export interface Remedy {
  fix: string
  snippet?: string
}

export const pass = (sentence: string): Outcome => ({ verdict: 'pass', sentence })
export const skipped = (sentence: string): Outcome => ({ verdict: 'skipped', sentence })
export const warn = (sentence: string, remedy: Remedy): Outcome => ({
  verdict: 'warn',
  sentence,
  ...remedy,
})
export const fail = (sentence: string, remedy: Remedy): Outcome => ({
  verdict: 'fail',
  sentence,
  ...remedy,
})

/** One setting of an upstream, as it stands in auth-adapter.yaml. */
export function settingOf(upstream: string, setting: string): string {
  return `upstreams:\n  ${upstream}:\n    ${setting}`
}

const MAX_SHOWN = 200
/** Terminal commands, and what turns the direction of text. JSON escapes only the first 32. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** What the upstream sent, for a sentence: quoted, cut, and without anything a terminal would obey. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  const cut = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
  return cut.replaceAll(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The strings of an array from the upstream, quoted; for a list that may be anything. */
export function listed(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.map(plain).join(', ')
}

/** A short name from the upstream (scope, algorithm), unquoted where that is safe. */
function plain(value: string): string {
  return /^[\w:./-]{1,80}$/.test(value) ? value : shown(value)
}

/** `undefined` when the metadata does not have it as an array. */
export function stringsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}
