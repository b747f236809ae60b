// The userinfo of one upstream: whether to ask, and whether to believe the answer. What is mapped from it is claims/.
import { UpstreamError } from '../../errors.ts'
import type { Log } from '../../../service/log.ts'
import type { ClientConfig, UpstreamConfig } from '../../config/schema.ts'
import type { UpstreamMetadata } from '../metadata/discovery.ts'
import { jsonFrom } from '../http/outgoing-http.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import { keepAnswers } from '../metadata/kept-answers.ts'
import { copyClaims } from './safe-claims.ts'
import type { Claims } from './safe-claims.ts'
import { isSigned, signedUserinfo } from './signed-userinfo.ts'

export interface UserinfoOptions {
  upstream: string
  config: UpstreamConfig
  /** The apps, whose own claims may need it. */
  clients?: Readonly<Record<string, ClientConfig>> | undefined
  http: OutgoingHttp
  /** Epoch milliseconds. */
  now: () => number
  jwks: JwksCache
  log: Log
}

/** The claims of userinfo, or undefined where it was not asked or may be done without. */
export type Userinfo = (
  metadata: UpstreamMetadata,
  accessToken: string,
  idTokenClaims: Claims,
  signal: AbortSignal,
) => Promise<Claims | undefined>

export function createUserinfo(options: UserinfoOptions): Userinfo {
  const { upstream, config, clients = {}, http, now, log } = options
  const exchange = keepAnswers(http, now)
  const apps = Object.values(clients).filter((app) => app.upstreams?.includes(upstream) ?? true)
  const paths = [
    ...[config, ...apps].flatMap(claimPaths),
    ...requiredPaths(config),
    ...(config.subject_alias ? [config.subject_alias.claim] : []),
  ]

  return async (metadata, accessToken, idTokenClaims, signal) => {
    const isWanted = config.userinfo === 'always'
    const isMissing =
      config.userinfo === 'when_missing' && paths.some((path) => !holds(idTokenClaims, path))
    if (!isWanted && !isMissing) return undefined
    try {
      const url = metadata.userinfo_endpoint
      const issuer = idTokenClaims.iss as string
      if (!url) throw missingEndpoint(upstream)
      return userinfoClaims(
        await ask({ ...options, exchange }, url, { accessToken, issuer, signal }),
        idTokenClaims,
        upstream,
      )
    } catch (error) {
      if ((config.userinfo_required ?? isWanted) || !isBearable(error)) throw error
      log.warn('upstream.userinfo_failed', { upstream, error })
      return undefined
    }
  }
}

/** JSON, or what a JWT says that holds: which one an upstream gives is agreed on there. */
async function ask(
  { upstream, config, exchange, jwks }: UserinfoOptions & Pick<OutgoingHttp, 'exchange'>,
  url: string,
  { accessToken, issuer, signal }: { accessToken: string; issuer: string; signal: AbortSignal },
): Promise<unknown> {
  // RFC 6750 §2.1, the header only: https://www.rfc-editor.org/rfc/rfc6750.html#section-2.1
  const authorization = `Bearer ${accessToken}`
  const headers = { authorization, accept: 'application/json, application/jwt;q=0.9' }
  const answer = await exchange(url, { headers, signal })
  if (!isSigned(answer))
    return jsonFrom(
      answer,
      url,
      (message, cause) => new UpstreamError('unavailable', upstream, message, { cause }),
    )
  const { client_id: clientId, id_token_algs: algorithms } = config
  return signedUserinfo(answer.text, jwks, { upstream, issuer, clientId, algorithms })
}

function missingEndpoint(upstream: string): UpstreamError {
  return new UpstreamError(
    'metadata_invalid',
    upstream,
    'Discovery metadata: userinfo_endpoint is missing',
  )
}

/** Userinfo that can not be had may be done without; userinfo of somebody else may not. */
function isBearable(error: unknown): boolean {
  return error instanceof UpstreamError && error.code !== 'identity_invalid'
}

function userinfoClaims(document: unknown, idTokenClaims: Claims, upstream: string): Claims {
  const invalid = (message: string) => new UpstreamError('identity_invalid', upstream, message)
  const claims = copyClaims(document)
  if (!claims) throw invalid('Userinfo is not an object of bounded size')
  // OpenID Connect Core §5.3.2: https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
  if (claims.sub !== idTokenClaims.sub) throw invalid('Userinfo sub is not the sub of the ID token')
  return claims
}

/** The claims the mapping looks for: where a rule names no source, the minted claim's own name. */
function claimPaths({ claims }: Pick<UpstreamConfig, 'claims'>): string[] {
  return Object.entries(claims).flatMap(([name, rule]) => {
    if (typeof rule === 'string') return [rule]
    if (rule.template !== undefined) return pathsOf(rule.template)
    return rule.constant === undefined ? [rule.from ?? name] : []
  })
}

/** What the rules look for that deny a sign-in. */
function requiredPaths({ require: required }: UpstreamConfig): string[] {
  if (!required) return []
  return [
    ...(required.groups ? [required.groups_from] : []),
    ...(required.email_domains ? ['email', 'email_verified'] : []),
    ...Object.keys(required.claims ?? {}),
  ]
}

/** A template's paths stand in braces. */
function pathsOf(template: string): string[] {
  return template.split(/[{}]/).filter((_part, index) => index % 2 === 1)
}

function holds(claims: Claims, path: string): boolean {
  if (claims[path] !== undefined) return true
  let value: unknown = claims
  for (const step of path.split('.'))
    value = (value as Record<string, unknown> | null | undefined)?.[step]
  return value !== undefined
}
