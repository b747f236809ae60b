// An issuer with two names: browsers know it by its issuer's, and programs reach it at `localhost` alone, as behind a proxy
// that does not let those in who are inside already.
import type { RequestHandler } from 'express'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'

const mark = 'x-asked-internally'

const backChannel = [
  '/.well-known/openid-configuration',
  '/oauth2/token',
  '/oauth2/jwks',
  '/userinfo',
]
const internalEndpoints = ['token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const

const internalHostOf = (issuer: string) => new URL(issuer).host.replace(/^[^:]+/, 'localhost')

/** Goes before the check of the host; `isInternal` says of a path whether it may be asked for at the other name. */
export function acceptInternalHost(
  issuer: string,
  isInternal: (path: string) => boolean,
): RequestHandler {
  const { host } = new URL(issuer)
  const internalHost = internalHostOf(issuer)
  return (req, _res, next) => {
    delete req.headers[mark]
    if (req.headers.host === internalHost && isInternal(req.path))
      Object.assign(req.headers, { host, [mark]: 'yes' })
    next()
  }
}

/** Expects paths without the issuer's own. */
export const refuseFromOutside: RequestHandler = (req, res, next) => {
  if (!backChannel.includes(req.path) || req.headers[mark] !== undefined) return next()
  res.status(403).type('text').send('Only reached from inside')
}

const atInternalHost = (endpoint: unknown): string => {
  const url = new URL(String(endpoint))
  url.host = internalHostOf(url.href)
  return url.href
}

/** Metadata lead programs to where they can go, and browsers to where they can. */
export function sayInternalEndpoints(provider: Provider): void {
  provider.use(async (ctx, next) => {
    await next()
    const { oidc, body, status } = ctx as KoaContextWithOIDC
    if (oidc?.route !== 'discovery' || status !== 200) return
    const metadata = body as Record<string, unknown>
    const moved = internalEndpoints.map((name) => [name, atInternalHost(metadata[name])] as const)
    ctx.body = { ...metadata, ...Object.fromEntries(moved) }
  })
}
