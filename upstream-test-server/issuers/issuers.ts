// The issuers of one server: the one at the root, and any number of others at a path of their own.
import type { RequestHandler } from 'express'
import type { SeedUser } from '../people/seed-users.ts'
import type { UpstreamClient } from '../provider/provider.ts'
import type { Issuer } from './issuer.ts'
import type { Quirks } from './quirks/quirks.ts'

/** What an issuer at a path needs to be told; the rest is the server's. */
export interface IssuerSetup {
  /** What people read on its pages; default: the key. */
  serverName?: string
  clients: readonly UpstreamClient[]
  /** Default: `oidc`. `github` is plain OAuth 2.0 in its shape. */
  kind?: 'oidc' | 'github'
  /** Default: those of the root's issuer. */
  people?: readonly SeedUser[]
  /** Default: none. */
  quirks?: Quirks
  /** Whether sessions and keys outlast the process, if those of the root's do; default: no. */
  isKept?: boolean
}

export interface Issuers {
  /** The one at the root has the empty key. */
  get(key: string): Issuer | undefined
  list(): Issuer[]
  /** A fresh one at `/<key>`; one that was there is closed. @throws {IssuerKeyError} */
  create(key: string, setup: IssuerSetup): Promise<Issuer>
  close(): void
}

export class IssuerKeyError extends Error {
  override readonly name = 'IssuerKeyError'
}

// `test` would give the cookie names of the root's issuer; the others are paths of the root's issuer.
const rootPaths = 'login oauth2 userinfo connect ping api authorize token verify test-token logout'
const taken = new Set(['test', ...rootPaths.split(' ')])

function checkKey(key: string): void {
  if (/^[a-z][a-z0-9-]{0,40}$/.test(key) && !taken.has(key)) return
  throw new IssuerKeyError(
    `issuer key: expected up to 41 lower-case letters, digits and hyphens, and none of ${[...taken].join(', ')}`,
  )
}

export function createIssuers(
  root: Issuer,
  open: (key: string, setup: IssuerSetup) => Promise<Issuer>,
): Issuers {
  const all = new Map([['', root]])
  return {
    get: (key) => all.get(key),
    list: () => [...all.values()],
    async create(key, setup) {
      checkKey(key)
      const created = await open(key, setup)
      all.get(key)?.close()
      all.set(key, created)
      return created
    },
    close: () => all.forEach((issuer) => issuer.close()),
  }
}

/** For a mount at `/:key`. */
export function routeByKey(issuers: Issuers): RequestHandler<{ key: string }> {
  return (req, res, next) => {
    const issuer = issuers.get(req.params.key)
    if (!issuer) return next()
    void issuer.handler(req as never, res, next)
  }
}
