// Who makes a request, found where the token is: the Authorization header, this app's session, or its own cookies, in this
// order. Changes nothing.
import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import { decodeProtectedHeader } from 'jose'
import { signInOf } from '../session/current-session.ts'
import type { Claims, SignIn } from '../session/session-data.ts'
import type { TokenCookies } from '../token-login/token-cookies.ts'
import { loginKeyOf } from './login-key.ts'
import type { Principal } from './principal.ts'
import type { TokenVerdict, VerifyToken } from './token/verify-token.ts'

export type Identity =
  | { readonly kind: 'known'; readonly principal: Principal }
  | { readonly kind: 'nobody' }
  /** A token is there that is not good. */
  | { readonly kind: 'refused'; readonly via: Principal['via']; readonly reason: string }

export interface IdentifyOptions {
  readonly verify: VerifyToken
  readonly tokenCookies: Pick<TokenCookies, 'read'>
  readonly clientId: string
  readonly now: () => number
}

/**
 * Of a request whose session, where it has one, is loaded (`req.session`); a socket's handshake is one too. Rejects with
 * SignInError `adapter_unavailable` where the adapter's keys can not be had.
 */
export type Identify = (
  req: IncomingMessage & { session?: Request['session']; sessionID?: string },
) => Promise<Identity>

const NOBODY: Identity = { kind: 'nobody' }
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

export function createIdentify(options: IdentifyOptions): Identify {
  const { verify, tokenCookies, clientId: audience, now } = options

  async function byHeader(header: string): Promise<Identity> {
    const [, token] = BEARER.exec(header) ?? []
    if (token === undefined) return { kind: 'refused', via: 'bearer', reason: 'malformed' }
    const verdict = await verify(token, { via: 'bearer', audience })
    return identity('bearer', token, verdict, { loginKey: loginKeyOf('token', token) })
  }

  async function bySession(signIn: SignIn, name: LoginNames): Promise<Identity> {
    const { accessToken, subject } = signIn
    if (!isJwt(accessToken)) return { kind: 'known', principal: opaque(signIn, name) }
    // It came from the adapter itself, which may call its type otherwise.
    const use = { via: 'session', audience, isOfAnyType: true }
    const verdict = await verify(accessToken, use)
    if (verdict.valid && verdict.claims['sub'] !== subject)
      return { kind: 'refused', via: 'session', reason: 'claims' }
    return identity('session', accessToken, verdict, name)
  }

  async function byCookie(req: IncomingMessage): Promise<Identity> {
    const { access, refresh, login } = tokenCookies.read(req)
    if (access === undefined)
      return refresh === undefined ? NOBODY : { kind: 'refused', via: 'cookie', reason: 'expired' }
    const verdict = await verify(access, { via: 'cookie', audience })
    return identity('cookie', access, verdict, {
      loginKey: login ? loginKeyOf('login', login.loginId) : loginKeyOf('token', access),
      flowId: login?.flowId,
    })
  }

  return async (req) => {
    const header = req.headers.authorization
    if (header !== undefined) return byHeader(header)
    const signIn = req.session && signInOf(req as Request, now())
    if (!signIn) return byCookie(req)
    return bySession(signIn, {
      loginKey: loginKeyOf('session', req.sessionID ?? ''),
      flowId: req.session?.landed?.loginId,
    })
  }
}

type LoginNames = Pick<Principal, 'loginKey' | 'flowId'>

function identity(
  via: Principal['via'],
  accessToken: string,
  verdict: TokenVerdict,
  names: LoginNames,
): Identity {
  if (!verdict.valid) return { kind: 'refused', via, reason: verdict.reason }
  return { kind: 'known', principal: principalFrom(via, accessToken, verdict.claims, names) }
}

/** Of an access token that was verified. */
export function principalFrom(
  via: Principal['via'],
  accessToken: string,
  claims: Claims,
  names: LoginNames,
): Principal {
  const subject = String(claims['sub'])
  const expiresAt = Number(claims['exp']) * 1000
  return { via, subject, claims, accessToken, expiresAt, clients: clientsIn(claims), ...names }
}

// An adapter set up for opaque access tokens: what the ID token said at the sign-in is all there is to know.
function opaque(signIn: SignIn, names: LoginNames): Principal {
  const { subject, idTokenClaims: claims, accessToken, signedInAt } = signIn
  const expiresAt = signIn.accessTokenExpiresAt ?? signedInAt
  const clients = clientsIn(claims)
  return { via: 'session', subject, claims, accessToken, expiresAt, clients, ...names }
}

function isJwt(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== undefined
  } catch {
    return false
  }
}

function clientsIn(claims: Claims): readonly string[] {
  const { client_id: clientId, azp, aud } = claims
  const named = [clientId, azp, aud].flat()
  return [...new Set(named.filter((name): name is string => typeof name === 'string'))]
}
