// One GET as a browser would send it, except that no redirect is followed and no cookie is kept. For the doctor's probe:
// outgoing-http.ts takes a redirect for a fault, here it is the answer.
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createAgents } from '../../http/agents.ts'

export interface PageAnswer {
  status: number
  /** Absolute. */
  location?: URL
  /** The first 64 kB. */
  text: string
}

export interface GetOnceOptions {
  timeoutMs: number
  /** PEM of the authorities trusted in place of Node's. */
  ca: string | undefined
  /** `http://[user:password@]host:port` for https. */
  proxy: string | undefined
}

const MAX_LENGTH = 64 * 1024

/** Rejects with the error of the connection, or with an AbortError after `timeoutMs`. */
export async function getOnce(url: URL, options: GetOnceOptions): Promise<PageAnswer> {
  const { timeoutMs } = options
  const signal = AbortSignal.timeout(timeoutMs)
  const headers = { accept: 'text/html', 'accept-encoding': 'identity', connection: 'close' }
  const agents = createAgents({ ...options, failure: (message) => new Error(message) })
  const isHttps = url.protocol === 'https:'
  const request = isHttps ? httpsRequest : httpRequest
  const agent = isHttps ? agents.https : agents.http
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { headers, signal, agent }, resolve).on('error', reject).end()
  })
  const { statusCode: status = 0, headers: received } = response
  const location = URL.parse(received.location ?? 'none:', url.href)
  return {
    status,
    ...(received.location && location ? { location } : {}),
    text: await beginningOf(response),
  }
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length >= MAX_LENGTH) break
  }
  return text.slice(0, MAX_LENGTH)
}
