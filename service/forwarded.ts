// What a proxy says about the request it passes on: believed of our own proxies, removed from all others.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { RequestHandler } from 'express'
import { plainAddress, remoteAddress, type IsTrusted } from './trusted-proxies.ts'

const FORWARDED =
  /^(?:x[-_]forwarded[-_]|x[-_]real[-_]ip$|x[-_]original[-_]|x[-_]rewrite[-_]|forwarded$)/
// The ones read here, or by Express and Koa with their proxy setting on.
const KEPT = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'])
const SINGLE = ['x-forwarded-proto', 'x-forwarded-host'] as const

const firstItem = (value: string | string[] | undefined) =>
  String(value ?? '')
    .split(',')[0]
    ?.trim() ?? ''

/**
 * Removes every forwarded header that does not come from a trusted proxy, so that whoever reads them later (Express's
 * `trust proxy`, oidc-provider's `proxy`) may believe what is left: X-Forwarded-For, -Proto and -Host, the latter two single.
 */
export function forwardedHeaders({ trusted }: { trusted: IsTrusted }): RequestHandler {
  return (request, _response, next) => {
    const believed = trusted(request.socket.remoteAddress)
    for (const name of Object.keys(request.headers))
      if (FORWARDED.test(name) && !(believed && KEPT.has(name))) delete request.headers[name]
    for (const name of SINGLE)
      if (request.headers[name] !== undefined)
        request.headers[name] = firstItem(request.headers[name])
    next()
  }
}

/** Address of the end-user's side: the first from the right in X-Forwarded-For that is no proxy of ours. */
export function clientAddress(request: IncomingMessage, trusted: IsTrusted): string {
  let address = remoteAddress(request)
  const hops = String(request.headers['x-forwarded-for'] ?? '').split(',')
  while (trusted(address)) {
    const hop = plainAddress(hops.pop()?.trim() ?? '')
    if (isIP(hop) === 0) return address
    address = hop
  }
  return address
}

/** Host the end-user's browser asked for, lower case, without the scheme's own port; '' if there is none. */
export function requestedHost(request: IncomingMessage, trusted: IsTrusted): string {
  const forwarded = trusted(request.socket.remoteAddress)
    ? firstItem(request.headers['x-forwarded-host'])
    : ''
  return (forwarded || (request.headers.host ?? '')).toLowerCase()
}
