// Redirect URIs that look like a registered one and are not. Test code only.

const HOSTS = [
  'localhost',
  '127.0.0.2',
  '127.1',
  '0x7f.0.0.1',
  '2130706433',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '127.0.0.1.evil.test',
  'evil.test',
  '127.0.0.1.',
  '127。0。0。1',
  'xn--127-0-0-1',
  '0177.0.0.1',
  '127.0.0.01',
  '127%2e0.0.1',
]
const SUFFIXES = [
  '/',
  '?',
  '#',
  '?a=b',
  '&a=b',
  ';x',
  '/..',
  '/../',
  '/.',
  '%2f',
  '%00',
  '%0d%0a',
  '\\',
  '//',
  '/*',
  '.',
  '..',
  '~',
  '%20',
  ' ',
  '\t',
  '@evil.test',
  '#@evil.test',
  '?@evil.test',
  '\u0000',
  '%252f',
]
const PREFIXES = [
  'https://evil.test/?',
  'https://evil.test/#',
  'https://evil.test\\',
  '//',
  '/',
  ' ',
  'javascript:',
  'view-source:',
  'http:',
  'http://evil.test@',
]

function characterMutations(uri: string): string[] {
  const places = [...uri].map((_, index) => index)
  return places.flatMap((index) => {
    const [before, at, after] = [uri.slice(0, index), uri.charAt(index), uri.slice(index + 1)]
    const upper = at.toUpperCase() === at ? at.toLowerCase() : at.toUpperCase()
    const encoded = `%${at.charCodeAt(0).toString(16).padStart(2, '0')}`
    return [
      before + after,
      before + at + at + after,
      before + upper + after,
      before + encoded + after,
    ]
  })
}

function originMutations(uri: string): string[] {
  const { origin, host, port, pathname } = new URL(uri)
  const rest = uri.slice(origin.length)
  const ports = [
    '',
    ':80',
    ':443',
    `:${Number(port) + 1}`,
    `:0${port}`,
    `:${port}0`,
    `:${port}@evil.test`,
  ]
  return [
    ...HOSTS.map((name) => `http://${name}:${port}${rest}`),
    ...ports.map((other) => `http://127.0.0.1${other}${rest}`),
    ...['https', 'HTTP', 'ws', 'ftp', 'http:/', 'custom'].map(
      (scheme) => `${scheme}://${host}${rest}`,
    ),
    ...['user@', 'user:pass@', '@', 'evil.test@', 'evil.test%40', 'evil.test\\@'].map(
      (userinfo) => `http://${userinfo}${host}${rest}`,
    ),
    ...pathname
      .split('/')
      .slice(1)
      .map((segment) => uri.replace(`/${segment}`, `/x/../${segment}`)),
    ...pathname
      .split('/')
      .slice(1)
      .map((segment) => uri.replace(`/${segment}`, `%2f${segment}`)),
    origin,
  ]
}

/** Each differs from `uri` and from each other. */
export function redirectUriMutations(uri: string): string[] {
  const all = [
    ...characterMutations(uri),
    ...originMutations(uri),
    ...SUFFIXES.map((suffix) => uri + suffix),
    ...PREFIXES.map((prefix) => prefix + uri),
  ]
  return [...new Set(all)].filter((mutation) => mutation !== uri)
}
