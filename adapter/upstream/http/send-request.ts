// One request and its answer on the wire: a size cap, no redirects, no answer that changes the protocol. Which calls are
// made, and how many at once, is outgoing-http.ts.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { UpstreamError } from '../../errors.ts'
import type { Agents } from './agents.ts'

export interface OutgoingRequest {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** Ends the exchange early; without it the exchange has `timeoutMs` of its own. */
  signal?: AbortSignal
}

export interface OutgoingAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

export type Failure = (message: string, cause?: unknown) => UpstreamError

export interface Link {
  agents: Agents
  maxBytes: number
  unavailable: Failure
}

const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE'])

/** @throws UpstreamError `unavailable` for what is no verdict; what the socket throws */
export async function sendTwiceAtMost(
  link: Link,
  url: string,
  options: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  try {
    return await send(link, url, options, signal)
  } catch (error) {
    // A kept-alive socket may die as it is used. Only a GET may be sent twice: a code works once.
    if (options.method === 'POST' || !CONNECTION_LOST.has(codeOf(error))) throw error
    return await send(link, url, options, signal)
  }
}

/** @throws as above */
export async function send(
  { agents, maxBytes, unavailable }: Link,
  url: string,
  options: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const response = await responseTo(agents, url, options, signal)
  const { statusCode: status = 0, headers } = response
  // It is a verdict only where it was asked for.
  const isUnchanged = status === 304 && options.headers?.['if-none-match'] !== undefined
  const refusal = isUnchanged ? undefined : refusalOf(status, headers)
  if (refusal) {
    response.destroy()
    throw unavailable(`${placeOf(url)} ${refusal}`)
  }
  const text = await textFrom(response, maxBytes)
  if (text === undefined)
    throw unavailable(`${placeOf(url)} answered with more than ${maxBytes} bytes`)
  return { status, headers, text }
}

function responseTo(
  agents: Agents,
  url: string,
  { method = 'GET', headers, body = '' }: OutgoingRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const isHttps = url.startsWith('https:')
  const length = method === 'POST' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
  const options = {
    agent: isHttps ? agents.https : agents.http,
    method,
    headers: { 'accept-encoding': 'identity', ...headers, ...length },
    signal,
  }
  return new Promise((resolve, reject) => {
    const outgoing = isHttps
      ? httpsRequest(url, options, resolve)
      : httpRequest(url, options, resolve)
    outgoing.on('error', reject).end(body)
    // Without a listener Node drops a 101 and never says so, not even when the signal ends the request.
    outgoing.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response)
    })
    signal.addEventListener('abort', () => reject(new Error('deadline')), { once: true })
  })
}

/** Undefined when there is more than `maxBytes`; the rest is not read. */
async function textFrom(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of body) {
    received += chunk.length
    if (received > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refusalOf(
  status: number,
  headers: Record<string, string | string[] | undefined>,
): string | undefined {
  if (status === 429 || status >= 500) return `answered ${status}`
  if (status < 200 || (status >= 300 && status < 400))
    return `answered ${status}; redirects are not followed`
  const encoding = headers['content-encoding'] ?? 'identity'
  return encoding === 'identity'
    ? undefined
    : 'answered in a content encoding that was not asked for'
}

/** Scheme, host and path: what may stand in a message. The query may hold secrets. */
export function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}
