// Authorization requests that no app of the chain would send, and what came back for them.
import type { Hop } from './hops.ts'
import type { Chain } from './processes.ts'
import { CALLBACKS } from './walk.ts'

export const SAMPLE_STATE = 'state-of-this-test-0123456789'
/** SHA-256 of the verifier of RFC 7636, appendix B. */
const SAMPLE_CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** An authorization request as the app sends it, but for `parameters`. */
export function requestTo(chain: Chain, parameters: Record<string, string> = {}): string {
  const url = new URL('/oauth2/authorize', chain.adapterUrl)
  url.search = new URLSearchParams({
    client_id: 'client',
    redirect_uri: chain.appUrl + CALLBACKS.app,
    response_type: 'code',
    scope: 'openid profile read',
    state: SAMPLE_STATE,
    nonce: 'nonce-of-this-test-0123456789',
    code_challenge: SAMPLE_CHALLENGE,
    code_challenge_method: 'S256',
    ...parameters,
  }).toString()
  return url.href
}

/** What the adapter last sent to the app's callback; empty if nothing. */
export function answerTo(hops: readonly Hop[], chain: Chain): Record<string, string> {
  const callback = hops.findLast(({ url }) => url.href.startsWith(chain.appUrl + CALLBACKS.app))
  return Object.fromEntries(callback?.url.searchParams ?? [])
}
