// A token of an upstream that an app brings: judged by the upstream whose it says it is, and who it speaks of mapped as at a
// sign-in. Only where the client's policy names that upstream and kind of token.
import { unmetRequirements } from '../claims/requirements.ts'
import type { AnyUpstreamConfig, ClientConfig, Config } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import type { PresentedToken, Upstream, UpstreamIdentity } from '../upstream/upstream.ts'

export interface AcceptOptions extends Pick<Config, 'clients' | 'upstreams'> {
  upstreamNamed(name: string): Upstream | undefined
  mapIdentity: (said: UpstreamIdentity, clientId: string | undefined) => Promise<Identity>
  /** What apps may be told of how the person signed in there. */
  provenAcrs: (upstream: AnyUpstreamConfig, said: UpstreamIdentity) => readonly string[]
}

export interface AcceptRequest extends Pick<PresentedToken, 'token' | 'type'> {
  clientId: string
}

type Policy = NonNullable<ClientConfig['exchange']>['accepts_upstream_tokens'][number]

/** Undefined where the client may not bring it. Rejects with UpstreamError as a sign-in does. */
export function createAcceptToken(options: AcceptOptions) {
  const { clients, upstreams, mapIdentity } = options
  return async ({ clientId, token, type }: AcceptRequest): Promise<Identity | undefined> => {
    const found = policyFor(options, clients[clientId], { token, type })
    if (!found) return undefined
    const { policy, upstream } = found
    const { audiences, authorized_parties: authorizedParties } = policy
    const said = await upstream.verify({ token, type, audiences, authorizedParties })
    const sources = { idToken: said.idTokenClaims, userinfo: said.userinfoClaims }
    const unmet = unmetRequirements(upstreams[said.upstream]?.require, sources)
    if (unmet.length > 0)
      throw new UpstreamError(
        'identity_invalid',
        said.upstream,
        `Does not meet ${unmet.join(', ')}`,
      )
    return { ...(await mapIdentity(said, clientId)), ...contextOf(options, said) }
  }
}

/** How and when the person signed in there, as far as the token says it. */
function contextOf(
  { upstreams, provenAcrs }: AcceptOptions,
  said: UpstreamIdentity,
): Pick<Identity, 'acrs' | 'amr' | 'auth_time'> {
  const { upstream, amr, auth_time } = said
  const settings = upstreams[upstream]
  return {
    ...(settings ? { acrs: provenAcrs(settings, said) } : {}),
    ...(amr === undefined ? {} : { amr }),
    ...(auth_time === undefined ? {} : { auth_time }),
  }
}

function policyFor(
  { upstreamNamed }: AcceptOptions,
  client: ClientConfig | undefined,
  { token, type }: Pick<AcceptRequest, 'token' | 'type'>,
) {
  const iss = issuerIn(token)
  if (iss === undefined) return undefined
  for (const policy of client?.exchange?.accepts_upstream_tokens ?? []) {
    const upstream = upstreamNamed(policy.upstream)?.presented
    if (upstream?.isIssuer(iss) === true && isOfType(policy, type)) return { policy, upstream }
  }
  return undefined
}

const isOfType = ({ token_types: types }: Policy, type: AcceptRequest['type']) =>
  types.includes(type)

/** Not verified: only whom to ask. */
function issuerIn(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const { iss } = JSON.parse(payload) as { iss?: unknown }
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}
