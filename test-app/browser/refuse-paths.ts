// Refuses paths that two readers may understand differently: what one takes for a public page is another's protected one.
import type { NextFunction, Request, Response } from 'express'

const TWO_SLASHES_OR_ODD = /\/\/|[\\;]/
const ENCODED_SEPARATOR = /%(?:2f|5c|2e|3b|00)/i
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/
const ODD = [TWO_SLASHES_OR_ODD, ENCODED_SEPARATOR, DOT_SEGMENT]

/** `target` as in the request line. */
export function isPlainPath(target: string): boolean {
  const [path = ''] = target.split('?', 1)
  return path.startsWith('/') && !ODD.some((odd) => odd.test(path)) && isDecodable(path)
}

function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path) !== ''
  } catch {
    return false
  }
}

export function refusePaths(req: Request, res: Response, next: NextFunction): void {
  if (isPlainPath(req.originalUrl)) return next()
  res.status(400).json({ error: 'path_refused' })
}
