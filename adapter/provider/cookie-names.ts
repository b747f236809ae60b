// The names of the cookies that the browser keeps for this authorization server.

export interface CookieNames {
  session: string
  interaction: string
  resume: string
}

/** `__Host-` and `__Secure-` keep other hosts of the domain from planting our cookies (RFC 6265bis, section 4.1.3). */
export function cookieNames(isHttps: boolean): CookieNames {
  // https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-20.html#section-4.1.3
  const [host, secure] = isHttps ? ['__Host-', '__Secure-'] : ['', '']
  return {
    session: `${host}AUTH_ADAPTER_SESSION`,
    interaction: `${secure}AUTH_ADAPTER_INTERACTION`,
    resume: `${secure}AUTH_ADAPTER_RESUME`,
  }
}
