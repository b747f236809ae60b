// What becomes of an upstream's failure: an OAuth error for the app, or a page for the person. One table (design.md §6).
import type { UpstreamError, UpstreamErrorCode } from '../errors.ts'

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
  consent_required: 'the identity provider asks for consent',
  account_selection_required: 'the identity provider asks for the choice of an account',
  unmet_authentication_requirements:
    'the identity provider signed the end-user in, but not as was asked for',
}

/** What becomes of an error that is not the upstream's own word. The rest is `server_error`. */
const ANSWERS: Partial<Record<UpstreamErrorCode, string>> = {
  // https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html
  context_unmet: 'unmet_authentication_requirements',
}

export function downstreamError(error: UpstreamError, flowId: string | undefined): Downstream {
  if (error.code === 'unavailable' || error.code === 'code_rejected') return PAGE
  if (error.code !== 'authorization_error')
    return redirect(ANSWERS[error.code] ?? 'server_error', flowId)
  const said = error.oauthError ?? ''
  return redirect(SAME.has(said) ? said : 'server_error', flowId)
}

/** Answers to prompt=none that say: not without a page. */
const NEEDS_PAGE = new Set([
  'login_required',
  'interaction_required',
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError
  'consent_required',
  'account_selection_required',
])

/** The app asked for no page (`prompt=none`): it gets an answer whatever went wrong. */
export function silentError(
  error: UpstreamError,
  flowId: string | undefined,
): Downstream & { kind: 'redirect' } {
  const said = error.oauthError ?? ''
  if (error.code === 'authorization_error' && NEEDS_PAGE.has(said)) return redirect(said, flowId)
  // With a page the person could sign in as the app wants it.
  if (error.code === 'context_unmet') return redirect('login_required', flowId)
  const downstream = downstreamError(error, flowId)
  return downstream.kind === 'page' ? redirect('temporarily_unavailable', flowId) : downstream
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
