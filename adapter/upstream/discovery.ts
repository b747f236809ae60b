// The metadata of one upstream: fetched on first use, shared by parallel logins, renewed hourly behind their backs.
// Judges what it fetched; the client that uses it is in oidc-upstream.ts.
import { UpstreamError } from '../errors.ts'
import type { Log } from '../../service/log.ts'
import type { OutgoingHttp } from './outgoing-http.ts'

export interface UpstreamMetadata {
  issuer: string
  authorization_endpoint: string
  token_endpoint: string
  jwks_uri: string
  userinfo_endpoint?: string
  end_session_endpoint?: string
  revocation_endpoint?: string
  authorization_response_iss_parameter_supported?: boolean
}

export interface MetadataSource {
  /** @throws UpstreamError `unavailable`, `metadata_invalid` */
  current(): Promise<UpstreamMetadata>
}

export interface MetadataSourceOptions {
  upstream: string
  issuer: string
  http: OutgoingHttp
  now: () => number
  log: Log
}

const HOUR_MS = 3_600_000
const RETRY_REFRESH_MS = 60_000
/** A failure is remembered this long, so that a stampede of logins asks a dead upstream once. */
const FAILURE_MS = 500
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const OPTIONAL = ['userinfo_endpoint', 'end_session_endpoint', 'revocation_endpoint'] as const

export function createMetadataSource(options: MetadataSourceOptions): MetadataSource {
  const { upstream, issuer, http, now, log } = options
  let metadata: UpstreamMetadata | undefined
  let fetchedAt = 0
  let failure: { error: unknown; at: number } | undefined
  let underWay: Promise<UpstreamMetadata> | undefined
  const isWithin = (at: number, milliseconds: number) => now() >= at && now() - at < milliseconds

  async function fetchMetadata(): Promise<UpstreamMetadata> {
    try {
      metadata = metadataFrom(await http.getJson(wellKnownUrl(issuer)), upstream, issuer)
      fetchedAt = now()
      failure = undefined
      log.info('upstream.discovered', { upstream, issuer })
      return metadata
    } catch (error) {
      failure = { error, at: now() }
      log.warn('upstream.discovery_failed', { upstream, issuer, err: error })
      throw error
    } finally {
      underWay = undefined
    }
  }

  const fetchShared = () => (underWay ??= fetchMetadata())
  const isResting = (milliseconds: number) => !underWay && failure && isWithin(failure.at, milliseconds)

  async function current(): Promise<UpstreamMetadata> {
    if (metadata && isWithin(fetchedAt, HOUR_MS)) return metadata
    if (metadata) {
      if (!isResting(RETRY_REFRESH_MS)) fetchShared().catch(() => {})
      return metadata
    }
    if (failure && isResting(FAILURE_MS)) throw failure.error
    return fetchShared()
  }

  return { current }
}

/** @throws UpstreamError `metadata_invalid`, naming what was expected and received */
export function metadataFrom(document: unknown, upstream: string, issuer: string): UpstreamMetadata {
  const invalid = (message: string) => new UpstreamError('metadata_invalid', upstream, `Discovery metadata: ${message}`)
  if (typeof document !== 'object' || document === null) throw invalid('expected a JSON object')
  const received = document as Record<string, unknown>
  // OpenID Connect Discovery §4.3, "MUST be identical": https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation
  if (received.issuer !== issuer) {
    throw invalid(`expected issuer "${issuer}", got ${JSON.stringify(received.issuer)?.slice(0, 200)}`)
  }
  const endpoints: Record<string, string> = {}
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    const value = received[name]
    if (value === undefined && !(REQUIRED as readonly string[]).includes(name)) continue
    const fault = endpointFault(value, issuer)
    if (fault) throw invalid(`${name} ${fault}`)
    endpoints[name] = value as string
  }
  const promisesIss = received.authorization_response_iss_parameter_supported === true
  return {
    issuer,
    ...endpoints,
    authorization_response_iss_parameter_supported: promisesIss,
  } as UpstreamMetadata
}

function wellKnownUrl(issuer: string): string {
  // OpenID Connect Discovery §4.1: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

function endpointFault(value: unknown, issuer: string): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return 'is missing or not a URL'
  const url = new URL(value)
  if (url.username || url.password) return 'holds credentials'
  if (url.protocol === 'https:') return undefined
  // http is for an upstream on this very machine, and there for the machine only.
  if (url.protocol === 'http:' && isHttpLoopback(new URL(issuer)) && isHttpLoopback(url)) return undefined
  return `must be https, got ${url.protocol}//${url.host}`
}

/** Whether the URL is plain http to this very machine. */
export function isHttpLoopback(url: URL): boolean {
  return url.protocol === 'http:' && /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(url.hostname)
}
