// The userinfo endpoint for our JWT access tokens. oidc-provider keeps no record of a JWT, so its own endpoint refuses
// them; here the token is verified, and the grant and the session behind it must still live.
import { createLocalJWKSet, jwtVerify, type JWTPayload } from 'jose'
import type { Request, Response } from 'express'
import type { Grant, Provider } from 'oidc-provider'
import { claimsForClient, doesFor } from '../claims/client-claims.ts'
import { claimsForScope } from '../claims/scopes.ts'
import type { Identities, Identity } from '../storage/identities.ts'
import type { ClientSubjects } from './client-subjects.ts'
import { publicJwks, type SigningKeys } from './signing-keys.ts'

export interface UserinfoOptions {
  provider: Provider
  identities: Identities
  signingKeys: SigningKeys
  subjects: ClientSubjects
  now: () => number
}

interface Granted {
  grant: Grant
  identity: Identity
  scope: string
  /** As the client knows the person. */
  sub: string
}

// RFC 6750, section 2.1: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
const BEARER = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i

/** What a JWT access token's `jti` says: a random part, then what the token lives and dies with; the session may be hidden. */
export function tokenId(random: string, grantId: string, sessionUid: string): string {
  return [random, grantId, sessionUid].join('.')
}

/** GET and POST /userinfo. 200 with claims, or 401 as RFC 6750, section 3.1 has it. */
export function createUserinfo(
  options: UserinfoOptions,
): (request: Request, response: Response) => Promise<void> {
  const verify = createVerify(options)
  return async (request, response) => {
    response.set('cache-control', 'no-store')
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
    const granted = token === undefined ? undefined : await find(options, await verify(token))
    if (granted) response.json(claims(granted))
    else refuse(response, token !== undefined)
  }
}

function createVerify({ provider, signingKeys, now }: UserinfoOptions) {
  const keys = createLocalJWKSet(publicJwks(signingKeys))
  const algorithms = [...new Set(signingKeys.keys.map((key) => key.alg as string))]
  return async (token: string): Promise<JWTPayload | undefined> => {
    // RFC 9068, section 4: https://www.rfc-editor.org/rfc/rfc9068#section-4
    const options = {
      issuer: provider.issuer,
      typ: 'at+jwt',
      algorithms,
      currentDate: new Date(now()),
      requiredClaims: ['sub', 'exp', 'jti', 'client_id', 'scope'],
    }
    const verified = await jwtVerify(token, keys, options).catch(() => undefined)
    return verified?.payload
  }
}

async function find(
  { provider, identities, subjects }: UserinfoOptions,
  payload: JWTPayload | undefined,
): Promise<Granted | undefined> {
  const [, grantId, hidden] = payload?.jti?.split('.') ?? []
  if (!payload || !grantId || !hidden) return undefined
  const clientId = String(payload['client_id'])
  const sessionUid = subjects.openSession(clientId, hidden, grantId)
  if (sessionUid === undefined) return undefined
  // The session itself too: a request that was under way at logout may have saved the other two once more.
  const [grant, identity, session, client] = await Promise.all([
    provider.Grant.find(grantId),
    identities.find(sessionUid),
    provider.Session.findByUid(sessionUid),
    provider.Client.find(clientId),
  ])
  const scope = String(payload['scope'])
  const isTheirs = ({ accountId }: { accountId?: string | undefined } = {}) =>
    accountId !== undefined && subjects.subjectFor(clientId, accountId) === payload.sub
  const isAlive =
    [grant, identity, session].every((record) => isTheirs(record)) &&
    client !== undefined &&
    grant?.clientId === client.clientId &&
    doesFor(identity as Identity, client.clientId)
  return isAlive && scope.split(' ').includes('openid')
    ? { grant: grant as Grant, identity: identity as Identity, scope, sub: payload.sub as string }
    : undefined
}

function claims({ grant, identity, scope, sub }: Granted): Record<string, unknown> {
  const ours = claimsForClient('userinfo', identity, grant.clientId)
  const single = Object.fromEntries(
    grant
      .getOIDCClaims()
      .filter((name) => Object.hasOwn(ours, name))
      .map((name) => [name, ours[name]]),
  )
  return { ...claimsForScope(scope, ours), ...single, sub }
}

function refuse(response: Response, hadToken: boolean): void {
  // RFC 6750, section 3.1: no error code for a request without a token. https://www.rfc-editor.org/rfc/rfc6750#section-3.1
  response.set('www-authenticate', hadToken ? 'Bearer error="invalid_token"' : 'Bearer')
  response.status(401).json(hadToken ? { error: 'invalid_token' } : {})
}
