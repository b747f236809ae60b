// An app that asked for no page (prompt=none) gets an answer even where the login can not go on in this browser: it keeps
// no cookies, for instance, so that oidc-provider could not resume the request. Tells nothing but login_required.
import type { Interaction } from 'oidc-provider'
import { InteractionError } from '../../errors.ts'
import { askedContext } from './asked-context.ts'

export interface SilentAnswerParts {
  issuer: string
  interactions: { find(uid: string): Promise<Interaction | undefined> }
}

/** `step`, or the answer to the app in place of an InteractionError. */
export async function answeringSilently(
  { issuer, interactions }: SilentAnswerParts,
  uid: string,
  step: () => Promise<string>,
): Promise<string> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof InteractionError)) throw error
    const interaction = await interactions.find(uid)
    const answer = interaction && silentRefusal(issuer, interaction.params)
    if (answer === undefined) throw error
    return answer
  }
}

/** The redirect URI was judged before there was an interaction. */
function silentRefusal(issuer: string, params: Record<string, unknown>): string | undefined {
  const { redirect_uri, response_mode = 'query', state } = params
  const isRedirect = typeof redirect_uri === 'string' && response_mode === 'query'
  if (!askedContext(params).isSilent || !isRedirect) return undefined
  const url = new URL(redirect_uri)
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError and https://www.rfc-editor.org/rfc/rfc9207#section-2
  const answer = { error: 'login_required', error_description: SIGNED_IN_NOWHERE, iss: issuer }
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  if (typeof state === 'string') url.searchParams.set('state', state)
  return url.href
}

const SIGNED_IN_NOWHERE = 'the end-user can not be signed in without a page in this browser'
