// Where a browser may be sent after a sign-in: a path of this app, never another site.

const LONGEST_PATH = 1024
const ANY_ORIGIN = 'http://app.invalid'

/**
 * The path and query asked for when it is one of this app; else the fallback. Only visible ASCII counts, one leading
 * slash, no backslash (browsers read it as a slash) and nothing that a browser would resolve to another origin.
 */
export function localPathOr(fallback: string, asked: unknown): string {
  if (typeof asked !== 'string' || asked.length > LONGEST_PATH) return fallback
  if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(asked)) return fallback
  const url = URL.parse(asked, ANY_ORIGIN)
  if (!url || url.origin !== ANY_ORIGIN || url.pathname.startsWith('//')) return fallback
  return url.pathname + url.search
}
