// Serves only requests meant for us: the Host header can not put another name into URLs, cookies or caches.
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { requestedHost } from './forwarded.ts'
import type { Log } from './log.ts'
import { refuseAsText, type Refusal, type Refuse } from './refuse.ts'
import type { IsTrusted } from './trusted-proxies.ts'

export interface HostCheckOptions {
  /** Our own URL; its host is the only one served. */
  readonly url: string
  readonly trusted: IsTrusted
  readonly log?: Log
  readonly refuse?: Refuse
  /** Paths that load balancers ask for by address. */
  readonly except?: readonly string[]
}

const REFUSAL: Refusal = {
  status: 421,
  kind: 'misdirected_host',
  text: 'Misdirected Request: this host is not served here.',
}

/** Who reads the first and who the last of two would disagree on what was asked: https://www.rfc-editor.org/rfc/rfc9112#section-3.2 */
const hasOneHost = ({ headersDistinct }: IncomingMessage) =>
  (headersDistinct['host']?.length ?? 0) < 2

/** 421 (https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20) for any host but the one of `url`. */
export function hostCheck({
  url,
  trusted,
  log,
  refuse = refuseAsText,
  except = [],
}: HostCheckOptions): RequestHandler {
  const { protocol, host, hostname } = new URL(url)
  const ownPort = protocol === 'https:' ? '443' : '80'
  const served = new Set([host, ...(host === hostname ? [`${hostname}:${ownPort}`] : [])])
  return (request, response, next) => {
    const asked = requestedHost(request, trusted)
    if ((served.has(asked) && hasOneHost(request)) || except.includes(request.path)) return next()
    log?.warn('request.misdirected', { expected_host: host, host: asked.slice(0, 255) })
    refuse(request, response, REFUSAL)
  }
}
