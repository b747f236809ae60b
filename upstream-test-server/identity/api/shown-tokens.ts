// The tokens that a request carries, wherever they stand.
import type { Request } from 'express'
import type { Shown } from '../session/resume.ts'
import { IdentityError } from './identity-error.ts'
import type { RefreshCookie } from './refresh-cookie.ts'

/** Undefined without the header; no token at all where it is another scheme. */
function accessTokenOf(req: Request): string | undefined {
  const header = req.get('authorization')
  if (header === undefined) return undefined
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1] ?? ''
}

/** @throws {IdentityError} VALIDATION_ERROR where body and cookie name two */
export function shownTokens(req: Request, cookie: RefreshCookie, inBody?: string): Shown {
  const inCookie = cookie.read(req)
  if (inBody !== undefined && inCookie !== undefined && inBody !== inCookie) {
    const fields = [{ field: 'refreshToken', message: 'is another one than the cookie' }]
    throw new IdentityError('VALIDATION_ERROR', { fields })
  }
  return { accessToken: accessTokenOf(req), refreshToken: inBody ?? inCookie }
}
