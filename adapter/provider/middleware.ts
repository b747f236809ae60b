// What stands around oidc-provider's own handlers, outermost first: storage writes go out together, and what they ask of
// HTTP is done our way (302 to a GET, our pages, only what is served advertised). No decision about a person is made here.
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { UnitOfWork } from '../storage/unit-of-work.ts'
import type { Identities } from '../storage/sessions/identities.ts'
import { noteFields } from '../../service/request-context.ts'
import { randomBytes } from 'node:crypto'
import { ROUTES } from './routes.ts'
import { tokenEndpointMetadata } from './endpoints/token-endpoints.ts'
import { replaceForms } from './authorize/replace-forms.ts'
import type { RequestedContext } from './authorize/requested-context.ts'
import { asOAuthError } from './oauth-errors.ts'
import { finishSignOut, type SignOut } from './logout/sign-out.ts'

/** Shows an error as a page, or as JSON where the client is a program. Sets status, headers and body. */
export type ShowError = (
  ctx: KoaContextWithOIDC,
  error: unknown,
  out?: { error: string; error_description?: string | undefined },
) => void

type Next = () => Promise<unknown>
type Middleware = (ctx: KoaContextWithOIDC, next: Next) => Promise<void>

interface MiddlewareOptions {
  unitOfWork: UnitOfWork
  identities: Identities
  signOut: SignOut
  requestedContext: Pick<RequestedContext, 'markers'>
  showError: ShowError
  now: () => number
}

/** In the order they are to be used. */
export function createMiddleware(provider: Provider, options: MiddlewareOptions): Middleware[] {
  return [
    startFlow,
    writeTogether(options),
    answerGetWithFound,
    adjustDiscovery,
    finishSignOut(options),
    replaceForms(options.requestedContext, options.now),
    revokeMisusedCode(provider),
  ]
}

const FLOW_BEGINS = new Set<string>([ROUTES.authorization, ROUTES.device_authorization])

/** Where a flow begins; later requests find its id beside what was stored then. */
const startFlow: Middleware = async (ctx, next) => {
  if (FLOW_BEGINS.has(ctx.path)) noteFields({ flow_id: randomBytes(9).toString('base64url') })
  await next()
}

/** oidc-provider has answered with an error of ours, and would store what it had done until then. */
const ANSWERED = new Error('answered')

/** One wait for all writes of a request. When it or they fail nothing of it is left: no code, no cookie, nothing stored. */
function writeTogether({ unitOfWork, showError }: MiddlewareOptions): Middleware {
  return async (ctx, next) => {
    try {
      await unitOfWork.run(async () => {
        await next()
        if (ctx.status >= 500) throw ANSWERED
      })
      if (ctx.status === 404 && ctx.body === undefined)
        showError(ctx, undefined, { error: 'not_found' })
    } catch (error) {
      ctx.remove('set-cookie')
      ctx.remove('location')
      if (error !== ANSWERED) showError(ctx, asOAuthError(error))
    }
  }
}

/** design.md §2: a redirect that answers a GET is 302; after a POST it stays 303. */
const answerGetWithFound: Middleware = async (ctx, next) => {
  await next()
  if (ctx.method === 'GET' && ctx.status === 303) ctx.status = 302
}

/** oidc-provider lists three response modes whatever is served, and not how clients prove themselves beside the token endpoint. */
const adjustDiscovery: Middleware = async (ctx, next) => {
  await next()
  const metadata = ctx.body as Record<string, unknown> | undefined
  if (!ctx.path.startsWith('/.well-known/') || !metadata?.['response_modes_supported']) return
  metadata['response_modes_supported'] = ['query', 'form_post']
  Object.assign(metadata, tokenEndpointMetadata(metadata))
}

/** A code that was presented wrongly or twice has leaked: what was issued for it ends (RFC 6749, section 4.1.2). */
function revokeMisusedCode(provider: Provider): Middleware {
  // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
  return async (ctx, next) => {
    await next()
    if (
      ctx.path !== ROUTES.token ||
      (ctx.body as { error?: string } | undefined)?.error !== 'invalid_grant'
    )
      return
    const { code, grant_type } = (ctx.oidc.params ?? {}) as Record<string, unknown>
    if (grant_type !== 'authorization_code' || typeof code !== 'string' || !ctx.oidc.client) return
    const misused = await provider.AuthorizationCode.find(code, { ignoreExpiration: true } as never)
    // Our provider adapter ends the whole grant, whichever of its artefacts it is asked through.
    if (misused?.grantId) await provider.AuthorizationCode.revokeByGrantId(misused.grantId)
  }
}
