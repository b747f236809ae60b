// Who is signed in, as every page shows it: the name, the way, the token and how long it is good.
import type { Request } from 'express'
import { principalOf } from '../../authentication/principal.ts'
import type { Principal } from '../../authentication/principal.ts'
import { signInOf } from '../../session/current-session.ts'
import { SESSION_ABSOLUTE_MS } from '../../session/session-data.ts'
import type { Claims, SignIn } from '../../session/session-data.ts'
import { decodeJwt } from '../decoded-jwt.ts'

export interface Who {
  readonly name: string
  readonly subject: string
  readonly via: Principal['via']
  /** Of the access token; none when it is no JWT. */
  readonly claims: Claims
  readonly clients: readonly string[]
  readonly accessToken: string
  /** When the access token ends, in epoch milliseconds; undefined where nobody said so. */
  readonly tokenUntil: number | undefined
  /** Only the chain leaves a session with an ID token. */
  readonly signIn: SignIn | undefined
}

export function whoOf(req: Request, now: number): Who | undefined {
  const principal = principalOf(req)
  if (principal && principal.via !== 'session') return whoWithToken(principal)
  // A page about a failed session store has no session to look at.
  const signIn = (req.session as Request['session'] | undefined) && signInOf(req, now)
  return signIn && whoWithSession(signIn, principal)
}

function whoWithToken({ subject, via, claims, clients, accessToken, expiresAt }: Principal): Who {
  const name = nameIn(claims) ?? subject
  return {
    name,
    subject,
    via,
    claims,
    clients,
    accessToken,
    tokenUntil: expiresAt,
    signIn: undefined,
  }
}

/** Also while the token can not be verified: the session alone says who that is. */
function whoWithSession(signIn: SignIn, principal: Principal | undefined): Who {
  const { subject, accessToken, accessTokenExpiresAt, idTokenClaims } = signIn
  return {
    name: nameIn(idTokenClaims) ?? subject,
    subject,
    via: 'session',
    claims: principal?.claims ?? decodeJwt(accessToken)?.claims ?? {},
    clients: principal?.clients ?? [],
    accessToken,
    tokenUntil: accessTokenExpiresAt,
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
    access_token_expires_at:
      who.tokenUntil === undefined ? undefined : new Date(who.tokenUntil).toISOString(),
  }
}
