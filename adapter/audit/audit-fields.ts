// What a row of the table of security events is made of. The rows are audit-events.ts.

/** What may stand in a field, and the type that says it. */
export interface FieldTypes {
  /** A name of the configuration: client, upstream, key (shortened), setting. */
  name: string
  /** One of our own words: `identity_invalid`, `operator`. */
  word: string
  words: readonly string[]
  names: readonly string[]
  count: number
  flag: boolean
  /** A sentence of ours, redacted, 300 characters. */
  text: string
  /** The `sub` that we mint, or `sid`s: in the event a keyed hash of each. */
  person: string
  sessions: readonly string[]
}

export type FieldKind = keyof FieldTypes

export interface LogSource {
  event: string
  /** Fields of the line that have to be so. */
  where?: Readonly<Record<string, string | RegExp>>
}

export interface AuditRow {
  version: number
  means: string
  fields: Readonly<Record<string, FieldKind>>
  /** Lines of the log that say it; none: whoever knows records it. */
  from: readonly LogSource[]
  /**
   * Whether the trail in the store has it too; other sinks have all. `some`: what anybody on the network can cause is kept up to
   * a number a second, so that nobody fills the store with it.
   */
  isKept: boolean | 'some'
}
