// `localhost` and `127.0.0.1` are two hosts to a browser: a sign-in begun on one ends on the other, without its cookie.
import type { NextFunction, Request, Response } from 'express'
import { isLoopback } from '../environment.ts'
import { localPathOr } from './local-path.ts'

/** Sends a page opened by another loopback name to the configured one. The target is never taken from `Host`. */
export function canonicalHost(url: string) {
  const configured = new URL(url)
  return (req: Request, res: Response, next: NextFunction): void => {
    const asked = URL.parse(`${configured.protocol}//${req.headers.host ?? ''}`)
    const isOtherName =
      asked !== null &&
      asked.hostname !== configured.hostname &&
      isLoopback(asked.hostname) &&
      isLoopback(configured.hostname)
    if (!isOtherName || req.method !== 'GET') return next()
    res.redirect(302, configured.origin + localPathOr('/', req.originalUrl))
  }
}
