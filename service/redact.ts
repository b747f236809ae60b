// What no log line may hold: secrets known by the name they stand under, and secrets known by their looks. Pure.

export const REDACTED = '[redacted]'

const MAX_TEXT = 8 * 1024
const MAX_DEPTH = 6
const MAX_ENTRIES = 100
const MAX_CAUSES = 5

const SECRET_NAMES = new Set([
  'code', 'usercode', 'devicecode', 'authreqid', 'state', 'nonce', 'codeverifier', 'codechallenge', 'assertion', 'request',
  'requesturi', 'idtokenhint', 'loginhint', 'dpop', 'authorization', 'proxyauthorization', 'cookie', 'cookies', 'setcookie',
  'password', 'passwd', 'passphrase', 'secret', 'xsrf', 'csrf', 'jwt', 'token', 'apikey', 'sealingkey', 'privatekey', 'd',
])
const SECRET_ENDINGS = /(?:token|secret|password|assertion|verifier|cookie)$/

function looksSecret(name: string): boolean {
  const bare = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return SECRET_NAMES.has(bare) || SECRET_ENDINGS.test(bare)
}

// The names of fields are few and come again with every line.
const knownNames = new Map<string, boolean>()
const MAX_KNOWN_NAMES = 1000
const MAX_KNOWN_NAME = 40

/** `code`, `Set-Cookie`, `client_secret`, `accessToken`…: the value under this name is never shown. */
export function isSecretName(name: string): boolean {
  const known = knownNames.get(name)
  if (known !== undefined) return known
  const secret = looksSecret(name)
  if (knownNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME) knownNames.set(name, secret)
  return secret
}

// Names as they are met inside a text: in a query, a form body, a Cookie header, JSON, or an object printed by Node.
const NAME_IN_TEXT =
  '[\\w-]{0,40}(?:token|secret|password|passwd|passphrase|assertion|verifier|cookie)|' +
  '(?:user_|device_)?code|auth_req_id|state|nonce|code_challenge|request|request_uri|id_token_hint|login_hint|' +
  'dpop|authorization|xsrf|csrf|jwt|api_?key|sealing_?key|private_?key'
