// What oidc-provider's device flow leaves to do around its own handlers: a pace for polls, pages instead of forms that send
// themselves, and a way on to the upstream that a form's Content-Security-Policy does not stop.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { goOnPage } from '../../pages/go-on-page.ts'
import { hashed } from '../../storage/provider/artefact-key.ts'
import type { Driver } from '../../storage/driver.ts'
import { ROUTES } from '../routes.ts'
import { DEVICE_GRANT, DEVICE_ROUTES, POLL_INTERVAL } from './device-grant.ts'

type Next = () => Promise<unknown>
type Middleware = (ctx: KoaContextWithOIDC, next: Next) => Promise<void>

/** A device's clock and the network are not exact. */
const TOLERANCE_SECONDS = 1

export function deviceMiddleware(driver: Driver): Middleware[] {
  return [answerDevices, keepPace(driver), keepToPages]
}

interface Answer {
  device_code?: string
  interval?: number
  error?: string
}

/** Programs ask here: an error is never a page. */
const answerDevices: Middleware = async (ctx, next) => {
  const isTheirs = ctx.path === DEVICE_ROUTES.device_authorization
  if (isTheirs) ctx.req.headers.accept = 'application/json'
  await next()
  const body = ctx.body as Answer | undefined
  if (!isTheirs || body === undefined) return
  if (body.device_code !== undefined) body.interval = POLL_INTERVAL
  // https://www.rfc-editor.org/rfc/rfc6749#section-5.2
  const isRefused = ctx.oidc.client?.grantTypeAllowed(DEVICE_GRANT) === false
  if (body.error === 'invalid_request' && isRefused) body.error = 'unauthorized_client'
}

/** A poll that comes too early learns so, and nothing else: https://www.rfc-editor.org/rfc/rfc8628#section-3.5 */
function keepPace(driver: Driver): Middleware {
  return async (ctx, next) => {
    await next()
    const body = ctx.body as { error?: string; error_description?: string } | undefined
    if (ctx.path !== ROUTES.token || body?.error !== 'authorization_pending') return
    const key = `DevicePoll:${hashed(String(ctx.oidc.params?.['device_code']))}`
    if (await driver.insert(key, 1, POLL_INTERVAL - TOLERANCE_SECONDS)) return
    ctx.body = { error: 'slow_down', error_description: `poll every ${POLL_INTERVAL} seconds` }
  }
}

const keepToPages: Middleware = async (ctx, next) => {
  const isHere = ctx.path === DEVICE_ROUTES.code_verification
  // With the code in it oidc-provider would answer with a form that sends itself. The page reads the original URL.
  if (isHere && ctx.method === 'GET') ctx.querystring = ''
  await next()
  if (isHere && ctx.method === 'POST' && ctx.status === 303) goOn(ctx)
}

/** Chromium holds form-action against every redirect that follows a form, and where an upstream leads to is not known. */
function goOn(ctx: KoaContextWithOIDC): void {
  const location = ctx.response.get('location')
  ctx.remove('location')
  ctx.status = 200
  ctx.set('refresh', `0;url=${location}`)
  ctx.type = 'html'
  ctx.body = goOnPage(location)
}
