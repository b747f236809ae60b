// What the doctor fetched before it judges: the discovery document, the JWKS, and what came with them.
// Judges nothing; the checks are in the files beside.
import type { AnyUpstreamConfig, UpstreamConfig } from '../../config/schema.ts'
import { metadataFrom } from '../metadata/discovery.ts'
import type { UpstreamMetadata } from '../metadata/discovery.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import type { OutgoingAnswer } from '../http/send-request.ts'
import type { TokenMetadata } from '../token/token-request.ts'
import type { AuthorizationAnswer } from './probes/authorization-probe.ts'
import { stringsOf } from './finding.ts'

export interface Patient<C = AnyUpstreamConfig> {
  /** The configured name of the upstream. */
  name: string
  config: C
  /** Ours, to be registered there. */
  callbackUrl: string
  http: OutgoingHttp
  /** PEM of the authorities trusted in place of Node's. */
  ca: string | undefined
  /** Epoch milliseconds. */
  now: () => number
}

export interface Fetched {
  url: string
  answer?: OutgoingAnswer
  /** The parsed body, where it is a JSON object. */
  document?: Readonly<Record<string, unknown>>
  /** Why there is no answer. */
  error?: Error
  /** Epoch milliseconds. */
  startedAt: number
  tookMs: number
}

/** What the probes need, of an upstream of any kind. */
export interface Probed extends Patient {
  /** Absent where a login would refuse the metadata: then nothing of ours is sent there. */
  metadata?: TokenMetadata
  /** The client authentication methods that it lists. */
  offeredMethods: string[] | undefined
  /** The probe of the authorization endpoint, sent at the first call. */
  authorization(): Promise<AuthorizationAnswer>
}

export interface Exam extends Probed {
  config: UpstreamConfig
  discovery: Fetched
  /** Absent where there is no document that names a jwks_uri. */
  jwks?: Fetched
}

export async function examine(
  patient: Patient<UpstreamConfig>,
  probe: (probed: Probed) => Promise<AuthorizationAnswer>,
): Promise<Exam> {
  const { name, config } = patient
  const { issuer, endpoints } = config
  const discovery = await fetchDocument(patient, endpoints.discovery ?? wellKnownUrl(issuer))
  let asked: Promise<AuthorizationAnswer> | undefined
  const exam: Exam = {
    ...patient,
    discovery,
    offeredMethods: stringsOf(discovery.document?.token_endpoint_auth_methods_supported),
    authorization: () => (asked ??= probe(exam)),
  }
  const metadata = usableMetadata(discovery.document, name, config)
  if (metadata) exam.metadata = metadata
  const jwksUri = endpoints.jwks ?? discovery.document?.jwks_uri
  if (typeof jwksUri === 'string' && /^https?:/.test(jwksUri) && URL.canParse(jwksUri)) {
    exam.jwks = await fetchDocument(patient, jwksUri)
  }
  return exam
}

function wellKnownUrl(issuer: string): string {
  // OpenID Connect Discovery §4.1: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

async function fetchDocument({ http, now }: Patient, url: string): Promise<Fetched> {
  const startedAt = now()
  const begun = performance.now()
  const fetched: Fetched = { url, startedAt, tookMs: 0 }
  try {
    const answer = await http.exchange(url, { headers: { accept: 'application/json' } })
    const document = objectFrom(answer.text)
    Object.assign(fetched, { answer }, document ? { document } : {})
  } catch (error) {
    fetched.error = error as Error
  }
  fetched.tookMs = Math.round(performance.now() - begun)
  // An error page may be JSON too, but is not the document.
  if (fetched.answer && fetched.answer.status !== 200) delete fetched.document
  return fetched
}

function objectFrom(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return isObject ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function usableMetadata(
  document: unknown,
  name: string,
  { issuer, endpoints }: UpstreamConfig,
): UpstreamMetadata | undefined {
  try {
    return document === undefined ? undefined : metadataFrom(document, name, issuer, endpoints)
  } catch {
    return undefined
  }
}
