// What the adapter gives for a token of the identity service, RFC 8693: https://www.rfc-editor.org/rfc/rfc8693

export interface ExchangedToken {
  /** A JWT that the adapter minted. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** Each rejects with SignInError: `adapter_unavailable`, or `sign_in_refused` with what the adapter said. */
export interface TokenExchange {
  /** For this app itself; with `resource`, for that resource of the adapter's configuration. */
  exchange(subjectToken: string, resource?: string): Promise<ExchangedToken>
  /** RFC 7662: whether a token that was issued to this app still holds. */
  isActive(token: string): Promise<boolean>
  /** RFC 7009. */
  revoke(token: string): Promise<void>
}
