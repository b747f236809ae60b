// The cookie with the last choice of an upstream: for the order of the next chooser, and for nothing else.
const REMEMBERED_SECONDS = 365 * 24 * 3600

export interface RememberingCookie {
  /** Set-Cookie value. */
  write(upstream: string): string
  /** What the browser sends, whoever wrote it: not more than a hint. */
  read(cookieHeader: string | undefined): string | undefined
}

export function rememberingCookie(issuer: string): RememberingCookie {
  const isHttps = issuer.startsWith('https:')
  const name = `${isHttps ? '__Host-' : ''}AUTH_ADAPTER_UPSTREAM`
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`
  return {
    write: (upstream: string) =>
      `${name}=${upstream}; ${attributes}; Max-Age=${REMEMBERED_SECONDS}`,
    read: (header: string | undefined) =>
      header
        ?.split(';')
        .map((pair) => pair.trim())
        .find((pair) => pair.startsWith(`${name}=`))
        ?.slice(name.length + 1),
  }
}
