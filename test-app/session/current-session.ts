// The session of a request: who is signed in, and the calls of express-session as promises.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request, Response } from 'express'
import type { CookieSettings } from '../browser/cookies.ts'
import { SESSION_ABSOLUTE_MS } from './session-data.ts'
import { storeError } from './session-middleware.ts'
import type { SignIn } from './session-data.ts'

/** The sign-in of this browser, unless there is none or it is older than twelve hours. */
export function signInOf(req: Request, now: number): SignIn | undefined {
  const signIn = req.session.signIn
  return signIn && now < signIn.signedInAt + SESSION_ABSOLUTE_MS ? signIn : undefined
}

/** Replaces the session and its id. */
export function regenerateSession(req: Request): Promise<void> {
  return promised((done) => req.session.regenerate(done))
}

export function saveSession(req: Request): Promise<void> {
  return promised((done) => req.session.save(done))
}

/** With its cookie. */
export async function destroySession(
  req: Request,
  res: Response,
  cookies: CookieSettings,
): Promise<void> {
  await promised((done) => req.session.destroy(done))
  cookies.clear(res, cookies.sessionName)
}

/** The token that forms of this session carry, made at first use. */
export function formTokenOf(req: Request): string {
  return (req.session.formToken ??= randomBytes(32).toString('base64url'))
}

export function isFormToken(req: Request, given: unknown): boolean {
  const expected = req.session.formToken
  if (!expected || typeof given !== 'string') return false
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function promised(call: (done: (error?: unknown) => void) => unknown): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  call((error) => (error ? reject(storeError(error)) : resolve()))
  return promise
}
