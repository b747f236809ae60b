// What no log line may hold, taken out of values of any shape: fields, errors with their causes, maps, lists. Pure.
import { isSecretName, REDACTED, redactText } from './redact-text.ts'

const MAX_DEPTH = 6
const MAX_ENTRIES = 100
const MAX_CAUSES = 5

export interface RedactOptions {
  /** Show the stack of every error, not only of those without a `code`. */
  readonly stacks?: boolean
}

// What some errors say beside name, code and message, and is of use to an operator.
const ERROR_FIELDS = {
  upstream: 'upstream',
  oauthError: 'oauth_error',
  error: 'oauth_error',
  error_description: 'error_description',
  error_detail: 'error_detail',
  status: 'status',
  statusCode: 'status',
  syscall: 'syscall',
  address: 'address',
  port: 'port',
} as const

const ERROR_CODE = /^[A-Za-z][A-Za-z0-9_.-]{0,40}$/

function property(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

// String() throws for some objects.
const textOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? '[object]' : String(value)

function redactError(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = { name: redactText(textOf(property(error, 'name'))) }
  const code = property(error, 'code')
  if (typeof code === 'number' || (typeof code === 'string' && ERROR_CODE.test(code)))
    shown['code'] = code
  shown['message'] = redactText(textOf(property(error, 'message')))
  for (const [from, to] of Object.entries(ERROR_FIELDS)) {
    const value = property(error, from)
    if (typeof value === 'string') shown[to] = redactText(value)
    if (typeof value === 'number') shown[to] = value
  }
  const stack = property(error, 'stack')
  if (typeof stack === 'string' && (options.stacks || shown['code'] === undefined))
    shown['stack'] = redactText(stack)
  if (depth >= MAX_CAUSES) return shown
  const causes = property(error, 'errors')
  if (Array.isArray(causes))
    shown['errors'] = causes.slice(0, 3).map((cause) => redactCause(cause, options, depth + 1))
  const cause = property(error, 'cause')
  if (cause !== undefined && cause !== null) shown['cause'] = redactCause(cause, options, depth + 1)
  return shown
}

function redactCause(cause: unknown, options: RedactOptions, depth: number): unknown {
  return cause instanceof Error
    ? redactError(cause, options, depth)
    : redactValue(cause, options, depth)
}

// `code` is an error's name for itself as often as it is a secret. Words such as `already_consumed` are no secret: one of
// random characters has an upper-case letter or a digit, or is longer than a word.
const ERROR_WORDS = /^[a-z]{3,16}(?:_[a-z]{1,16}){0,4}$|^[A-Z]{3,16}(?:_[A-Z]{2,16}){0,4}$/
const isErrorWord = (name: string, value: unknown) =>
  name === 'code' && typeof value === 'string' && ERROR_WORDS.test(value)

function redactEntries(
  entries: Iterable<readonly [unknown, unknown]>,
  options: RedactOptions,
  depth: number,
) {
  const shown: [string, unknown][] = []
  for (const [name, value] of entries) {
    if (shown.length >= MAX_ENTRIES) break
    if (value === undefined || typeof value === 'function') continue
    const key = textOf(name)
    const hidden = isSecretName(key) && !isErrorWord(key, value)
    shown.push([redactText(key), hidden ? REDACTED : redactValue(value, options, depth + 1)])
  }
  return Object.fromEntries(shown)
}

function redactObject(value: object, options: RedactOptions, depth: number): unknown {
  if (value instanceof Error) return redactError(value, options, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof URL) return redactText(value.href)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[…]'
  if (Array.isArray(value))
    return value.slice(0, MAX_ENTRIES).map((item) => redactValue(item, options, depth + 1))
  if (value instanceof Set) return redactObject([...value], options, depth)
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams)
    return redactEntries(value, options, depth)
  return redactEntries(
    Object.keys(value).map((name) => [name, property(value, name)] as const),
    options,
    depth,
  )
}

/** A copy that may be written to a log: bounded in depth and size, without secrets, JSON only. */
export function redactValue(value: unknown, options: RedactOptions = {}, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return redactText(String(value))
  if (typeof value === 'object' && value !== null) return redactObject(value, options, depth)
  return typeof value === 'symbol' || typeof value === 'function' ? undefined : value
}

/** The fields of one log line: as {@link redactValue}, by name at the top level too. */
export function redactFields(
  fields: Readonly<Record<string, unknown>>,
  options: RedactOptions = {},
): Record<string, unknown> {
  return redactEntries(Object.entries(fields), options, 0)
}
