// Tokens for services that call services: by client_credentials, each for one audience that its client may speak to.
import { randomUUID } from 'node:crypto'
import { errors } from 'oidc-provider'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Scenario } from '../behaviour/scenario.ts'
import { signToken } from '../behaviour/tokens/sign-token.ts'
import type { UpstreamClient } from '../provider/provider.ts'

export const serviceGrantType = 'client_credentials'
export const serviceTokenSeconds = 5 * 60

export interface ServiceTokensOptions {
  issuer: string
  clients: readonly UpstreamClient[]
  scenario: Scenario
}

type Parameters = Record<'aud' | 'audience' | 'sub' | 'scope', string | undefined>

function audienceFrom({ aud, audience }: Parameters, allowed: readonly string[]): string {
  if (aud !== undefined && audience !== undefined && aud !== audience)
    throw new errors.InvalidRequest('aud and audience are two names of one parameter')
  const asked = aud ?? audience
  if (asked === undefined)
    throw new errors.InvalidRequest('aud is missing: the service that the token is for')
  // Not which ones are: a client that does not know has no business with them.
  if (!allowed.includes(asked))
    throw new errors.InvalidTarget('aud is no service that this client may speak to')
  return asked
}

function checkOwn({ sub, scope }: Parameters, clientId: string): void {
  if (sub !== undefined && sub !== clientId)
    throw new errors.InvalidRequest('sub: a service gets tokens for itself only')
  if (scope !== undefined) throw new errors.InvalidScope('scope: a service token has none', scope)
}

const audiencesByClient = (clients: readonly UpstreamClient[]) =>
  new Map(
    clients.flatMap(({ clientId, serviceAudiences: audiences }) =>
      audiences ? [[clientId, audiences] as const] : [],
    ),
  )

/**
 * https://www.rfc-editor.org/rfc/rfc6749.html#section-4.4, its token as in https://www.rfc-editor.org/rfc/rfc9068.
 * Nothing where no client is a service.
 */
export function offerServiceTokens(provider: Provider, options: ServiceTokensOptions): void {
  const { issuer, clients, scenario } = options
  const audiences = audiencesByClient(clients)
  if (audiences.size === 0) return
  const handler = (ctx: KoaContextWithOIDC) => {
    const clientId = ctx.oidc.client?.clientId ?? ''
    const parameters = ctx.oidc.params as Parameters
    checkOwn(parameters, clientId)
    const aud = audienceFrom(parameters, audiences.get(clientId) ?? [])
    const iat = Math.floor(scenario.clock.now() / 1000)
    const times = { iat, exp: iat + serviceTokenSeconds }
    const claims = { iss: issuer, sub: clientId, aud, client_id: clientId, ...times }
    const signed = { header: { typ: 'at+jwt' }, claims: { ...claims, jti: randomUUID() } }
    ctx.body = {
      access_token: signToken(signed, scenario.keys.active()),
      token_type: 'Bearer',
      expires_in: serviceTokenSeconds,
    }
  }
  provider.registerGrantType(serviceGrantType, handler, ['aud', 'audience', 'sub', 'scope'])
}
