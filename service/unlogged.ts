// Fields for those who listen to the log (an audit trail), which no line of the log itself can show: they stand under a symbol,
// and lines are made of names.

const UNLOGGED = Symbol('unlogged')

/** To be spread into the fields of a log line. */
export function unlogged(fields: Readonly<Record<string, unknown>>): object {
  return { [UNLOGGED]: fields }
}

/** What `unlogged` put there. */
export function unloggedOf(fields: object | undefined): Readonly<Record<string, unknown>> {
  return (fields as { [UNLOGGED]?: Record<string, unknown> } | undefined)?.[UNLOGGED] ?? {}
}
