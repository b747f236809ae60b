// Secrets in names and in text: those known by the name they stand under, and those known by their looks. Pure.

export const REDACTED = '[redacted]'

const MAX_TEXT = 8 * 1024

const SECRET_NAMES = new Set([
  'code',
  'usercode',
  'devicecode',
  'authreqid',
  'state',
  'nonce',
  'codeverifier',
  'codechallenge',
  'assertion',
  'request',
  'requesturi',
  'idtokenhint',
  'loginhint',
  'dpop',
  'authorization',
  'proxyauthorization',
  'cookie',
  'cookies',
  'setcookie',
  'password',
  'passwd',
  'passphrase',
  'secret',
  'xsrf',
  'csrf',
  'jwt',
  'token',
  'apikey',
  'sealingkey',
  'privatekey',
  'd',
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
  if (knownNames.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_NAME)
    knownNames.set(name, secret)
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
const HEADER =
  /((?:^|[\s"'{,])(?:proxy-)?(?:authorization|set-cookie|cookie|dpop)["']?\s{0,3}:\s{0,3})[^\r\n]+/gi

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
  {
    needs: [''],
    shape: /\b(Bearer|Basic|DPoP)\s+(?=[\w+/=.~-]{8,})[\w+/=.~-]+/gi,
    shown: `$1 ${REDACTED}`,
  },
  {
    needs: ['-----BEGIN'],
    shape: /-----BEGIN [A-Z ]{0,40}KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}KEY-----|$)/g,
    shown: REDACTED,
  },
  // JWS and JWE, compact: the header begins with `{"`
  {
    needs: ['ey'],
    shape: /(?<![A-Za-z0-9_-])ey[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,4}/g,
    shown: REDACTED,
  },
  { needs: ['://'], shape: /(:\/\/)[^/\s@"'<>?#]{1,512}@/g, shown: `$1${REDACTED}@` },
  { needs: ['='], shape: /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}={1,2}/g, shown: REDACTED },
  // 256 random bits and more, as base64url or hex
  {
    needs: [''],
    shape: /(?<![A-Za-z0-9_~-])[A-Za-z0-9_~-]{43,}(?![A-Za-z0-9_~-])/g,
    shown: REDACTED,
  },
  {
    needs: ['@'],
    shape: /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b/g,
    shown: '[email]',
  },
]

// Nearly every value of a log line: short, and none of the shapes.
const PLAIN = /^(?!.*ey)[\w./-]{0,42}$/

/** The text without what looks like a secret, at most 8 KB of it. */
export function redactText(text: string): string {
  if (PLAIN.test(text)) return text
  let shown = text
  // A secret cut in two is no longer known by its looks, so the cut falls between words and twice as far as what is shown.
  if (text.length > MAX_TEXT * 2)
    shown = text.slice(0, MAX_TEXT * 2).replace(/(?<![^\s"'&])[^\s"'&]*$/, '')
  for (const { needs, shape, shown: replacement } of SHAPES)
    if (needs.some((mark) => shown.includes(mark))) shown = shown.replaceAll(shape, replacement)
  const whole = shown.length <= MAX_TEXT && text.length <= MAX_TEXT * 2
  return whole ? shown : `${shown.slice(0, MAX_TEXT)}… (${text.length} characters)`
}
