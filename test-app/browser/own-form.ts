// Whether a form that was sent is one of this app's own pages.
import type { Request } from 'express'

/**
 * With `Referrer-Policy: no-referrer` browsers send `Origin: null` even for a page's own form, so that header decides only
 * where fetch metadata is missing.
 */
export function isOwnForm(req: Request, ownOrigin: string): boolean {
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const origin = req.headers.origin
  return origin === undefined || origin === 'null' || origin === ownOrigin
}
