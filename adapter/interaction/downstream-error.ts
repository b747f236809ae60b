// What becomes of an upstream's failure: an OAuth error for the app, or a page for the person. One table (design.md §6).
import type { UpstreamError } from '../errors.ts'

export type Downstream =
  | { kind: 'redirect'; error: string; error_description: string }
  /** The person can try again here; the app learns `temporarily_unavailable` if they go back. */
  | { kind: 'page' }

const PAGE: Downstream = { kind: 'page' }

/** Errors of the upstream's authorization endpoint that mean the same to the app (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6). */
const SAME = new Set([
  // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
  'access_denied',
  'temporarily_unavailable',
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError
  'login_required',
  'interaction_required',
])

const DESCRIPTIONS: Record<string, string> = {
  access_denied: 'the end-user or the identity provider refused the sign-in',
  temporarily_unavailable: 'the identity provider is not available at the moment',
  login_required: 'the identity provider asks for a sign-in',
  interaction_required: 'the identity provider asks for an interaction',
}

export function downstreamError(error: UpstreamError, flowId: string | undefined): Downstream {
  switch (error.code) {
    case 'unavailable':
    case 'code_rejected':
      return PAGE
    case 'authorization_error':
      return redirect(
        SAME.has(error.oauthError ?? '') ? (error.oauthError as string) : 'server_error',
        flowId,
      )
    default:
      return redirect('server_error', flowId)
  }
}

/** The upstream's own description is never passed on: it may say anything. */
export function redirect(
  error: string,
  flowId: string | undefined,
): Downstream & { kind: 'redirect' } {
  const description =
    DESCRIPTIONS[error] ?? 'the answer of the identity provider could not be accepted'
  return {
    kind: 'redirect',
    error,
    error_description: flowId === undefined ? description : `${description} (flow ${flowId})`,
  }
}
