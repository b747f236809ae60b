// Where the circumstances of an authentication meet oidc-provider: which parameters are known, when prompt=none and
// max_age=0 are left to the upstream, when a session is too weak, and what our tokens say. What is enough is passed in.
import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { KnownAccount } from '../people/account.ts'
import { TOKEN_EXCHANGE } from '../exchange/exchange-request.ts'
import { isPushing, sentParameters } from '../pushed/sent-parameters.ts'
import { requestedChoice, type ExtraParams, type RequestedChoice } from './upstream-choice.ts'

export interface RequestedContext {
  /** Parameters of apps that may be sent upstream. */
  readonly forwarded: readonly string[]
  /** Every `acr` that some upstream can prove. */
  readonly acrNames: readonly string[]
  /** Parameters that we set: the upstream is asked without a page; the person has to sign in anew. */
  readonly markers: { readonly silent: string; readonly anew: string }
  maySilently(request: RequestedChoice): boolean
  /** `isFinal`: a trip upstream would change nothing, or may not be made. */
  isTooWeak(request: RequestedChoice, identity: Identity, isFinal: boolean): boolean
  /** What this app is told of the session. */
  acrFor(request: RequestedChoice, identity: Identity): string | undefined
}

/** oidc-provider reads these of the request; any other that apps send is not even seen. */
const STANDARD = new Set(['claims_locales', 'display', 'login_hint', 'ui_locales'])

/** The names of `extraParams`. The markers are ours: whatever an app sends under their names is replaced. */
export function contextParams(context: RequestedContext): ExtraParams {
  const { forwarded, markers } = context
  const known = forwarded.filter((name) => !STANDARD.has(name)).map((name) => [name, null])
  return {
    ...(Object.fromEntries(known) as Record<string, null>),
    [markers.silent]: (ctx) => {
      if (isPushing(ctx)) return
      const params = ctx.oidc.params as Record<string, unknown>
      const isSilent =
        params['prompt'] === 'none' &&
        !isForeignFrame(ctx) &&
        context.maySilently(requestedChoice(ctx))
      params[markers.silent] = isSilent ? '1' : undefined
      if (isSilent) params['prompt'] = undefined
    },
    [markers.anew]: (ctx) => {
      const params = ctx.oidc.params as Record<string, unknown>
      params[markers.anew] = isMaxAgeZero(ctx) ? '1' : undefined
    },
  }
}

/** In a frame of another site no browser keeps our cookies, so that a login could never be finished there. */
function isForeignFrame(ctx: KoaContextWithOIDC): boolean {
  return (
    ctx.get('sec-fetch-site') === 'cross-site' &&
    !['', 'document'].includes(ctx.get('sec-fetch-dest'))
  )
}

/** oidc-provider has made prompt=login of it by now. */
function isMaxAgeZero(ctx: KoaContextWithOIDC): boolean {
  const sent = sentParameters(ctx)['max_age']
  return ['string', 'number'].includes(typeof sent) && sent !== '' && Number(sent) === 0
}

/** The session was opened by a sign-in that is not as the app asks for. */
export function acrCheck({ isTooWeak, markers }: RequestedContext): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'acr',
    'End-User authentication in another way is required',
    'login_required',
    (ctx) => {
      const account = ctx.oidc.account as KnownAccount | undefined
      const params = (ctx.oidc.params ?? {}) as Record<string, unknown>
      const isFinal =
        ctx.oidc.result?.login !== undefined ||
        params['prompt'] === 'none' ||
        params[markers.silent] !== undefined
      return account !== undefined && isTooWeak(requestedChoice(ctx), account.identity, isFinal)
    },
  )
}

/** An app sets a limit, and the upstream did not say when the person signed in: it is asked, with that limit. */
export function unknownAuthTimeCheck(): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'auth_time_unknown',
    'End-User authentication could not be obtained',
    'login_required',
    ({ oidc }) =>
      oidc.params?.['max_age'] !== undefined &&
      oidc.session?.accountId !== undefined &&
      oidc.session.authTime() === undefined &&
      oidc.result?.login === undefined,
  )
}

/** @throws InvalidRequest where a demand could not be read, so that it is not dropped */
export function assertAcrClaim(
  _ctx: KoaContextWithOIDC,
  { id_token }: { id_token?: Record<string, unknown> },
): void {
  const { value, values } = (id_token?.['acr'] ?? {}) as { value?: unknown; values?: unknown }
  const isName = (name: unknown) => typeof name === 'string' && name !== ''
  const isList = Array.isArray(values) && values.length > 0 && values.every(isName)
  if ((value !== undefined && !isName(value)) || (values !== undefined && !isList))
    // https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests
    throw new errors.InvalidRequest(
      'claims.id_token.acr: expected value to be a text, values a list of such, none of them empty',
    )
}

/** Told with `openid`: OpenID Connect Core, section 2. */
// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
export const CONTEXT_CLAIMS = ['acr', 'amr', 'auth_time'] as const

/** Of the token of an upstream that was brought: what it says itself. */
function exchangedContext({ params, account }: KoaContextWithOIDC['oidc']) {
  if (params?.['grant_type'] !== TOKEN_EXCHANGE) return {}
  const { acrs, amr, auth_time } = (account as KnownAccount | undefined)?.identity ?? {}
  return { acr: acrs?.[0], amr, auth_time }
}

/** For an access token: those of the authentication that its code stands for (RFC 9068, section 2.2.1). */
export function accessTokenContext({ oidc }: KoaContextWithOIDC): Record<string, unknown> {
  // https://www.rfc-editor.org/rfc/rfc9068#section-2.2.1
  const code = oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken
  const { acr, amr, authTime } = (code ?? {}) as { acr?: string; amr?: string[]; authTime?: number }
  const told = code ? { acr, amr, auth_time: authTime } : exchangedContext(oidc)
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
}

/** One session may have proven several: each app is told the one it asked for. */
export function tellAcr(provider: Provider, { acrFor }: RequestedContext): void {
  provider.on('authorization.accepted', (ctx: KoaContextWithOIDC) => {
    const account = ctx.oidc.account as KnownAccount | undefined
    const session = ctx.oidc.session as { acr?: string | undefined } | undefined
    if (account && session) session.acr = acrFor(requestedChoice(ctx), account.identity)
  })
}

/** oidc-provider takes the time of our own session where a login says none, and null for none at all. */
export function omitUnknownAuthTime({ Session }: Provider): void {
  const session = Session.prototype as unknown as { loginTs?: number | null; authTime: unknown }
  session.authTime = function authTime(this: typeof session) {
    return this.loginTs ?? undefined
  }
}
