// Who opened a connection that is no request of the routes, such as a socket: asked as often as one likes, with the session as
// it is now. Refreshes nothing.
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import type { Identify } from './identify.ts'
import type { Principal } from './principal.ts'

export interface AuthenticateOptions {
  readonly session: RequestHandler
  readonly identify: Identify
}

/** Rejects with SessionStoreError, and with SignInError where the adapter's keys can not be had. */
export type Authenticate = (req: IncomingMessage) => Promise<Principal | undefined>

export function createAuthenticate({ session, identify }: AuthenticateOptions): Authenticate {
  return async (req) => {
    const asking = await withSession(session, req)
    const identity = await identify(asking)
    return identity.kind === 'known' ? identity.principal : undefined
  }
}

/** The same request with the session of now; what a middleware puts on it stays off the real one. */
async function withSession(session: RequestHandler, req: IncomingMessage): Promise<Request> {
  const copy = Object.create(req) as Request
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const answer = new ServerResponse(req) as unknown as Response
  await session(copy, answer, (error?: unknown) => (error ? reject(error as Error) : resolve()))
  await promise
  return copy
}
