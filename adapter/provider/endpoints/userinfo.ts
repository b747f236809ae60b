// The userinfo endpoint for our access tokens, JWT and opaque. oidc-provider keeps no record of a JWT, so its own endpoint
// refuses them; here what stands behind the token is asked for (endpoints/issued-tokens.ts).
import type { Request, Response } from 'express'
import type { Grant, Provider } from 'oidc-provider'
import { claimsForClient } from '../../claims/mapping/client-claims.ts'
import { claimsForScope } from '../../claims/scopes.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { IssuedTokens } from './issued-tokens.ts'

export interface UserinfoOptions {
  provider: Provider
  tokens: IssuedTokens
}

interface Granted {
  grant: Grant
  identity: Identity
  scope: string
  /** As the client knows the person. */
  sub: string
}

// RFC 6750, section 2.1: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
const BEARER = /^Bearer +([A-Za-z0-9_.-]+)$/i
/** 256 random bits, as oidc-provider writes them. */
const OPAQUE = /^[A-Za-z0-9_-]{43}$/

/** GET and POST /userinfo. 200 with claims, or 401 as RFC 6750, section 3.1 has it. */
export function createUserinfo(
  options: UserinfoOptions,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    response.set('cache-control', 'no-store')
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
    const granted = token === undefined ? undefined : await find(options, token)
    if (granted) response.json(claims(granted))
    else refuse(response, token !== undefined)
  }
}

async function find(options: UserinfoOptions, token: string): Promise<Granted | undefined> {
  const issued = OPAQUE.test(token)
    ? await findOpaque(options, token)
    : await findJwt(options, token)
  // A token for another audience is not for us: https://www.rfc-editor.org/rfc/rfc8707#section-3
  const isForUserinfo =
    issued?.scope.split(' ').includes('openid') === true &&
    issued.audience.includes(issued.clientId)
  if (!isForUserinfo) return undefined
  const standing = await options.tokens.standingOf(issued)
  if (standing.state !== 'live' || !standing.grant || !standing.identity) return undefined
  const { grant, identity } = standing
  return { grant, identity, scope: issued.scope, sub: issued.sub }
}

async function findJwt({ tokens }: UserinfoOptions, token: string) {
  const read = await tokens.read(token)
  return 'issued' in read ? read.issued : undefined
}

async function findOpaque({ provider, tokens }: UserinfoOptions, token: string) {
  const model = await provider.AccessToken.find(token)
  return model && tokens.fromModel(model)
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
