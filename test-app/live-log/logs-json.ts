// GET /logs.json: the lines of this app's log that the person who asks may see.
import type { Request, Response } from 'express'
import { loginPagePath } from '../authentication/gate/login-page-path.ts'
import { principalOf } from '../authentication/principal.ts'
import { unauthenticated } from '../authentication/unauthenticated.ts'
import { isPlace, viewerOf } from './log-view.ts'
import type { LogView } from './log-view.ts'

export const LOGS_PATH = '/logs.json'

/** `?since=` takes the `next` of an answer from before. */
export function createLogsJson(view: LogView) {
  return (req: Request, res: Response): void => {
    const principal = principalOf(req)
    if (!principal) return unauthenticated(res, loginPagePath(LOGS_PATH))
    const { since } = req.query
    if (since !== undefined && !(typeof since === 'string' && isPlace(since))) {
      const message = 'since: expected the `next` of an earlier answer'
      return void res.status(400).json({ error: 'invalid_request', message })
    }
    res.json(view.part(viewerOf(principal), since))
  }
}
