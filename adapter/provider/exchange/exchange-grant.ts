// The grant type of RFC 8693 at the token endpoint: which tokens a client may have for one that it holds. Client authentication
// and duplicate parameters are judged before, by oidc-provider.
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import type { IssuedTokens } from '../endpoints/issued-tokens.ts'
import { invalidSubject, refused } from './exchange-errors.ts'
import {
  ACCESS_TOKEN,
  EXCHANGE_PARAMETERS,
  readExchange,
  TOKEN_EXCHANGE,
} from './exchange-request.ts'
import { subjectOf } from './subject-token.ts'
import { exchangeForUpstream, type UpstreamTokenSource } from './upstream-token.ts'

export interface ExchangeOptions {
  config: Pick<Config, 'clients'>
  tokens: IssuedTokens
  lifecycle: UpstreamTokenSource
}

/** Where no client may exchange anything, the grant type is neither advertised nor known. */
export function registerTokenExchange(provider: Provider, options: ExchangeOptions): void {
  const { clients } = options.config
  if (!Object.values(clients).some(({ exchange }) => exchange !== undefined)) return
  const handler = async (ctx: KoaContextWithOIDC) => {
    ctx.body = await exchange({ ...options, provider, clients }, ctx)
  }
  provider.registerGrantType(TOKEN_EXCHANGE, handler, EXCHANGE_PARAMETERS)
}

async function exchange(
  options: ExchangeOptions & { provider: Provider; clients: Config['clients'] },
  ctx: KoaContextWithOIDC,
): Promise<Record<string, unknown>> {
  const clientId = ctx.oidc.client?.clientId ?? ''
  const request = readExchange(ctx)
  if (request.subjectTokenType !== ACCESS_TOKEN)
    throw refused('subject_token_type is not supported')
  const subject = await subjectOf(options, request.subjectToken, clientId)
  if (!subject) throw invalidSubject('it is none of ours')
  const { clients, lifecycle: source } = options
  return exchangeForUpstream({ clients, source }, clientId, subject, request)
}
