// Why a sign-in did not happen, in the few kinds that a person can do something about.

export type SignInErrorCode =
  /** No answer from the adapter, or one that says to come back later. */
  | 'adapter_unavailable'
  /** The adapter sent the browser back with an OAuth error. */
  | 'sign_in_refused'
  /** The adapter does not accept this app's client_id or client_secret. */
  | 'client_refused'
  /** The code was used, too old, or not ours. */
  | 'code_refused'
  /** An answer that must not be trusted: signature, issuer, nonce, state, times. */
  | 'answer_invalid'

export class SignInError extends Error {
  override readonly name = 'SignInError'
  readonly code: SignInErrorCode
  /** What the adapter said, if it did; not ours, show it escaped. */
  readonly oauth: { readonly error: string; readonly description: string | undefined } | undefined

  constructor(
    code: SignInErrorCode,
    message: string,
    details: { oauth?: SignInError['oauth']; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause })
    this.code = code
    this.oauth = details.oauth
  }
}
