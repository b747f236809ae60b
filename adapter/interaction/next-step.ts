// Decides what an interaction needs: a trip to the upstream, or an answer at once. Nothing is asked for twice: what the
// upstream could not give the first time ends in one OAuth error, never in another round (no loops).
import type { InteractionResults } from 'oidc-provider'
import { MARKERS } from './context/asked-context.ts'

/** The part of oidc-provider's Interaction that is judged. */
export interface PendingInteraction {
  prompt: { name: string; reasons: string[] }
  lastSubmission?: InteractionResults | undefined
  params?: Record<string, unknown>
}

export type NextStep =
  /** `prompt` goes to the upstream: the person has to show themselves again, or to choose an account. */
  | { kind: 'login'; prompt?: 'login' | 'select_account' }
  /** No trip needed or possible. */
  | { kind: 'answer'; result: InteractionResults }

const LOGIN: NextStep = { kind: 'login' }
const SELECT_ACCOUNT: NextStep = { kind: 'login', prompt: 'select_account' }
const LOGIN_AGAIN: NextStep = { kind: 'login', prompt: 'login' }

/** The upstream may know the person and let them pass: it signed nobody in here, or its answer is what is judged. */
const MAY_PASS = new Set([
  'no_session',
  'no_identity',
  'other_upstream',
  'upstream_changed',
  'auth_time_unknown',
  'acr',
])

/** Which error says that the upstream's answer was not enough. The rest is login_required. */
const UNMET: Record<string, string> = {
  // https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html
  acr: 'unmet_authentication_requirements',
}

export function nextStep(interaction: PendingInteraction): NextStep {
  const { name, reasons } = interaction.prompt
  const hasLoggedIn = interaction.lastSubmission?.login !== undefined
  if (name === 'select_account') return hasLoggedIn ? unmet(reasons) : SELECT_ACCOUNT
  if (name === 'login') return hasLoggedIn ? unmet(reasons) : loginStep(reasons)
  if (name === 'consent' && reasons.every((reason) => reason === 'native_client_prompt'))
    return nativeClientStep(hasLoggedIn, interaction)
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError
  if (name === 'consent' && isSilent(interaction.params))
    return refuse('consent_required', 'the end-user has to be asked, on a page')
  if (name === 'consent')
    return refuse(
      'consent_required',
      'consent is not asked for this client: what it may do is configured',
    )
  return refuse('interaction_required', 'the requested interaction is not supported')
}

function loginStep(reasons: string[]): NextStep {
  return reasons.some((reason) => MAY_PASS.has(reason)) ? withPrompt(reasons) : LOGIN_AGAIN
}

function withPrompt(reasons: string[]): NextStep {
  return reasons.includes('login_prompt') ? LOGIN_AGAIN : LOGIN
}

/** Nobody can tell a native app from an imitation, so the person has to act (RFC 8252, section 8.6). */
function nativeClientStep(
  hasLoggedIn: boolean,
  { lastSubmission, params }: PendingInteraction,
): NextStep {
  // https://www.rfc-editor.org/rfc/rfc8252#section-8.6
  if (isSilent(params))
    return refuse('interaction_required', 'a native app can not be signed in without a page')
  return hasLoggedIn ? { kind: 'answer', result: { ...lastSubmission, consent: {} } } : LOGIN_AGAIN
}

const isSilent = (params: PendingInteraction['params']) => params?.[MARKERS.silent] !== undefined

function unmet(reasons: string[]): NextStep {
  const error =
    reasons.map((reason) => UNMET[reason]).find((found) => found !== undefined) ?? 'login_required'
  return refuse(error, 'the identity provider signed the end-user in, but not as was asked for')
}

function refuse(error: string, error_description: string): NextStep {
  return { kind: 'answer', result: { error, error_description } }
}
