// X-Request-Id and X-Correlation-Id: taken over where they are well-formed, else made, so that the logs of all who answer a request
// tell one story. For services whose clients may choose them; behind requestLog, which opens the context.
import type { Request, RequestHandler } from 'express'
import { currentContext, noteFields } from './request-context.ts'
import { isRequestId } from './request-log.ts'

const given = (req: Request, header: string) => {
  const value = req.headers[header]
  return isRequestId(value) ? value : undefined
}

/** Of the request that is answered now; '' outside of one. */
export const currentRequestId = (): string => currentContext()?.fields['request_id'] ?? ''

/** In each log line as `request_id` and `correlation_id`, and in the answer. */
export const takeRequestIds: RequestHandler = (req, res, next) => {
  const request_id = given(req, 'x-request-id') ?? currentRequestId()
  const correlation_id = given(req, 'x-correlation-id') ?? request_id
  noteFields({ request_id, correlation_id })
  res.setHeader('X-Request-Id', request_id)
  res.setHeader('X-Correlation-Id', correlation_id)
  next()
}

/** Headers that take the ids on to another service; none outside of a request. */
export function outgoingIds(): Record<string, string> {
  const { request_id, correlation_id } = currentContext()?.fields ?? {}
  return {
    ...(request_id === undefined ? {} : { 'x-request-id': request_id }),
    ...(correlation_id === undefined ? {} : { 'x-correlation-id': correlation_id }),
  }
}
