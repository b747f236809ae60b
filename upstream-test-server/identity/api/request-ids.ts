// The ids of a request of the API, taken over from the gateway, and its path in each log line.
import type { RequestHandler } from 'express'
import { noteFields } from '../../../service/request-context.ts'
import { takeRequestIds as takeIds } from '../../../service/request-ids.ts'
import { shownPath } from '../../../service/request-log.ts'

export { currentRequestId as requestIdOf } from '../../../service/request-ids.ts'

export const takeRequestIds: RequestHandler = (req, res, next) => {
  noteFields({ path: shownPath(req.originalUrl) })
  void takeIds(req, res, next)
}
