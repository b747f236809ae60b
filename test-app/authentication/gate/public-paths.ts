// Which requests need nobody signed in: exactly these, by method and path. A route that is in no list here is for those who
// are signed in, whoever forgets to say so.
import type { RequestHandler } from 'express'
import { DEVICE_PATH } from '../../device/device-handlers.ts'
import {
  BACK_CHANNEL_PATH,
  CALLBACK_PATH,
  FRONT_CHANNEL_PATH,
  LOST_PATH,
  SIGN_IN_PATH,
} from '../../login/paths.ts'

/** `open`: nobody asks who it is. `optional`: whoever is signed in is known, and nobody has to be. */
export type Access = 'open' | 'optional' | 'required'

/** What has nothing to tell, and programs that come with proof of their own. */
const OPEN = [
  'GET /ping',
  'GET /style.css',
  `POST ${BACK_CHANNEL_PATH}`,
  `GET ${FRONT_CHANNEL_PATH}`,
  'POST /log',
]

/** Of the identity service, which asks for itself; the gateway answers for all of it. */
const GATEWAY = '/api/auth/'

const OPTIONAL = [
  'GET /',
  `GET ${SIGN_IN_PATH}`,
  `GET ${CALLBACK_PATH}`,
  `GET ${LOST_PATH}`,
  'GET /select-branch',
  'GET /who.json',
  'GET /logout',
  'POST /logout',
  'POST /graphql',
  'GET /audit',
  'GET /audit.json',
  `GET ${DEVICE_PATH}`,
  `POST ${DEVICE_PATH}`,
]
/** A run of the device page, which has one segment for a name. */
const DEVICE_RUN = new RegExp(`^GET ${DEVICE_PATH}/[A-Za-z0-9_-]+$`)

export type AccessOf = (method: string, path: string) => Access

/** `files`: paths of the static files, which are open. */
export function createAccess(files: ReadonlySet<string>): AccessOf {
  const open = new Set([...OPEN, ...[...files].map((path) => `GET ${path}`)])
  const optional = new Set(OPTIONAL)
  return (method, path) => {
    const request = `${method === 'HEAD' ? 'GET' : method} ${path}`
    if (open.has(request) || path.startsWith(GATEWAY)) return 'open'
    return optional.has(request) || DEVICE_RUN.test(request) ? 'optional' : 'required'
  }
}

/** Runs a handler for requests that somebody has to be known for, or may be. */
export function unlessOpen(accessOf: AccessOf, handler: RequestHandler): RequestHandler {
  return (req, res, next) =>
    accessOf(req.method, req.path) === 'open' ? next() : handler(req, res, next)
}
