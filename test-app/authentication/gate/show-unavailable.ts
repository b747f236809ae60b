// The answer while the adapter or the identity service is away: nothing is lost, and it is worth coming back.
import type { Request, Response } from 'express'
import { isTopLevelNavigation } from '../../browser/navigation.ts'
import { landingPath } from '../../login/paths.ts'
import type { ShowProblem } from '../../login/sign-in.ts'
import { SignInError } from '../../relying-party/sign-in-error.ts'

const RETRY_AFTER_SECONDS = '5'

export function createShowUnavailable(showProblem: ShowProblem) {
  return async (req: Request, res: Response): Promise<void> => {
    res.set('Retry-After', RETRY_AFTER_SECONDS)
    if (!isTopLevelNavigation(req)) return void res.status(503).json({ error: 'unavailable' })
    const error = new SignInError('adapter_unavailable', 'Nobody could say who this is')
    await showProblem(req, res, { kind: 'failed', error, returnTo: landingPath(req.originalUrl) })
  }
}
