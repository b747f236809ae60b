// Who is signed in, as every page shows it: the name, the way, the token and how long it is good.
import type { Request } from 'express'
import { principalOf } from '../../authentication/principal.ts'
import type { Principal } from '../../authentication/principal.ts'
import { signInOf } from '../../session/current-session.ts'
import { SESSION_ABSOLUTE_MS } from '../../session/session-data.ts'
import type { Claims, SignIn } from '../../session/session-data.ts'
import { WAYS_IN } from './way-in.ts'

export interface Who {
  readonly name: string
  readonly subject: string
  readonly via: Principal['via']
  /** Of the access token; of the ID token when that is no JWT. */
  readonly claims: Claims
  readonly clients: readonly string[]
  readonly accessToken: string
  /** When the access token ends, in epoch milliseconds; undefined where nobody said so. */
  readonly tokenUntil: number | undefined
  /** Only the chain leaves a session with an ID token. */
  readonly signIn: SignIn | undefined
}

/** Undefined for nobody, and where it is not known yet who asks. */
export function whoOf(req: Request, now: number): Who | undefined {
  const principal = principalOf(req)
  if (!principal) return undefined
  const { subject, via, claims, clients, accessToken, expiresAt } = principal
  const signIn = via === 'session' ? signInOf(req, now) : undefined
  return {
    name: nameIn(signIn?.idTokenClaims ?? claims) ?? subject,
    subject,
    via,
    claims,
    clients,
    accessToken,
    tokenUntil: signIn ? signIn.accessTokenExpiresAt : expiresAt,
    signIn,
  }
}

function nameIn({ name, preferred_username: username }: Claims): string | undefined {
  return [name, username].find((text) => typeof text === 'string' && text !== '') as
    | string
    | undefined
}

/** Until when one is signed in at the longest, where this app decides that; epoch milliseconds. */
export function signedInUntil({ signIn }: Who): number | undefined {
  return signIn && signIn.signedInAt + SESSION_ABSOLUTE_MS
}

/** What `GET /who.json` says to a page that is a plain file; nothing that the same page would not show. */
export function frameJson(app: string, who: Who | undefined): Record<string, unknown> {
  if (!who) return { app, signed_in: false }
  const { name, via, tokenUntil } = who
  return { app, signed_in: true, name, way: WAYS_IN[via].short, token_until: isoTime(tokenUntil) }
}

/** What `GET /api/me` says. */
export function personJson(who: Who): Record<string, unknown> {
  const { name, preferred_username, authorities } = { ...who.claims, ...who.signIn?.idTokenClaims }
  return {
    sub: who.subject,
    name,
    preferred_username,
    authorities,
    scope: who.signIn?.scope ?? who.claims['scope'],
    via: who.via,
    clients: who.clients,
    access_token_expires_at: isoTime(who.tokenUntil),
  }
}

const isoTime = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString()
