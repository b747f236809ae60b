// What this app asks of the identity service behind its gateway (`/api/auth/*`), and what comes back.

export interface Branch {
  readonly id: string
  readonly workspaceId: string
  readonly name: string
  readonly roles: readonly string[]
}

/** Signed in to one branch: the access token is good for the adapter's token exchange. */
export interface BranchLogin {
  readonly kind: 'branch'
  readonly accessToken: string
  readonly refreshToken: string
  readonly refreshExpiresInSeconds: number
}

/** In several branches: one has to be chosen with the account's token. */
export interface AccountLogin {
  readonly kind: 'account'
  readonly accountAccessToken: string
  readonly refreshToken: string
  readonly branches: readonly Branch[]
}

/** The identity service said no, or nothing. `code` as in docs/identity-service.md, `IDENTITY_UNAVAILABLE` or `GATEWAY_TIMEOUT`. */
export class IdentityServiceError extends Error {
  override readonly name = 'IdentityServiceError'
  readonly code: string
  readonly status: number
  readonly fields: readonly { readonly field: string; readonly message: string }[]
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: string,
    message: string,
    details: {
      status: number
      fields?: IdentityServiceError['fields']
      retryAfterSeconds?: number | undefined
    },
  ) {
    super(message)
    this.code = code
    this.status = details.status
    this.fields = details.fields ?? []
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** Each rejects with {@link IdentityServiceError}. `address` is the network address of the person's browser. */
export interface IdentityService {
  login(email: string, password: string, address: string): Promise<BranchLogin | AccountLogin>
  selectBranch(accountAccessToken: string, branchId: string): Promise<BranchLogin>
  /** Uses the refresh token up; one at a time, or the session there ends. */
  refresh(refreshToken: string): Promise<BranchLogin>
  /** Ends the session there. */
  logout(refreshToken: string): Promise<void>
}
