// Who is at the other end of a request, beside the person: address, browser, and a random name for that browser, by which
// somebody who could not sign in finds out why.
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import type { NextFunction, Request, Response } from 'express'
import { clientAddress } from '../../service/forwarded.ts'
import { redactText } from '../../service/redact-text.ts'
import type { IsTrusted } from '../../service/trusted-proxies.ts'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import { browserHash } from './hashes.ts'
import { KEPT_MS } from './trail/trail-rows.ts'

const BROWSER_ID = /^[\w-]{22}$/
const MAX_USER_AGENT = 200

export interface Visitor {
  readonly address: string
  readonly userAgent: string | undefined
  /** Hash of the browser's random name; undefined as long as it has none. */
  browser(): string | undefined
  /** Gives the browser a name where it has none and the answer has not begun. */
  nameBrowser(): void
}

const visitors = new AsyncLocalStorage<Visitor>()

/** Undefined outside of a request. */
export const currentVisitor = (): Visitor | undefined => visitors.getStore()

export interface VisitorOptions {
  readonly cookies: CookieSettings
  readonly trusted: IsTrusted
}

/** Middleware: what runs for this request knows its visitor. */
export function rememberVisitor({ cookies, trusted }: VisitorOptions) {
  return (req: Request, res: Response, next: NextFunction): void =>
    visitors.run(visitorOf(req, res, cookies, trusted), next)
}

function visitorOf(
  req: Request,
  res: Response,
  cookies: CookieSettings,
  trusted: IsTrusted,
): Visitor {
  const cookie = cookies.named('BROWSER')
  let id = browserIdOf(req, cookies)
  return {
    address: clientAddress(req, trusted),
    userAgent: shownUserAgent(req.headers['user-agent']),
    browser: () => id && browserHash(id),
    nameBrowser() {
      if (id !== undefined || res.headersSent) return
      id = randomBytes(16).toString('base64url')
      cookies.set(res, cookie, id, KEPT_MS)
    },
  }
}

function browserIdOf(req: Request, cookies: CookieSettings): string | undefined {
  const id = cookiesOf(req).get(cookies.named('BROWSER'))
  return id !== undefined && BROWSER_ID.test(id) ? id : undefined
}

function shownUserAgent(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  return redactText(header)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, MAX_USER_AGENT)
}
