// What the rooms may ask of a log. The pino behind it is in log.ts.

export type LogFields = Readonly<Record<string, unknown>>

/** Each call writes one JSON line: `event` names what happened (`login.started`), `fields` say the rest, redacted. */
export interface Log {
  trace(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}