const PARAMETER = new RegExp(
  `(?:(?<![A-Za-z0-9])|(?<=%(?:25)?[0-9A-F]{2}))(${NAME_IN_TEXT})(=|%3D|%253D)(?:(?!%26|%2526)[^&\\s"'<>\`])+`,
  'gi',
)
const QUOTED = new RegExp(
  `((?<![A-Za-z0-9])["']?(?:${NAME_IN_TEXT})\\\\?["']?\\s{0,3}[:=]\\s{0,3})` +
    `(?:\\\\?"(?:[^"\\\\]|\\\\.)*(?:"|\\\\?$)|'(?:[^'\\\\]|\\\\.)*(?:'|\\\\?$)|\`[^\`]*(?:\`|$))`,
  'gi',
)
const HEADER = /((?:^|[\s"'{,])(?:proxy-)?(?:authorization|set-cookie|cookie|dpop)["']?\s{0,3}:\s{0,3})[^\r\n]+/gi

interface Shape {
  /** One of these stands in every text that has the shape; looked for first, because it is quick. */
  readonly needs: readonly string[]
  readonly shape: RegExp
  readonly shown: string
}

const SHAPES: readonly Shape[] = [
  { needs: [':'], shape: HEADER, shown: `$1${REDACTED}` },
  { needs: ['"', "'", '`'], shape: QUOTED, shown: `$1"${REDACTED}"` },
  { needs: ['=', '%'], shape: PARAMETER, shown: `$1$2${REDACTED}` },
  { needs: [''], shape: /\b(Bearer|Basic|DPoP)\s+(?=[\w+/=.~-]{8,})[\w+/=.~-]+/gi, shown: `$1 ${REDACTED}` },
  { needs: ['-----BEGIN'], shape: /-----BEGIN [A-Z ]{0,40}KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}KEY-----|$)/g, shown: REDACTED },
  // JWS and JWE, compact: the header begins with `{"`
  { needs: ['ey'], shape: /(?<![A-Za-z0-9_-])ey[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}/g, shown: REDACTED },
  { needs: ['://'], shape: /(:\/\/)[^/\s@"'<>?#]{1,512}@/g, shown: `$1${REDACTED}@` },
  { needs: ['='], shape: /[A-Za-z0-9+/]{40,}={1,2}/g, shown: REDACTED },
  // 256 random bits and more, as base64url or hex
  { needs: [''], shape: /(?<![A-Za-z0-9_~-])[A-Za-z0-9_~-]{43,}(?![A-Za-z0-9_~-])/g, shown: REDACTED },
  { needs: ['@'], shape: /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b/g, shown: '[email]' },
]

// Nearly every value of a log line: short, and none of the shapes.
const PLAIN = /^(?!.*ey)[\w./-]{0,42}$/

/** The text without what looks like a secret, at most 8 KB of it. */
export function redactText(text: string): string {
  if (PLAIN.test(text)) return text
  let shown = text
  // A secret cut in two is no longer known by its looks, so the cut falls between words and twice as far as what is shown.
  if (text.length > MAX_TEXT * 2) shown = text.slice(0, MAX_TEXT * 2).replace(/[^\s"'&]*$/, '')
  for (const { needs, shape, shown: replacement } of SHAPES)
    if (needs.some((mark) => shown.includes(mark))) shown = shown.replaceAll(shape, replacement)
  const whole = shown.length <= MAX_TEXT && text.length <= MAX_TEXT * 2
  return whole ? shown : `${shown.slice(0, MAX_TEXT)}… (${text.length} characters)`
}

export interface RedactOptions {
  /** Show the stack of every error, not only of those without a `code`. */
  readonly stacks?: boolean
}

// What some errors say beside name, code and message, and is of use to an operator.
const ERROR_FIELDS = {
  upstream: 'upstream', oauthError: 'oauth_error', error: 'oauth_error', error_description: 'error_description',
  error_detail: 'error_detail', status: 'status', statusCode: 'status', syscall: 'syscall', address: 'address', port: 'port',
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
const textOf = (value: unknown) => (typeof value === 'object' && value !== null ? '[object]' : String(value))

function redactError(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = { name: redactText(textOf(property(error, 'name'))) }
  const code = property(error, 'code')
  if (typeof code === 'number' || (typeof code === 'string' && ERROR_CODE.test(code))) shown['code'] = code
  shown['message'] = redactText(textOf(property(error, 'message')))
  for (const [from, to] of Object.entries(ERROR_FIELDS)) {
    const value = property(error, from)
    if (typeof value === 'string') shown[to] = redactText(value)
    if (typeof value === 'number') shown[to] = value
  }
  const stack = property(error, 'stack')
  if (typeof stack === 'string' && (options.stacks || shown['code'] === undefined)) shown['stack'] = redactText(stack)
  if (depth >= MAX_CAUSES) return shown
  const causes = property(error, 'errors')
  if (Array.isArray(causes)) shown['errors'] = causes.slice(0, 3).map((cause) => redactCause(cause, options, depth + 1))
  const cause = property(error, 'cause')
  if (cause !== undefined && cause !== null) shown['cause'] = redactCause(cause, options, depth + 1)
  return shown
}

function redactCause(cause: unknown, options: RedactOptions, depth: number): unknown {
  return cause instanceof Error ? redactError(cause, options, depth) : redactValue(cause, options, depth)
}

// `code` is an error's name for itself as often as it is a secret. Words such as `already_consumed` are no secret: one of
// random characters has an upper-case letter or a digit, or is longer than a word.
const ERROR_WORDS = /^[a-z]{3,16}(?:_[a-z]{1,16}){0,4}$|^[A-Z]{3,16}(?:_[A-Z]{2,16}){0,4}$/
const isErrorWord = (name: string, value: unknown) => name === 'code' && typeof value === 'string' && ERROR_WORDS.test(value)

function redactEntries(entries: Iterable<readonly [unknown, unknown]>, options: RedactOptions, depth: number) {
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
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (depth >= MAX_DEPTH) return '[…]'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => redactValue(item, options, depth + 1))
  if (value instanceof Set) return redactObject([...value], options, depth)
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams)
    return redactEntries(value, options, depth)
  return redactEntries(Object.keys(value).map((name) => [name, property(value, name)] as const), options, depth)
}

/** A copy that may be written to a log: bounded in depth and size, without secrets, JSON only. */
export function redactValue(value: unknown, options: RedactOptions = {}, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return redactText(String(value))
  if (typeof value === 'object' && value !== null) return redactObject(value, options, depth)
  return typeof value === 'symbol' || typeof value === 'function' ? undefined : value
}

/** The fields of one log line: as {@link redactValue}, by name at the top level too. */
export function redactFields(fields: Readonly<Record<string, unknown>>, options: RedactOptions = {}): Record<string, unknown> {
  return redactEntries(Object.entries(fields), options, 0)
}
