// express-session, set up for this app; a store that fails is an error of its own kind.
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Store } from 'express-session'
import { SESSION_IDLE_MS } from './session-data.ts'

/** The session of a request can not be read or written. */
export class SessionStoreError extends Error {
  override readonly name = 'SessionStoreError'
  readonly code = 'session_store_unavailable'
}

export interface SessionMiddlewareOptions {
  readonly cookieName: string
  readonly isSecure: boolean
  readonly secret: string
  readonly store: Store
}

export function createSessionMiddleware(options: SessionMiddlewareOptions): RequestHandler {
  const handler = session({
    name: options.cookieName,
    secret: options.secret,
    store: options.store,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    // Behind a proxy that ends TLS the connection is plain, and a Secure cookie would be left out without a word.
    proxy: options.isSecure,
    cookie: {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: options.isSecure,
      maxAge: SESSION_IDLE_MS,
    },
  })
  return (req, res, next) =>
    void handler(req, res, (cause?: unknown) =>
      cause === undefined || cause === null ? next() : next(storeError(cause)),
    )
}

export function storeError(cause: unknown): SessionStoreError {
  return new SessionStoreError('The session store did not do what it was asked', { cause })
}
