// Introspection (RFC 7662) and revocation (RFC 7009). oidc-provider reads the request, authenticates the client, and answers
// for opaque and refresh tokens; it refuses JWTs, and for those the answer is made here. Which client may ask after which
// token is decided here for all of them.
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Log } from '../../../service/log.ts'
import type { RevokedTokens } from '../../storage/tokens/revoked-tokens.ts'
import { isExchanged } from '../exchange/own-token.ts'
import type { IssuedTokens, StoredToken } from './issued-tokens.ts'
import type { AccessTokenClaims } from './verify-token.ts'

export const TOKEN_ROUTES = {
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
} as const

export interface TokenEndpointsOptions {
  tokens: IssuedTokens
  revokedTokens: RevokedTokens
  log: Log
  now: () => number
}

interface Model extends StoredToken {
  kind: string
  destroy(): Promise<void>
}

/** oidc-provider's `features` for both. */
export function tokenEndpointFeatures({
  tokens,
  log,
}: Pick<TokenEndpointsOptions, 'tokens' | 'log'>) {
  return {
    introspection: {
      enabled: true,
      allowedPolicy: async (_ctx: KoaContextWithOIDC, client: Client, token: Model) => {
        const issued = tokens.fromModel(token)
        const isTheirs =
          token.kind === 'RefreshToken'
            ? client.clientId === issued.clientId
            : tokens.concerns(client.clientId, issued)
        return isTheirs && (await tokens.standingOf(issued)).state === 'live'
      },
    },
    // Off, the clients would have no algorithm for it; the signed answer is made here.
    jwtIntrospection: { enabled: true },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx: KoaContextWithOIDC, client: Client, token: Model) => {
        if (token.clientId !== client.clientId) return false
        log.info('token.revoked', { client_id: client.clientId })
        if (token.kind !== 'AccessToken' || isExchanged(token.sessionUid)) return true
        // oidc-provider would end the whole grant: an access token ends alone, whatever its format.
        await token.destroy()
        return false
      },
    },
  }
}

/** https://www.rfc-editor.org/rfc/rfc8414#section-2: without these a client would have to assume client_secret_basic. */
export function tokenEndpointMetadata(metadata: Record<string, unknown>): Record<string, string[]> {
  const methods = metadata['token_endpoint_auth_methods_supported'] as string[]
  const algs = metadata['token_endpoint_auth_signing_alg_values_supported'] as string[]
  return {
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: algs,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: algs,
  }
}

type Next = () => Promise<unknown>
type Answer = (ctx: KoaContextWithOIDC) => Promise<void>

/** https://www.rfc-editor.org/rfc/rfc9701#section-4 */
const SIGNED = 'application/token-introspection+jwt'

/** The part around oidc-provider's own handlers. */
export function answerForJwts(provider: Provider, options: TokenEndpointsOptions) {
  const answers: Record<string, Answer> = {
    [TOKEN_ROUTES.introspection]: (ctx) => introspect(options, ctx),
    [TOKEN_ROUTES.revocation]: (ctx) => revoke(provider, options, ctx),
  }
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    const answer = ctx.method === 'POST' ? answers[ctx.path] : undefined
    if (!answer) return void (await next())
    const wantsSigned = ctx.accepts('json', SIGNED) === SIGNED
    // Programs ask here: an error is never a page.
    ctx.req.headers.accept = 'application/json'
    await next()
    if (!ctx.oidc?.client) return
    if (refusedAsJwt(ctx)) await answer(ctx)
    if (ctx.path !== TOKEN_ROUTES.introspection || ctx.status !== 200) return
    if (ctx.oidc.client.clientAuthMethod === 'none') refusePublic(ctx)
    else if (wantsSigned) await sign(provider, ctx)
  }
}

const refusedAsJwt = ({ body }: KoaContextWithOIDC) =>
  (body as { error?: string } | undefined)?.error === 'unsupported_token_type'

const presented = ({ oidc }: KoaContextWithOIDC) => String(oidc.params?.['token'])
const clientIdOf = ({ oidc }: KoaContextWithOIDC) => (oidc.client as Client).clientId

async function introspect({ tokens }: TokenEndpointsOptions, ctx: KoaContextWithOIDC) {
  const read = await tokens.read(presented(ctx))
  const isActive =
    'issued' in read &&
    tokens.concerns(clientIdOf(ctx), read.issued) &&
    (await tokens.standingOf(read.issued)).state === 'live'
  ctx.status = 200
  // https://www.rfc-editor.org/rfc/rfc7662#section-2.2
  ctx.body = isActive
    ? { ...read.claims, active: true, token_type: tokenType(read.claims) }
    : { active: false }
}

// https://www.rfc-editor.org/rfc/rfc9449#section-6.2
const tokenType = ({ cnf }: AccessTokenClaims) => (cnf?.jkt === undefined ? 'Bearer' : 'DPoP')

/** Whatever is not a living token of this client is answered alike: https://www.rfc-editor.org/rfc/rfc7009#section-2.2 */
async function revoke(
  provider: Provider,
  { tokens, revokedTokens, log, now }: TokenEndpointsOptions,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  ctx.status = 200
  ctx.body = ''
  ctx.type = 'text/plain'
  const read = await tokens.read(presented(ctx))
  if (!('issued' in read) || read.issued.clientId !== clientIdOf(ctx)) return
  const { bond } = read.issued
  const { jti, exp } = read.claims
  await revokedTokens.add(jti, Math.max(1, exp - Math.floor(now() / 1000)))
  // Nobody else needs what was kept for it, for up to seven days.
  if (bond && isExchanged(bond.sessionUid)) await provider.AccessToken.revokeByGrantId(bond.grantId)
  log.info('token.revoked', { client_id: read.issued.clientId })
}

/** Whoever introspects has to prove who it is: https://www.rfc-editor.org/rfc/rfc7662#section-2.1 */
function refusePublic(ctx: KoaContextWithOIDC): void {
  ctx.status = 401
  ctx.body = { error: 'invalid_client', error_description: 'client authentication failed' }
}

/** https://www.rfc-editor.org/rfc/rfc9701#section-5 */
async function sign(provider: Provider, ctx: KoaContextWithOIDC): Promise<void> {
  const { IdToken } = provider as unknown as {
    IdToken: new (
      claims: object,
      options: object,
    ) => { extra: object; issue(options: object): Promise<string> }
  }
  const answer = new IdToken({}, { ctx })
  answer.extra = { token_introspection: ctx.body }
  ctx.body = await answer.issue({ use: 'introspection' })
  ctx.type = SIGNED
}
