// The error classes of the adapter, and nothing else. Each says who must learn of it: operators read `message` and
// `cause` in the log, end-users see only what pages/ makes of `code`. No message ever holds a code, state, token or secret.

export interface ConfigFault {
  /** Dotted path of the setting, '' for the file as a whole. */
  path: string
  message: string
  file?: string
  /** 1-based. */
  line?: number
  /** 1-based. */
  column?: number
  /** The source line with a caret below it; never shows a secret's value. */
  excerpt?: string
}

/** The configuration can not be used. Holds every fault found in one run; the process ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'config_invalid'
  readonly faults: readonly ConfigFault[]
  constructor(faults: readonly ConfigFault[], options?: ErrorOptions) {
    super(
      faults.map((fault) => [fault.path, fault.message].filter(Boolean).join(': ')).join('\n'),
      options,
    )
    this.faults = faults
  }
}

/** What the page about an error may offer the person. Paths are our own. */
export interface WayOn {
  /** The app they came from. */
  clientId?: string | undefined
  /** Tries the same step again. */
  retryPath?: string | undefined
  /** Back to the chooser, where the person came from there. */
  choosePath?: string | undefined
  /** Gives up and tells the app. */
  cancelPath?: string | undefined
}

export type UpstreamErrorCode =
  /** Refused, unreachable, slow, 5xx, 429, a redirect, not JSON, too large: worth a retry later. */
  | 'unavailable'
  /** The upstream answered the authorization request with an OAuth error; see `oauthError`. */
  | 'authorization_error'
  /** The token endpoint refused the code (invalid_grant). */
  | 'code_rejected'
  /** The token endpoint refused the refresh token (invalid_grant): what the person granted there is over. */
  | 'refresh_rejected'
  /** The token endpoint refused us (invalid_client, unauthorized_client, 401): our configuration is wrong. */
  | 'client_rejected'
  /** What came back is not acceptable: signature, iss, aud, azp, nonce, times, sub, userinfo. */
  | 'identity_invalid'
  /** The person signed in, but not as strongly or as recently as the app asked for. */
  | 'context_unmet'
  /** The response `iss` (RFC 9207) is not this upstream's, or missing where promised. */
  | 'issuer_mismatch'
  /** Discovery metadata is not usable: other issuer, http endpoints, missing endpoints. */
  | 'metadata_invalid'

/** An upstream identity provider failed us. `oauthError` is its `error` code, where it sent one. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly code: UpstreamErrorCode
  readonly upstream: string
  readonly oauthError: string | undefined
  wayOn: WayOn = {}
  constructor(
    code: UpstreamErrorCode,
    upstream: string,
    message: string,
    options?: ErrorOptions & { oauthError?: string | undefined },
  ) {
    super(message, options)
    this.code = code
    this.upstream = upstream
    this.oauthError = options?.oauthError
  }
}

export type InteractionErrorCode =
  /** The sign-in was not begun in this browser, is over, or its state is unknown or used. */
  | 'not_started_here'
  /** This browser's own sign-in took longer than its lifetime. */
  | 'expired'
  /** The browser sends no cookies back. */
  | 'cookies_blocked'
  /** The state belongs to a login at another upstream (mix-up). */
  | 'upstream_mismatch'
  /** No upstream of that name. */
  | 'unknown_upstream'
  /** HEAD, POST and the like on a step that is a GET. */
  | 'method_not_allowed'
  /** The sign-in is over and this browser is signed in: nothing is wrong. */
  | 'already_signed_in'

/** A browser step of a login does not fit a login that is under way. */
export class InteractionError extends Error {
  override readonly name = 'InteractionError'
  readonly code: InteractionErrorCode
  readonly wayOn: WayOn
  constructor(
    code: InteractionErrorCode,
    message: string,
    options?: ErrorOptions & { wayOn?: WayOn },
  ) {
    super(message, options)
    this.code = code
    this.wayOn = options?.wayOn ?? {}
  }
}

export type StorageErrorCode =
  /** Dead, slow, full or locked store: answer 503 and try again later. */
  | 'unavailable'
  /** The one-time record was already consumed, or is gone. */
  | 'already_consumed'
  /** Start-up only: the database file or server can not be used; the message names the file or server and the remedy. */
  | 'unusable'

/** The store failed, or a compare-and-set was lost. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
