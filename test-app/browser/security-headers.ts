// Headers of every answer.
import type { NextFunction, Request, Response } from 'express'

const YEAR_SECONDS = 365 * 24 * 60 * 60

export interface SecurityHeaderOptions {
  /** Where the sign-out form may lead: browsers apply form-action to the redirect that answers a form too. */
  readonly formTargets: readonly string[]
  readonly isSecure: boolean
  /** Origin of this app. */
  readonly url: string
}

// `'self'` covers WebSockets in recent browsers only (https://www.w3.org/TR/CSP3/#match-url-to-source-expression).
const socketOrigin = (url: string) => new URL(url).origin.replace(/^http/, 'ws')

export function securityHeaders({ formTargets, isSecure, url }: SecurityHeaderOptions) {
  const headers: Record<string, string> = {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ${socketOrigin(url)}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
      `form-action 'self' ${formTargets.join(' ')}`,
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'Cache-Control': 'no-store',
    ...(isSecure
      ? { 'Strict-Transport-Security': `max-age=${YEAR_SECONDS}; includeSubDomains` }
      : {}),
  }
  return (_req: Request, res: Response, next: NextFunction): void => {
    res.set(headers)
    next()
  }
}
