// A grant type that is not the client's. OAuth has an error of its own for it; oidc-provider calls it an invalid request.
import type { KoaContextWithOIDC } from 'oidc-provider'

/** Middleware around the token endpoint at `path`. */
export function nameRefusedGrantType(path: string) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next()
    if (ctx.path !== path || !isRefused(ctx)) return
    // https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    ctx.body = { ...(ctx.body as object), error: 'unauthorized_client' }
  }
}

function isRefused({ oidc, body }: KoaContextWithOIDC): boolean {
  const grantType = oidc?.params?.['grant_type']
  return (
    (body as { error?: string } | undefined)?.error === 'invalid_request' &&
    typeof grantType === 'string' &&
    oidc.client?.grantTypeAllowed(grantType) === false
  )
}
