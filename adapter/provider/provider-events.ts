// Tells the log what the authorization server decided. The reason behind a deliberately vague OAuth error stands here and
// nowhere else.
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Log } from '../../service/log.ts'
import { TOKEN_EXCHANGE } from './exchange/exchange-request.ts'

interface OAuthProblem extends Error {
  error?: string
  error_description?: string
  error_detail?: string
}

const REFUSALS = {
  'authorization.error': 'authorization.refused',
  'pushed_authorization_request.error': 'pushed.refused',
  'grant.error': 'token.refused',
  'device_authorization.error': 'device.refused',
  'code_verification.error': 'device.refused',
  'device_resume.error': 'device.refused',
  'end_session.error': 'logout.refused',
  'end_session_confirm.error': 'logout.refused',
  'discovery.error': 'discovery.failed',
  'jwks.error': 'jwks.failed',
  'introspection.error': 'introspection.refused',
  'revocation.error': 'revocation.refused',
} as const

export function logProviderEvents(provider: Provider, log: Log): void {
  const on = provider.on.bind(provider) as (
    event: string,
    listener: (...parameters: never[]) => void,
  ) => void
  for (const [event, name] of Object.entries(REFUSALS)) {
    on(event, (ctx: KoaContextWithOIDC, problem: OAuthProblem) => {
      // Of a JWT it is we who answer (endpoints/token-endpoints.ts).
      if (problem.error !== 'unsupported_token_type') log.warn(name, refusal(ctx, problem))
    })
  }
  on('server_error', (ctx: KoaContextWithOIDC, error: Error) =>
    log.error('request.failed', { ...client(ctx), error }),
  )
  on('authorization.success', (ctx: KoaContextWithOIDC) => log.info('code.issued', client(ctx)))
  on('device_authorization.success', (ctx: KoaContextWithOIDC) =>
    log.info('device.started', client(ctx)),
  )
  on('grant.success', (ctx: KoaContextWithOIDC) =>
    log.info('token.issued', {
      ...client(ctx),
      grant_type: ctx.oidc.params?.['grant_type'],
      scope: ctx.oidc.accessToken?.scope,
    }),
  )
  on('end_session.success', (ctx: KoaContextWithOIDC) => log.info('logout.done', client(ctx)))
  on('grant.revoked', (ctx: KoaContextWithOIDC) => log.info('grant.revoked', client(ctx)))
}

function client(ctx: KoaContextWithOIDC): Record<string, string | undefined> {
  return { client_id: ctx.oidc?.client?.clientId }
}

/** At the token endpoint; another one than we serve is not said. */
function grantType({ oidc }: KoaContextWithOIDC): string | undefined {
  const { grant_type: type } = (oidc?.params ?? {}) as Record<string, string | undefined>
  return type === TOKEN_EXCHANGE ? type : undefined
}

function refusal(ctx: KoaContextWithOIDC, problem: OAuthProblem): Record<string, unknown> {
  const { error, error_description, error_detail, cause } = problem
  return {
    ...client(ctx),
    grant_type: grantType(ctx),
    oauth_error: error ?? 'server_error',
    reason: error_detail ?? error_description ?? problem.message,
    ...(cause === undefined ? {} : { error: cause }),
  }
}
