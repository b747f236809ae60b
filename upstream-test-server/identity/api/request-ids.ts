// X-Request-Id and X-Correlation-Id: taken over from the gateway where they are well-formed, so that both logs tell one story.
import type { Request, RequestHandler } from 'express'
import { currentContext, noteFields } from '../../../service/request-context.ts'
import { isRequestId, shownPath } from '../../../service/request-log.ts'

const given = (req: Request, header: string) => {
  const value = req.get(header)
  return isRequestId(value) ? value : undefined
}

export const requestIdOf = (): string => currentContext()?.fields['request_id'] ?? ''

export const takeRequestIds: RequestHandler = (req, res, next) => {
  const request_id = given(req, 'x-request-id') ?? requestIdOf()
  const correlation_id = given(req, 'x-correlation-id') ?? request_id
  noteFields({ request_id, correlation_id, path: shownPath(req.originalUrl) })
  res.set({ 'X-Request-Id': request_id, 'X-Correlation-Id': correlation_id })
  next()
}
