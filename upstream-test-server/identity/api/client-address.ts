// The network address of whom a request is made for: of the browser, where a gateway of ours passes it on.
import type { Request, RequestHandler } from 'express'
import { clientAddress } from '../../../service/forwarded.ts'
import { remoteAddress } from '../../../service/trusted-proxies.ts'
import type { IsTrusted } from '../../../service/trusted-proxies.ts'

const addresses = new WeakMap<Request, string>()

/** Before anything takes the forwarded headers away. */
export function rememberAddress(trusted: IsTrusted): RequestHandler {
  return (req, _res, next) => {
    addresses.set(req, clientAddress(req, trusted))
    next()
  }
}

export const addressOf = (req: Request): string => addresses.get(req) ?? remoteAddress(req)
