// Pushed authorization requests (RFC 9126): where they are put down, for how long, how large one may be, and that each is
// answered once. What a request may say is judged by the same checks as at the authorization endpoint.
import { errors, type Adapter, type AdapterFactory, type KoaContextWithOIDC } from 'oidc-provider'
import { StorageError } from '../../errors.ts'
import { keepAsSent } from './sent-parameters.ts'
import type { ExtraParams } from '../authorize/upstream-choice.ts'

export const PUSHED_ROUTES = { pushed_authorization_request: '/oauth2/par' } as const

/** Characters of a form. The authorization endpoint takes 8 kB; a signed request is half as long again. */
const MAX_REQUEST = 16_384

/** Who sends a request here needs no browser, and perhaps no secret: each one is kept for minutes. */
const KEPT = new Set(['pushed_authorization_request', 'device_authorization'])

class RequestTooLarge extends errors.OIDCProviderError {
  override error_description = `the request has more than ${MAX_REQUEST / 1024} kB`
  override expose = true
  constructor() {
    // https://www.rfc-editor.org/rfc/rfc9126#section-2.3
    super(413, 'invalid_request')
  }
}

type Next = () => Promise<unknown>

/** Around oidc-provider's own handler: programs push, so that an error is never a page. */
export async function answerPushed(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  if (ctx.path !== PUSHED_ROUTES.pushed_authorization_request) return void (await next())
  ctx.req.headers.accept = 'application/json'
  await next()
  // What oidc-provider does not read at all has no body of its own: https://www.rfc-editor.org/rfc/rfc9126#section-2.3
  if (ctx.status === 400 && (ctx.request.length ?? 0) > MAX_REQUEST) ctx.status = 413
}

/** oidc-provider's `extraParams`: the last check of each request, here for those that are kept. */
export const pushedParams: ExtraParams = {
  ...keepAsSent,
  client_id: (ctx) => {
    const form = KEPT.has(ctx.oidc.route) ? (ctx.oidc.body as Record<string, string>) : {}
    if (new URLSearchParams(form).toString().length > MAX_REQUEST) throw new RequestTooLarge()
  },
}

/**
 * The same factory. A request is answered once: its record outlives its `exp` by the longest sign-in, so that of two that
 * began in time one is refused, however late.
 */
export function answeredOnce(factory: AdapterFactory, loginSeconds: number): AdapterFactory {
  return (name) => {
    const adapter = factory(name)
    return name === 'PushedAuthorizationRequest' ? singleUse(adapter, loginSeconds) : adapter
  }
}

function singleUse(adapter: Adapter, loginSeconds: number): Adapter {
  return {
    ...adapter,
    upsert: (id, payload, ttlSeconds) =>
      adapter.upsert(id, payload, ttlSeconds && ttlSeconds + loginSeconds),
    async consume(id) {
      await adapter.consume(id).catch((error: unknown) => {
        if (!(error instanceof StorageError && error.code === 'already_consumed')) throw error
        // https://www.rfc-editor.org/rfc/rfc9101#section-6.2
        throw new errors.InvalidRequestUri('request_uri was already used')
      })
    },
  }
}
