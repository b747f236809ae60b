// For tests: a cookie jar of one host, with paths and expiry as far as these servers use them.

export interface Cookie {
  name: string
  value: string
  path: string
}

/** The jar after one Set-Cookie header. */
export function withSetCookie(jar: readonly Cookie[], header: string): Cookie[] {
  const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
  const [name = '', value = ''] = pair.split(/=(.*)/s)
  const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? '/'
  const others = jar.filter((cookie) => cookie.name !== name || cookie.path !== path)
  const isGone = attributes.some((part) => /^expires=Thu, 01 Jan 1970/i.test(part))
  return isGone ? others : [...others, { name, value, path }]
}

const matches = (cookie: Cookie, path: string) =>
  path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/'))

/** The Cookie header for a request to this path. */
export const cookieHeader = (jar: readonly Cookie[], path: string): string =>
  jar
    .filter((cookie) => matches(cookie, path))
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')
