// /authorize, /token and /logout: shorter names of the issuer's own endpoints, with the parameters that may be left out there.
// The same code, store and rules answer, so that what holds for one holds for the other.
import { Router } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { endpointPaths } from '../behaviour/faults/faults.ts'
import { takeRequestIds } from '../identity/api/request-ids.ts'
import { bodyFaultOf, bodyFields, readBody, withForm } from './requests/body-fields.ts'
import type { BodyError, BodyFault } from './requests/body-fields.ts'

const endSessionPath = '/connect/logout'

/** An application that only says who it is wants to know who the person is. */
const authorizationDefaults = { response_type: 'code', scope: 'openid profile' }

const queryOf = (req: Request) => new URLSearchParams(req.url.split(/\?(.*)/s)[1] ?? '')

const authorize: RequestHandler = (req, _res, next) => {
  const query = queryOf(req)
  for (const [name, value] of Object.entries(authorizationDefaults))
    if (!query.has(name)) query.set(name, value)
  req.url = `${endpointPaths.authorize}?${query.toString()}`
  next()
}

const logout: RequestHandler = (req, _res, next) => {
  req.url = `${endSessionPath}?${queryOf(req).toString()}`
  next()
}

// https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2
function refuseToken(res: Response, { status, message }: BodyFault): void {
  res.set('Cache-Control', 'no-store').status(status)
  res.json({ error: 'invalid_request', error_description: message })
}

function token(issuer: RequestHandler): RequestHandler {
  return (req, res, next) => {
    const read = bodyFields(req)
    if ('fault' in read) return refuseToken(res, read.fault)
    const { fields } = read
    if (fields.has('code') && !fields.has('grant_type'))
      fields.set('grant_type', 'authorization_code')
    void issuer(withForm(req, endpointPaths.token, fields), res, next)
  }
}

const readTokenBody: RequestHandler = (req, res, next) =>
  void readBody(req, res, (error?: unknown) => {
    const fault = error === undefined ? undefined : bodyFaultOf(error as BodyError)
    if (fault) refuseToken(res, fault)
    else next(error)
  })

/** `issuer` answers the long paths; what is not answered here is left to it. */
export function shortPaths(issuer: RequestHandler): Router {
  const router = Router({ caseSensitive: true, strict: true })
  router.get('/authorize', authorize)
  router.post('/token', takeRequestIds, readTokenBody, token(issuer))
  router.get('/logout', logout)
  return router
}
