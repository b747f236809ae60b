// The cookies of this app besides the session's: how they are named, set, cleared and read.
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'

export interface CookieSettings {
  readonly isSecure: boolean
  /** Name of the session cookie, prefixed where https allows it. */
  readonly sessionName: string
  /** A cookie name of this app; two apps on one host have two session names, hence two families. */
  named(suffix: string): string
  set(res: Response, name: string, value: string, maxAgeMs: number): void
  clear(res: Response, name: string): void
}

export function createCookies(sessionName: string, isSecure: boolean): CookieSettings {
  // https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
  const prefix = isSecure ? '__Host-' : ''
  const family = sessionName.replace(/_SESSION$/, '')
  const attributes = { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' } as const
  return {
    isSecure,
    sessionName: prefix + sessionName,
    named: (suffix) => `${prefix}${family}_${suffix}`,
    set: (res, name, value, maxAge) => void res.cookie(name, value, { ...attributes, maxAge }),
    clear: (res, name) => void res.clearCookie(name, attributes),
  }
}

export function cookiesOf(req: Pick<IncomingMessage, 'headers'>): Map<string, string> {
  const pairs = (req.headers.cookie ?? '')
    .split(';')
    .filter((pair) => pair.includes('='))
    .map((pair) => pair.split('='))
  return new Map(pairs.map(([name = '', ...value]) => [name.trim(), value.join('=').trim()]))
}
