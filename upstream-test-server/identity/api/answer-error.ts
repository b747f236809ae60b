// The one place where a fault becomes an answer of the API.
import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { Log } from '../../../service/log.ts'
import { errorKinds, IdentityError } from './identity-error.ts'
import type { ErrorCode } from './identity-error.ts'
import { requestIdOf } from './request-ids.ts'

const codeOfParser: Readonly<Record<string, ErrorCode>> = {
  'entity.parse.failed': 'MALFORMED_JSON',
  'request.size.invalid': 'MALFORMED_JSON',
  'entity.too.large': 'PAYLOAD_TOO_LARGE',
  'charset.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
  'encoding.unsupported': 'UNSUPPORTED_MEDIA_TYPE',
}

function identityErrorFrom(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error
  const { type, status } = Object(error) as { type?: string; status?: number }
  const known = codeOfParser[type ?? '']
  if (known !== undefined) return new IdentityError(known)
  return new IdentityError(status === 400 ? 'MALFORMED_JSON' : 'INTERNAL_ERROR')
}

export function answerIdentityError(log: Log): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error)
    const { code, message, details } = identityErrorFrom(error)
    const { status } = errorKinds[code]
    if (status >= 500) log.error('identity.failed', { code, error })
    else log.info('identity.refused', { code })
    if (status === 401) res.set('WWW-Authenticate', 'Bearer')
    if (details.retryAfterSeconds !== undefined)
      res.set('Retry-After', String(details.retryAfterSeconds))
    const fields = details.fields === undefined ? {} : { fields: details.fields }
    res.status(status).json({ success: false, code, message, request_id: requestIdOf(), ...fields })
  }
}

export const onlyMethod =
  (method: 'GET' | 'POST'): RequestHandler =>
  (_req, res) => {
    res.set('Allow', method)
    throw new IdentityError('METHOD_NOT_ALLOWED')
  }

export const notFound: RequestHandler = () => {
  throw new IdentityError('NOT_FOUND')
}
