// A token of an upstream, brought by a client: who it speaks of is told by a function that is passed in; an ID token counts once.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { UpstreamError } from '../../errors.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import { UpstreamUnavailable } from '../refresh/follow-upstream.ts'
import { invalidSubject, refused } from './exchange-errors.ts'
import { ID_TOKEN, type ExchangeRequest } from './exchange-request.ts'
import { issueOwnToken, wantedToken, type OwnTokenOptions } from './own-token.ts'

export interface AcceptUpstream {
  /** Undefined where the client may not bring it. Rejects with UpstreamError as a sign-in does. */
  acceptToken(request: {
    clientId: string
    token: string
    type: 'id_token' | 'access_token'
  }): Promise<Identity | undefined>
}

export interface ForOwnOptions extends OwnTokenOptions {
  lifecycle: AcceptUpstream
  /** False when this token was brought before. */
  isFirstUse(token: string): Promise<boolean>
  onExchanged(identity: Identity): void
}

/** @throws the error that the client is told */
export async function exchangeForOwn(
  options: ForOwnOptions,
  ctx: KoaContextWithOIDC,
  request: ExchangeRequest,
): Promise<Record<string, unknown>> {
  const client = ctx.oidc.client as NonNullable<typeof ctx.oidc.client>
  const { subjectToken: token, subjectTokenType } = request
  const type = subjectTokenType === ID_TOKEN ? 'id_token' : 'access_token'
  if ((client as { dpopBoundAccessTokens?: boolean }).dpopBoundAccessTokens === true)
    throw refused('DPoP is not supported for this grant type')
  const identity = await options.lifecycle
    .acceptToken({ clientId: client.clientId, token, type })
    .catch(refuse)
  if (!identity) throw invalidSubject('no exchange.accepts_upstream_tokens for it')
  const wanted = wantedToken(options.config, client.clientId, request)
  if (type === 'id_token' && !(await options.isFirstUse(token)))
    throw invalidSubject('it was exchanged before')
  const body = await issueOwnToken(options, ctx, identity, wanted)
  options.onExchanged(identity)
  return body
}

const DOWN = new Set(['unavailable', 'metadata_invalid'])

/** Messages of these errors hold no token. */
function refuse(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error
  if (DOWN.has(error.code)) throw new UpstreamUnavailable(error)
  throw invalidSubject(error.message)
}
