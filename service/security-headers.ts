// The headers that go out with every response, and the two ways a page may widen its Content-Security-Policy.
import type { ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'

type Policy = Readonly<Record<string, readonly string[]>>

const BASE_POLICY: Policy = {
  'default-src': ["'none'"],
  // Allows nothing, and unlike 'none' it may stand beside the hash that oidc-provider adds to a script-src it finds.
  'script-src': ["'report-sample'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
  'object-src': ["'none'"],
}

const render = (policy: Policy) =>
  Object.entries(policy)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ')

const HEADERS = {
  'Content-Security-Policy': render(BASE_POLICY),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
  'X-DNS-Prefetch-Control': 'off',
  'Cache-Control': 'no-store',
} as const

const TWO_YEARS_SECONDS = 63_072_000

/** @param https whether end-users reach us over https: adds Strict-Transport-Security */
export function securityHeaders({ https }: { https: boolean }): RequestHandler {
  const headers = new Map(Object.entries<string>(HEADERS))
  if (https)
    headers.set('Strict-Transport-Security', `max-age=${TWO_YEARS_SECONDS}; includeSubDomains`)
  return (_request, response, next) => {
    response.setHeaders(headers)
    next()
  }
}

function widen(response: ServerResponse, directive: string, sources: readonly string[]): void {
  const policy = String(
    response.getHeader('Content-Security-Policy') ?? HEADERS['Content-Security-Policy'],
  )
  const widened = policy.split(';').map((part) => {
    const [name, ...present] = part.trim().split(/\s+/)
    return name === directive ? [name, ...new Set([...present, ...sources])].join(' ') : part.trim()
  })
  response.setHeader('Content-Security-Policy', widened.join('; '))
}

// A policy can name neither an IPv6 host nor the host of a private-use scheme; then the scheme must do.
function formSource(url: string): string {
  const { protocol, hostname, origin } = new URL(url)
  return /^https?:$/.test(protocol) && !hostname.startsWith('[') ? origin : protocol
}

/**
 * Lets forms of this page lead to `urls` too, by their action or by the redirects that follow it: Chromium holds
 * form-action against both.
 */
export function allowFormTargets(response: ServerResponse, urls: readonly string[]): void {
  widen(response, 'form-action', urls.filter((url) => URL.canParse(url)).map(formSource))
}

/** Lets this page run the inline script with this hash: `sha256-…`. */
export function allowInlineScript(response: ServerResponse, hash: string): void {
  widen(response, 'script-src', [`'${hash}'`])
}

/** Lets this page show the pages at `urls` in frames. */
export function allowFrames(response: ServerResponse, urls: readonly string[]): void {
  const policy = String(response.getHeader('Content-Security-Policy'))
  const origins = new Set(urls.map((url) => new URL(url).origin))
  response.setHeader('Content-Security-Policy', `${policy}; frame-src ${[...origins].join(' ')}`)
}
