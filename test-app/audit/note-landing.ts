// Notes the first page that somebody is shown after signing in: where the story of a login has reached its end.
import { AsyncResource } from 'node:async_hooks'
import type { NextFunction, Request, Response } from 'express'
import { principalOf } from '../authentication/principal.ts'
import { isTopLevelNavigation } from '../browser/navigation.ts'
import { shortHash } from './hashes.ts'
import type { Trail } from './trail/trail.ts'

/** Most logins that are remembered to have landed; beyond that the trail itself knows. */
const MOST_REMEMBERED = 1000

/** Middleware behind the one that knows who asks. */
export function noteLanding({ trail }: { trail: Trail }) {
  const landed = new Set<string>()
  function note(req: Request, res: Response): void {
    const principal = principalOf(req)
    const flowId = principal?.flowId
    if (flowId === undefined || landed.has(flowId) || !isPage(res)) return
    if (landed.size >= MOST_REMEMBERED) landed.clear()
    landed.add(flowId)
    const fields = { path: req.path, token_hash: shortHash(principal?.accessToken ?? '') }
    trail.note({ event: 'login.landed', flowId, subject: principal?.subject, fields })
  }
  return (req: Request, res: Response, next: NextFunction): void => {
    // The end of an answer comes from the socket, which knows nothing of the request.
    if (isTopLevelNavigation(req))
      res.once(
        'finish',
        AsyncResource.bind(() => note(req, res)),
      )
    next()
  }
}

const isPage = (res: Response): boolean =>
  res.statusCode === 200 && String(res.get('Content-Type')).startsWith('text/html')
