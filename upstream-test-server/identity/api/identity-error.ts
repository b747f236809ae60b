// Every way in which the API says no: its code, its status and what it says.

interface Kind {
  status: number
  message: string
}

export const errorKinds = {
  INVALID_REQUEST: { status: 400, message: 'The request has more than 100 parameters.' },
  MALFORMED_JSON: { status: 400, message: 'The body is not JSON.' },
  VALIDATION_ERROR: { status: 400, message: 'The request has fields that are wrong or unknown.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'Send the body as application/json in UTF-8.' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The body is larger than 16 kB.' },
  URI_TOO_LONG: { status: 414, message: 'The URL is longer than 8 kB.' },
  MISDIRECTED_HOST: { status: 421, message: 'This server has another name.' },
  NOT_FOUND: { status: 404, message: 'There is no such path.' },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This path does not answer this method.' },
  INVALID_CREDENTIALS: { status: 401, message: 'The e-mail address or the password is wrong.' },
  ACCOUNT_LOCKED: { status: 423, message: 'This account is locked.' },
  ACCOUNT_DISABLED: { status: 403, message: 'This account is disabled.' },
  SYSTEM_ACCOUNT: {
    status: 403,
    message: 'An account for programs signs in at /api/auth/system/login.',
  },
  NOT_A_SYSTEM_ACCOUNT: {
    status: 403,
    message: 'Only accounts for programs sign in here; people do at /api/auth/login.',
  },
  WORKSPACE_DISABLED: { status: 403, message: 'The workspace is disabled.' },
  MEMBER_DISABLED: { status: 403, message: 'The membership in the workspace is disabled.' },
  BRANCH_CONTEXT_REQUIRED: { status: 403, message: 'This needs a branch.' },
  BRANCH_NOT_ALLOWED: { status: 403, message: 'This is no branch of the account.' },
  BRANCH_ALREADY_SELECTED: {
    status: 409,
    message: 'The branch of this session is chosen already.',
  },
  INVALID_TOKEN: { status: 401, message: 'The access token does not hold.' },
  INVALID_REFRESH_TOKEN: { status: 401, message: 'The refresh token does not hold.' },
  JWT_KEY_NOT_CONFIGURED: { status: 500, message: 'There is no key to sign tokens with.' },
  INTERNAL_ERROR: { status: 500, message: 'Something went wrong here.' },
} as const satisfies Record<string, Kind>

export type ErrorCode = keyof typeof errorKinds

export interface FieldFault {
  field: string
  message: string
}

interface Details {
  fields?: readonly FieldFault[]
  retryAfterSeconds?: number
}

export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, details: Details = {}) {
    super(errorKinds[code].message)
    this.code = code
    this.details = details
  }
}
