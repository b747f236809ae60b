// The metadata of one upstream: fetched on first use, shared by parallel logins, renewed behind their backs.
// Judges what it fetched; the client that uses it is in oidc-upstream.ts.
import { UpstreamError } from '../../errors.ts'
import type { Log } from '../../../service/log.ts'
import type { UpstreamConfig } from '../../config/schema.ts'
import { createDocumentLoader } from './document-loader.ts'
import type { Loaded } from './document-loader.ts'
import { issuerDifference } from './issuer-difference.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import { createSharedDocument } from './shared-document.ts'

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

export type EndpointOverrides = UpstreamConfig['endpoints']

export interface MetadataSource {
  /** @throws UpstreamError `unavailable`, `metadata_invalid` */
  current(): Promise<UpstreamMetadata>
  /** As it was heard within `ageMs`: the upstream answers. @throws as above */
  recent(ageMs: number): Promise<UpstreamMetadata>
}

export interface MetadataSourceOptions {
  upstream: string
  issuer: string
  /** URLs in place of those the metadata says. */
  endpoints?: EndpointOverrides
  http: OutgoingHttp
  now: () => number
  log: Log
}

const HOUR_MS = 3_600_000
/** When it is renewed behind the scenes. */
const BOUNDS = { leastMs: 5 * 60_000, usualMs: HOUR_MS, mostMs: 24 * HOUR_MS }
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const OPTIONAL = ['userinfo_endpoint', 'end_session_endpoint', 'revocation_endpoint'] as const

export function createMetadataSource(options: MetadataSourceOptions): MetadataSource {
  const { upstream, issuer, endpoints, http, now, log } = options
  const url = endpoints?.discovery ?? wellKnownUrl(issuer)

  const fetchMetadata = createDocumentLoader({
    upstream,
    url: async () => url,
    http,
    bounds: BOUNDS,
    read: (document) => metadataFrom(document, upstream, issuer, endpoints),
  })

  async function load(): Promise<Loaded<UpstreamMetadata>> {
    try {
      const loaded = await fetchMetadata()
      log.info('upstream.discovered', { upstream, issuer })
      return loaded
    } catch (error) {
      log.warn('upstream.discovery_failed', { upstream, issuer, error })
      throw error
    }
  }

  // Metadata that can not be renewed serves on: an upstream that answers logins need not answer this.
  return createSharedDocument({ load, now, maxAgeMs: Infinity })
}

/** @throws UpstreamError `metadata_invalid`, naming what was expected and received */
export function metadataFrom(
  document: unknown,
  upstream: string,
  issuer: string,
  overrides: EndpointOverrides = {},
): UpstreamMetadata {
  const invalid = (message: string) =>
    new UpstreamError('metadata_invalid', upstream, `Discovery metadata: ${message}`)
  if (typeof document !== 'object' || document === null) throw invalid('expected a JSON object')
  const received = document as Record<string, unknown>
  // OpenID Connect Discovery §4.3, "MUST be identical": https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation
  if (received.issuer !== issuer) {
    const difference = issuerDifference(issuer, received.issuer)
    throw invalid(
      `expected issuer "${issuer}", got ${JSON.stringify(received.issuer)?.slice(0, 200)}${difference ? `: ${difference}` : ''}`,
    )
  }
  const endpoints = configuredEndpoints(overrides)
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    if (endpoints[name] !== undefined) continue
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

/** By their names in the metadata. The configuration was judged as it was loaded. */
function configuredEndpoints(overrides: EndpointOverrides): Record<string, string> {
  const { authorization, token, jwks, userinfo } = overrides
  return {
    ...(authorization ? { authorization_endpoint: authorization } : {}),
    ...(token ? { token_endpoint: token } : {}),
    ...(jwks ? { jwks_uri: jwks } : {}),
    ...(userinfo ? { userinfo_endpoint: userinfo } : {}),
  }
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
  if (url.protocol === 'http:' && isHttpLoopback(new URL(issuer)) && isHttpLoopback(url))
    return undefined
  return `must be https, got ${url.protocol}//${url.host}`
}

/** Whether the URL is plain http to this very machine. */
export function isHttpLoopback(url: URL): boolean {
  return url.protocol === 'http:' && /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(url.hostname)
}
