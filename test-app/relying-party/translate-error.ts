// What openid-client throws, as a SignInError.
import * as client from 'openid-client'
import { SignInError } from './sign-in-error.ts'

/** Nobody listens there: worth a second try. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed'
}

function statusOf(error: client.ClientError): number {
  return error.cause instanceof Response ? error.cause.status : 0
}

export function signInError(error: unknown): SignInError {
  if (error instanceof SignInError) return error
  if (error instanceof client.AuthorizationResponseError) {
    const oauth = { error: error.error, description: error.error_description }
    return new SignInError('sign_in_refused', 'The adapter answered with an error', {
      oauth,
      cause: error,
    })
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    return new SignInError('client_refused', 'The adapter refused client_id and client_secret', {
      cause: error,
    })
  }
  if (error instanceof client.ResponseBodyError) return tokenError(error)
  if (isUnavailable(error)) {
    return new SignInError('adapter_unavailable', 'The adapter did not answer', { cause: error })
  }
  return new SignInError('answer_invalid', 'The answer of the adapter is not valid', {
    cause: error,
  })
}

function tokenError(error: client.ResponseBodyError): SignInError {
  const oauth = { error: error.error, description: error.error_description }
  const code =
    error.status >= 500 || error.error === 'temporarily_unavailable'
      ? 'adapter_unavailable'
      : error.error === 'invalid_client'
        ? 'client_refused'
        : 'code_refused'
  return new SignInError(code, `The token endpoint answered ${error.error}`, {
    oauth,
    cause: error,
  })
}

function isUnavailable(error: unknown): boolean {
  if (isConnectionError(error)) return true
  if (!(error instanceof client.ClientError)) return false
  return error.code === 'OAUTH_TIMEOUT' || statusOf(error) >= 500
}
