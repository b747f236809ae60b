// The log of a process: one JSON line an event on stdout, pretty on a terminal, redacted always. Knows no OAuth.
import { createRequire } from 'node:module'
import { isatty } from 'node:tty'
import { pino } from 'pino'
import type * as pinoPretty from 'pino-pretty'
import { redactFields } from './redact.ts'
import { currentContext } from './request-context.ts'

export type LogFields = Readonly<Record<string, unknown>>

/** Each call writes one JSON line: `event` names what happened (`login.started`), `fields` say the rest, redacted. */
export interface Log {
  trace(event: string, fields?: LogFields): void
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export interface AdjustableLog extends Log {
  setLevel(level: LogLevel): void
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogDestination {
  /** Gets one whole line, ending in a newline. */
  write(line: string): unknown
}

export interface LogOptions {
  readonly level?: LogLevel
  /** Lines for people instead of JSON; by default when stdout is a terminal. */
  readonly pretty?: boolean
  /** Where lines go; stdout by default, written synchronously, so that none is lost when the process ends. */
  readonly destination?: LogDestination
  /** Gets each line too, as JSON whatever the destination shows. */
  readonly copyTo?: LogDestination | undefined
  /** Fields of every line. */
  readonly base?: LogFields
}

// Valid inside JSON strings, but line breaks or terminal commands to some readers.
const UNSAFE_IN_LINES = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g
/** For a line of JSON. */
export const escapeUnsafe = (line: string) =>
  line.replaceAll(
    UNSAFE_IN_LINES,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

// pino writes level and time itself; a field of that name would be a second key in the line.
const OWN_KEYS = ['level', 'time', 'event'] as const

function renameOwnKeys(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name of OWN_KEYS) {
    if (!(name in fields)) continue
    fields[`field_${name}`] = fields[name]
    delete fields[name]
  }
  return fields
}

function stdout(pretty: boolean): LogDestination {
  const out = pino.destination({ fd: 1, sync: true })
  if (!pretty) return out
  // Only for people: a process that writes JSON does not carry it.
  const { isColorSupported, prettyFactory } = createRequire(import.meta.url)(
    'pino-pretty',
  ) as typeof pinoPretty
  const prettify = prettyFactory({
    colorize: isColorSupported,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: [],
  })
  return { write: (line) => out.write(escapeUnsafe(prettify(line))) }
}

/** The log of a process. Levels below `level` (default `info`) cost nothing. */
export function createLog(options: LogOptions = {}): AdjustableLog {
  const { level = 'info', base = {} } = options
  const destination = options.destination ?? stdout(options.pretty ?? isatty(1))
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line) {
        const safe = escapeUnsafe(line)
        destination.write(safe)
        options.copyTo?.write(safe)
      },
    },
  )
  const write = (at: LogLevel) => (event: string, fields?: LogFields) => {
    if (!logger.isLevelEnabled(at)) return
    const stacks = logger.isLevelEnabled('debug')
    const said = renameOwnKeys({ ...base, ...currentContext()?.fields, ...fields })
    logger[at]({ event, ...redactFields(said, { stacks }) })
  }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    setLevel: (next) => void (logger.level = next),
  }
}
