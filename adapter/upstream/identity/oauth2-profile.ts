// Who the person is at a plain OAuth 2.0 upstream: its userinfo-like document, the subject in it, and the address that the
// provider itself verified. What is minted from it is claims/.
import { UpstreamError } from '../../errors.ts'
import type { OAuth2UpstreamConfig } from '../../config/schema.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import { copyClaims } from './safe-claims.ts'
import type { Claims } from './safe-claims.ts'

export interface ProfileRequest {
  upstream: string
  config: OAuth2UpstreamConfig
  http: OutgoingHttp
  accessToken: string
  signal: AbortSignal
}

export interface Profile {
  /** 1-255 printable ASCII characters. */
  sub: string
  /** Null prototype. */
  claims: Claims
}

/** @throws UpstreamError `unavailable`, `identity_invalid` */
export async function fetchProfile(request: ProfileRequest): Promise<Profile> {
  const { upstream, config } = request
  const { userinfo, emails } = config.endpoints
  const [document, addresses] = await Promise.all([
    getJson(request, userinfo),
    emails === undefined ? undefined : getJson(request, emails),
  ])
  const claims = copyClaims(document)
  if (!claims) throw invalid(upstream, 'Userinfo is not an object of bounded size')
  const sub = subjectFrom(claims, config.subject_claim)
  if (sub === undefined) {
    const wanted = 'expected a text of 1-255 printable ASCII characters or a whole number'
    throw invalid(upstream, `Userinfo ${config.subject_claim}: ${wanted}`)
  }
  if (emails === undefined) return { sub, claims }
  if (!Array.isArray(addresses)) throw invalid(upstream, 'The list of addresses is not a list')
  return { sub, claims: withAddress(claims, addresses) }
}

function invalid(upstream: string, message: string): UpstreamError {
  return new UpstreamError('identity_invalid', upstream, message)
}

function getJson({ http, accessToken, signal }: ProfileRequest, url: string): Promise<unknown> {
  const headers = {
    // RFC 6750 §2.1, the header only: https://www.rfc-editor.org/rfc/rfc6750.html#section-2.1
    authorization: `Bearer ${accessToken}`,
    // GitHub answers nobody without a name.
    'user-agent': 'auth-adapter',
  }
  return http.getJson(url, { headers, signal })
}

function subjectFrom(claims: Claims, path: string): string | undefined {
  const value = path
    .split('.')
    .reduce<unknown>((inner, step) => (isClaims(inner) ? inner[step] : undefined), claims)
  // A number beyond this was rounded as it was read: two people could become one.
  if (Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value) ? value : undefined
}

function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The address people show in their profile need not be theirs: only the one on the list counts. */
function withAddress(claims: Claims, addresses: readonly unknown[]): Claims {
  const { email: _, email_verified: __, ...others } = claims
  const found = addresses.find(
    (item) => isClaims(item) && item['primary'] === true && item['verified'] === true,
  ) as Claims | undefined
  const address = typeof found?.['email'] === 'string' ? found['email'] : undefined
  const own = address === undefined ? {} : { email: address, email_verified: true }
  return Object.assign(Object.create(null), others, own) as Claims
}
