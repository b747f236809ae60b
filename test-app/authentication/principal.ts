// Who makes a request, as the gate found it. Every handler behind the gate asks here and nowhere else.
import type { Request } from 'express'
import type { Claims } from '../session/session-data.ts'

export interface Principal {
  /** Where the token was: this app's session (the chain), its own cookies (/login.html), or the Authorization header. */
  readonly via: 'session' | 'cookie' | 'bearer'
  readonly subject: string
  /** Of the access token, whose signature, issuer, audience and times were checked in this request. */
  readonly claims: Claims
  readonly accessToken: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** The clients that the token speaks for: the one it was issued to, and its audience. */
  readonly clients: readonly string[]
  /** Names the sign-in, so that what lives longer than a request ends with it; reveals nothing. */
  readonly loginKey: string
  /** Names the login in the audit trail; unknown for a token that was brought in a header. */
  readonly flowId?: string | undefined
}

const principals = new WeakMap<Request, Principal>()

export const principalOf = (req: Request): Principal | undefined => principals.get(req)

export function setPrincipal(req: Request, principal: Principal): void {
  principals.set(req, principal)
}

const unknown = new WeakSet<Request>()

/** Whether somebody may be signed in and it could not be found out, as the adapter does not answer. Later it may. */
export const isUnknown = (req: Request): boolean => unknown.has(req)

export function setUnknown(req: Request): void {
  unknown.add(req)
}

/** Signed out: what the rest of the request does is done for nobody. */
export const forgetPrincipal = (req: Request): void => void principals.delete(req)
