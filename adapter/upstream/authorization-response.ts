// Judges what the browser brought back from the upstream, before any token request. Knows no HTTP.
import { UpstreamError } from '../errors.ts'
import { isIssuerOf } from './identity/tenant-issuer.ts'
import type { UpstreamExpectation } from './upstream.ts'

export interface ResponseIssuer {
  upstream: string
  issuer: string
  /** Whether the metadata promises `iss` in every authorization response. */
  promisesIss: boolean
}

// RFC 6749 §A.11, printable ASCII: https://www.rfc-editor.org/rfc/rfc6749.html#appendix-A.11. Some servers fail with a 500 at others.
const CODE = /^[\x20-\x7e]{1,8192}$/

/**
 * The authorization code.
 * @throws UpstreamError `issuer_mismatch`, `authorization_error` (with `oauthError`), `identity_invalid` for a malformed answer
 */
export function codeFrom(
  parameters: URLSearchParams,
  expected: UpstreamExpectation,
  from: ResponseIssuer,
): string {
  const malformed = (message: string) =>
    new UpstreamError('identity_invalid', from.upstream, `Authorization response: ${message}`)
  // RFC 6749 §3.1, "MUST NOT be included more than once": https://www.rfc-editor.org/rfc/rfc6749.html#section-3.1
  const repeated = ['state', 'iss', 'error', 'code'].find(
    (name) => parameters.getAll(name).length > 1,
  )
  if (repeated) throw malformed(`${repeated} was sent more than once`)
  if (parameters.get('state') !== expected.state)
    throw malformed('state is not the one of this login')
  checkIssuer(parameters.get('iss'), from)
  const error = parameters.get('error')
  if (error !== null) throw authorizationError(error, from.upstream)
  const code = parameters.get('code')
  if (code === null || !CODE.test(code))
    throw malformed('expected a code of 1 to 8192 printable ASCII characters')
  return code
}

function checkIssuer(
  received: string | null,
  { upstream, issuer, promisesIss }: ResponseIssuer,
): void {
  // RFC 9207 §2.4: https://www.rfc-editor.org/rfc/rfc9207.html#section-2.4
  if (received === null && promisesIss)
    throw mismatch(upstream, issuer, 'none, though the metadata promises it')
  if (received !== null && !isIssuerOf(issuer, received))
    throw mismatch(upstream, issuer, JSON.stringify(received).slice(0, 200))
}

function mismatch(upstream: string, issuer: string, got: string): UpstreamError {
  const message = `Authorization response: expected iss "${issuer}", got ${got}`
  return new UpstreamError('issuer_mismatch', upstream, message)
}

/**
 * For an issuer of many tenants: the response and the ID token that it led to are of the same one.
 * @throws UpstreamError `issuer_mismatch`
 */
export function checkSameIssuer(
  parameters: URLSearchParams,
  { upstream, issuer }: Pick<ResponseIssuer, 'upstream' | 'issuer'>,
): void {
  const received = parameters.get('iss')
  if (received !== null && received !== issuer)
    throw mismatch(upstream, issuer, JSON.stringify(received).slice(0, 200))
}

function authorizationError(received: string, upstream: string): UpstreamError {
  const oauthError = oauthErrorFrom(received)
  return new UpstreamError(
    'authorization_error',
    upstream,
    `Authorization response: error ${oauthError}${HINTS[oauthError] ?? ''}`,
    { oauthError },
  )
}

/** What whoever reads the log has to look at. */
const HINTS: Readonly<Record<string, string>> = {
  invalid_scope: ': it refuses a scope of the setting `scope`',
  unauthorized_client: ': it does not allow our client the authorization code flow',
  unsupported_response_type: ': it does not allow our client the authorization code flow',
}

/** An `error` code as sent, cut to 64 characters; `server_error` where it holds characters that no code may hold. */
export function oauthErrorFrom(received: string): string {
  // RFC 6749 §4.1.2.1, %x20-21 / %x23-5B / %x5D-7E: https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2.1
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(received) ? received.slice(0, 64) : 'server_error'
}
