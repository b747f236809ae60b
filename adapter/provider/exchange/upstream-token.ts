// An access token of ours for one of the upstream: only where the client's policy names the upstream, the service and the scope.
// The token itself comes from a function that is passed in.
import { UpstreamError } from '../../errors.ts'
import type { Config } from '../../config/schema.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import { UpstreamUnavailable } from '../refresh/follow-upstream.ts'
import { invalidScope, invalidSubject, invalidTarget } from './exchange-errors.ts'
import { ACCESS_TOKEN, type ExchangeRequest } from './exchange-request.ts'
import type { Subject } from './subject-token.ts'

export interface UpstreamTokenSource {
  /**
   * Rejects with UpstreamError `refresh_rejected` when the sign-in is over and was ended, `unavailable` when nobody could be
   * asked, or another code where the upstream does not give such a token.
   */
  upstreamToken(request: {
    identity: Identity
    clientId: string
    sessionUid: string
    scope: string
  }): Promise<{ accessToken: string; scope: string; expiresIn?: number }>
}

type Clients = Config['clients']

/** The answer: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1. @throws the error that the client is told */
export async function exchangeForUpstream(
  { clients, source }: { clients: Clients; source: UpstreamTokenSource },
  clientId: string,
  subject: Subject,
  request: ExchangeRequest,
): Promise<Record<string, unknown>> {
  const scope = permittedScope(clients[clientId], subject.identity.upstream, request)
  const { accessToken, ...given } = await source
    .upstreamToken({ ...subject, clientId, scope })
    .catch(refuse)
  return {
    access_token: accessToken,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    ...(given.expiresIn === undefined ? {} : { expires_in: given.expiresIn }),
    scope: given.scope,
  }
}

function permittedScope(
  client: Clients[string] | undefined,
  upstream: string,
  { audience, scope }: ExchangeRequest,
): string {
  const entries = client?.exchange?.upstream_tokens ?? []
  const entry = entries.find((each) => each.upstream === upstream && each.audience === audience)
  if (!entry) throw invalidTarget(`no exchange.upstream_tokens for ${upstream} and this audience`)
  if (scope === undefined || scope === '') return entry.scope
  const allowed = entry.scope.split(' ')
  const wanted = [...new Set(scope.split(' '))]
  if (!wanted.every((name) => allowed.includes(name))) throw invalidScope('wider than the policy')
  // In one order: whoever asks for the same shares an answer.
  return allowed.filter((name) => wanted.includes(name)).join(' ')
}

function refuse(error: unknown): never {
  if (!(error instanceof UpstreamError)) throw error
  if (error.code === 'refresh_rejected')
    throw invalidSubject('the sign-in at the identity provider is over')
  if (error.code === 'context_unmet')
    throw invalidScope('the upstream gives more than was asked for')
  throw new UpstreamUnavailable(error)
}
