// The grant type of RFC 8693 at the token endpoint: which tokens a client may have for one that it holds. Client authentication
// and duplicate parameters are judged before, by oidc-provider.
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { Log } from '../../../service/log.ts'
import { unlogged } from '../../../service/unlogged.ts'
import type { Driver } from '../../storage/driver.ts'
import { hashed } from '../../storage/provider/artefact-key.ts'
import type { IssuedTokens } from '../endpoints/issued-tokens.ts'
import { asOAuthError } from '../oauth-errors.ts'
import { exchangeForOwn, type AcceptUpstream, type ForOwnOptions } from './accept-upstream.ts'
import { refused } from './exchange-errors.ts'
import {
  ACCESS_TOKEN,
  EXCHANGE_PARAMETERS,
  ID_TOKEN,
  readExchange,
  TOKEN_EXCHANGE,
} from './exchange-request.ts'
import { subjectOf } from './subject-token.ts'
import { exchangeForUpstream, type UpstreamTokenSource } from './upstream-token.ts'

export interface ExchangeOptions extends Omit<
  ForOwnOptions,
  'provider' | 'isFirstUse' | 'lifecycle' | 'onExchanged'
> {
  tokens: IssuedTokens
  lifecycle: UpstreamTokenSource & AcceptUpstream
  unitOfWork: { driver: Pick<Driver, 'insert'> }
  log: Log
}

/** What the signature holds. That itself can be written in more than one way: its last character has bits to spare. */
const signedPart = (token: string) => token.slice(0, token.lastIndexOf('.'))

type Exchange = ExchangeOptions & ForOwnOptions

/** Longer than an ID token may be old. */
const USED_TTL_SECONDS = 3600

/** Where no client may exchange anything, the grant type is neither advertised nor known. */
export function registerTokenExchange(provider: Provider, options: ExchangeOptions): void {
  const { clients } = options.config
  if (!Object.values(clients).some(({ exchange }) => exchange !== undefined)) return
  const { driver } = options.unitOfWork
  const isFirstUse = (token: string) =>
    driver.insert(`ExchangedToken:${hashed(signedPart(token))}`, true, USED_TTL_SECONDS)
  const handler = async (ctx: KoaContextWithOIDC) => {
    const onExchanged = noted(options.log, ctx, 'own')
    const parts = { ...options, provider, isFirstUse, onExchanged }
    ctx.body = await exchange(parts, ctx).catch((error: unknown) => {
      throw asOAuthError(error)
    })
  }
  provider.registerGrantType(TOKEN_EXCHANGE, handler, EXCHANGE_PARAMETERS)
}

async function exchange(
  options: Exchange,
  ctx: KoaContextWithOIDC,
): Promise<Record<string, unknown>> {
  const clientId = ctx.oidc.client?.clientId ?? ''
  const request = readExchange(ctx)
  if (request.subjectTokenType === ID_TOKEN) return exchangeForOwn(options, ctx, request)
  if (request.subjectTokenType !== ACCESS_TOKEN)
    throw refused('subject_token_type is not supported')
  const subject = await subjectOf(options, request.subjectToken, clientId)
  // Of ours it is looked for first: no upstream can speak for us.
  if (!subject) return exchangeForOwn(options, ctx, request)
  const { clients } = options.config
  const source = options.lifecycle
  const body = await exchangeForUpstream({ clients, source }, clientId, subject, request)
  noted(options.log, ctx, 'upstream')(subject.identity)
  return body
}

/** `gives`: whose token the client got. */
function noted(log: Log, { oidc }: KoaContextWithOIDC, gives: 'own' | 'upstream') {
  return ({ upstream, accountId }: Identity): void => {
    const client_id = oidc.client?.clientId
    log.info('token.exchanged', { client_id, upstream, gives, ...unlogged({ person: accountId }) })
  }
}
