// What reaches GraphQL: a POST of a JSON object by this app's own pages, or by a program.
import express from 'express'
import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import { isOwnForm } from '../../browser/own-form.ts'

const BODY_LIMIT = '32kb'

// Not inflated: a small body could become a large one.
const READ_JSON = express.json({ limit: BODY_LIMIT, type: 'application/json', inflate: false })

const ANSWER_TYPES = ['application/json', 'application/graphql-response+json']

/** Before anybody is asked who they are: nothing of this depends on it. */
export function judgeRequest(ownOrigin: string): RequestHandler {
  return (req, res, next) => {
    if (req.method !== 'POST') {
      res.set('Allow', 'POST')
      return refuse(res, 405, 'METHOD_NOT_ALLOWED', `expected POST, found ${req.method}`)
    }
    if (!isOwnForm(req, ownOrigin)) {
      return refuse(res, 403, 'CROSS_ORIGIN', 'a page of another origin may not ask here')
    }
    if (req.is('application/json') === false) {
      return refuse(res, 415, 'UNSUPPORTED_MEDIA_TYPE', 'expected Content-Type application/json')
    }
    // Of what else may be asked for, some is a stream that stays open.
    req.headers.accept = req.accepts(ANSWER_TYPES) || ANSWER_TYPES[0]
    next()
  }
}

const judgeBody: RequestHandler = ({ body }: { body: unknown }, res, next) => {
  if (Array.isArray(body)) {
    return refuse(res, 400, 'BAD_REQUEST', 'expected one operation, found a batch of them')
  }
  const { query } = (body ?? {}) as Readonly<Record<string, unknown>>
  if (typeof query !== 'string') {
    return refuse(res, 400, 'BAD_REQUEST', 'expected a JSON object with the text "query"')
  }
  next()
}

const FAULTS: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  'entity.too.large': [413, 'PAYLOAD_TOO_LARGE', 'expected at most 32 kB'],
  'entity.parse.failed': [400, 'MALFORMED_JSON', 'the body is not a JSON object'],
  'encoding.unsupported': [415, 'UNSUPPORTED_MEDIA_TYPE', 'expected a body without compression'],
  'charset.unsupported': [415, 'UNSUPPORTED_MEDIA_TYPE', 'expected a body in UTF-8'],
}

// Its message may quote the body.
const unreadable: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const { type } = (error ?? {}) as { readonly type?: unknown }
  const [status, code, message] = FAULTS[String(type)] ?? []
  if (status === undefined || code === undefined || message === undefined) return next(error)
  refuse(res, status, code, message)
}

/** To be asked in this order, before GraphQL. */
export const readQuery: readonly (RequestHandler | ErrorRequestHandler)[] = [
  READ_JSON,
  unreadable,
  judgeBody,
]

/** In the shape of GraphQL's errors. */
function refuse(res: Response, status: number, code: string, message: string): void {
  res.status(status).json({ errors: [{ message: `Refused: ${message}.`, extensions: { code } }] })
}
