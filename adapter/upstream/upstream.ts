// The contract between the adapter and one upstream identity provider. interaction/ knows only this page.

/** What the start of a login sends to the upstream's authorization endpoint. Absent members are not sent. */
export interface UpstreamAuthorizationRequest {
  /** Our callback for this upstream, built from the configured issuer, never from Host. */
  redirect_uri: string
  state: string
  nonce: string
  /** The PKCE verifier; only its S256 challenge leaves (RFC 7636). */
  codeVerifier: string
  prompt?: string
  max_age?: number
  /** What else was decided to be sent; nothing in it wins over the protocol's own. */
  params?: Readonly<Record<string, string>>
}

/** What must be true of the answer. All of it was stored in the login transaction when the login began. */
export interface UpstreamExpectation {
  redirect_uri: string
  state: string
  nonce: string
  codeVerifier: string
  max_age?: number
}

/** The person that the refresh token was given for. */
export interface RefreshExpectation {
  iss: string
  sub: string
  /** For an access token with less than was granted. Who the person is now is then not asked, and not told. */
  scope?: string
}

export interface UpstreamTokens {
  id_token?: string
  access_token?: string
  refresh_token?: string
  /** Epoch seconds. */
  expires_at?: number
  /** Of the access token, where the upstream says it: absent, it is what was asked for. */
  scope?: string
}

/** A verified identity. Nothing in it was taken on trust: signature, iss, aud, azp, nonce, times and sub are checked. */
export interface UpstreamIdentity {
  /** The configured name of the upstream. */
  upstream: string
  /** The issuer in the ID token: the configured one, with the id of the tenant where that holds `{tenantid}`. */
  iss: string
  /** 1-255 printable ASCII characters. */
  sub: string
  /** All claims of the ID token. Null prototype; `__proto__` and friends are left out at every depth. */
  idTokenClaims: Readonly<Record<string, unknown>>
  /** Userinfo claims, where it was asked; its `sub` equals `sub`. Null prototype likewise. */
  userinfoClaims?: Readonly<Record<string, unknown>>
  /** Epoch seconds, as said by the upstream. */
  auth_time?: number
  acr?: string
  amr?: string[]
  tokens: UpstreamTokens
}

/** What the upstream is told when a person signs out here. */
export interface EndSessionRequest {
  id_token_hint?: string
  /** Ours, built from the configured issuer. */
  post_logout_redirect_uri: string
  state: string
}

/** What a verified logout token says: `sub` or `sid` at least is there. */
export interface UpstreamLogoutToken {
  iss: string
  sub?: string
  sid?: string
  jti: string
  /** Epoch seconds, at most an hour after it was made. */
  exp: number
}

export interface UpstreamLogout {
  /**
   * Where to send the browser; undefined where it offers no logout.
   * @throws UpstreamError `unavailable`, `metadata_invalid`
   */
  endSessionUrl(request: EndSessionRequest): Promise<URL | undefined>
  /**
   * Signature, algorithm, typ, iss, aud, times, events, nonce. Not that the jti is new: whoever asks keeps those.
   * @throws UpstreamError `identity_invalid`; `unavailable` or `metadata_invalid` when its keys can not be had
   */
  verifyLogoutToken(token: string): Promise<UpstreamLogoutToken>
  /** Whether it is the issuer of this upstream's people. */
  isIssuer(iss: string): boolean
}

export interface PresentedToken {
  token: string
  type: 'id_token' | 'access_token'
  /** Whom it may be for; absent: us. */
  audiences?: readonly string[] | undefined
  /** To whom an access token may have been given; absent: the audiences. */
  authorizedParties?: readonly string[] | undefined
}

/** Tokens of its people that somebody else got there, and brings to us. */
export interface PresentedTokens {
  /** Whether it is the issuer of this upstream's people. */
  isIssuer(iss: string): boolean
  /**
   * Signature, issuer, audience, times, and userinfo where configured, as at a sign-in. Not that it is brought once.
   * @throws UpstreamError `identity_invalid`; `unavailable` or `metadata_invalid` when its keys or userinfo can not be had
   */
  verify(presented: PresentedToken): Promise<UpstreamIdentity>
}

export interface Upstream {
  readonly name: string
  /** The configured issuer. */
  readonly issuer: string

  /**
   * The URL to send the browser to. Discovers the upstream first if its metadata is not at hand.
   * @throws UpstreamError `unavailable`, `metadata_invalid`
   */
  authorizationUrl(request: UpstreamAuthorizationRequest): Promise<URL>

  /**
   * Judges the authorization response and redeems its code: response `iss` (RFC 9207), token request, ID token
   * (signature always), userinfo where configured. `parameters` are the callback's, as received.
   * @throws UpstreamError with any code. No token request is made when the response itself is wrong.
   */
  redeem(parameters: URLSearchParams, expected: UpstreamExpectation): Promise<UpstreamIdentity>

  /**
   * Asks for new tokens, and who the person is now: undefined where the upstream confirms the grant and does not say more
   * (an ID token is optional here). `keep` is given the new tokens before anything is judged by them: the
   * old refresh token may be of no more use.
   * @throws UpstreamError `refresh_rejected` where it is over; `unavailable`, `client_rejected`, `identity_invalid` (another
   *   person or issuer too), `metadata_invalid`; and whatever `keep` throws
   */
  refresh(
    refreshToken: string,
    expected: RefreshExpectation,
    keep: (tokens: UpstreamTokens) => Promise<void>,
  ): Promise<UpstreamIdentity | undefined>

  /** Absent where the protocol knows no logout. */
  readonly logout?: UpstreamLogout

  /** Absent where its tokens can not be verified. */
  readonly presented?: PresentedTokens

  /** Frees timers and sockets. */
  close(): Promise<void>
}
