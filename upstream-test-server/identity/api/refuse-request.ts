// What the first checks say of a request that is on its way to the API, in the API's own shape.
import type { Refuse } from '../../../service/refuse.ts'
import { errorKinds } from './identity-error.ts'
import type { ErrorCode } from './identity-error.ts'
import { requestIdOf } from './request-ids.ts'

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  414: 'URI_TOO_LONG',
  421: 'MISDIRECTED_HOST',
}

export const isForApi = (url = ''): boolean => url.startsWith('/api/auth/')

export const refuseAtApi: Refuse = (_req, res, { status }) => {
  const code = codeOfStatus[status] ?? 'INTERNAL_ERROR'
  const { message } = errorKinds[code]
  const request_id = requestIdOf()
  res.writeHead(errorKinds[code].status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-correlation-id': request_id,
  })
  res.end(JSON.stringify({ success: false, code, message, request_id }))
}
