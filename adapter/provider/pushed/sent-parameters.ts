// What an app itself said in an authorization request, wherever it said it: in the query or form, in a request object, or
// pushed before. oidc-provider rewrites some of it on its way; rules about what was asked for look here.
import { decodeJwt } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ExtraParams } from '../authorize/upstream-choice.ts'

type Parameters = Readonly<Record<string, unknown>>

/** Parameters as sent; of a request object its claims, which were verified by the time extra parameters are judged. */
export function sentParameters(ctx: KoaContextWithOIDC): Parameters {
  const pushed = (ctx.oidc.entities as { PushedAuthorizationRequest?: { request: string } })
    .PushedAuthorizationRequest
  if (pushed) return decodeJwt(pushed.request)
  const outer: Parameters = (ctx.method === 'POST' ? ctx.oidc.body : ctx.query) ?? {}
  // Only these count, whatever stands beside them: https://www.rfc-editor.org/rfc/rfc9101#section-6.3
  return typeof outer['request'] === 'string' ? decodeJwt(outer['request']) : outer
}

/** The request is only put down here; the app's browser brings it back to be answered. */
export function isPushing({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.route === 'pushed_authorization_request'
}

/** What oidc-provider's own checks, and ours, replace. A request is judged again when it is brought back, and needs them then. */
const REPLACED = ['max_age', 'prompt', 'scope'] as const

/**
 * oidc-provider's `extraParams`, the last of them: it puts a request down as its checks have left it. A `max_age` of 0 and a
 * scope of offline_access would be lost.
 */
export const keepAsSent: ExtraParams = {
  max_age: (ctx) => {
    if (!isPushing(ctx)) return
    const sent = sentParameters(ctx)
    const params = ctx.oidc.params as Record<string, unknown>
    for (const name of REPLACED) params[name] = sent[name]
  },
}
