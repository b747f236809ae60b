// Every byte the adapter sends to, or reads from, one upstream: keep-alive, one deadline for the whole exchange, a size
// cap, a cap on calls under way, no redirects. Knows HTTP failures, not OAuth. There is no circuit breaker: the cap
// keeps a dead upstream from queueing work, and the first call after its return succeeds.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { UpstreamError } from '../../errors.ts'

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

export interface OutgoingHttp {
  readonly timeoutMs: number
  /**
   * One exchange, answered with any status that carries a verdict (2xx, 4xx).
   * @throws UpstreamError `unavailable`: unreachable, slow, too large, redirect, 429, 5xx, too many calls under way
   */
  exchange(url: string, options?: OutgoingRequest): Promise<OutgoingAnswer>
  /**
   * GET of a JSON document.
   * @throws UpstreamError `unavailable`, also for any status but 200 and for what is not JSON
   */
  getJson(url: string, options?: OutgoingRequest): Promise<unknown>
  close(): Promise<void>
}

export interface OutgoingHttpOptions {
  upstream: string
  timeoutMs?: number
  maxBytes?: number
  /** Calls under way at once; the next one is refused at once. */
  maxInFlight?: number
  /** PEM of the authorities trusted in place of Node's. */
  ca?: string | undefined
}

const MAX_BYTES = 1024 * 1024
const CONNECTION_LOST = new Set(['ECONNRESET', 'EPIPE'])
/** Shorter than servers keep a connection that nobody uses, so that few die as they are used. */
const IDLE_MS = 4000

export function createOutgoingHttp({
  upstream,
  timeoutMs = 5000,
  maxBytes = MAX_BYTES,
  maxInFlight = 50,
  ca,
}: OutgoingHttpOptions): OutgoingHttp {
  const agents = createAgents(ca)
  const unavailable: Failure = (message, cause) =>
    new UpstreamError('unavailable', upstream, message, cause ? { cause } : undefined)
  const link: Link = { agents, maxBytes, unavailable }
  let inFlight = 0
  let isClosed = false

  async function exchange(url: string, options: OutgoingRequest = {}): Promise<OutgoingAnswer> {
    if (isClosed) throw unavailable('the adapter is stopping')
    if (inFlight >= maxInFlight) throw unavailable(`${maxInFlight} calls are under way already`)
    const own = options.signal ? undefined : startDeadline(timeoutMs)
    const signal = options.signal ?? (own as Deadline).signal
    inFlight += 1
    try {
      return await sendTwiceAtMost(link, url, options, signal)
    } catch (error) {
      throw signal.aborted
        ? unavailable(`${placeOf(url)} gave no complete answer within ${timeoutMs} ms`)
        : asUnavailable(error, url, unavailable)
    } finally {
      inFlight -= 1
      own?.clear()
    }
  }

  async function getJson(url: string, options: OutgoingRequest = {}): Promise<unknown> {
    const headers = { accept: 'application/json', ...options.headers }
    return jsonFrom(await exchange(url, { ...options, headers }), url, unavailable)
  }

  async function close(): Promise<void> {
    isClosed = true
    agents.destroy()
  }

  return { timeoutMs, exchange, getJson, close }
}

function asUnavailable(error: unknown, url: string, unavailable: Failure): UpstreamError {
  if (error instanceof UpstreamError) return error
  return unavailable(`${placeOf(url)} can not be reached: ${reasonOf(error)}`, error)
}

type Failure = (message: string, cause?: unknown) => UpstreamError

interface Link {
  agents: Agents
  maxBytes: number
  unavailable: Failure
}

async function sendTwiceAtMost(
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

async function send(
  { agents, maxBytes, unavailable }: Link,
  url: string,
  options: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const response = await responseTo(agents, url, options, signal)
  const { statusCode: status = 0, headers } = response
  const refusal = refusalOf(status, headers)
  if (refusal) {
    response.destroy()
    throw unavailable(`${placeOf(url)} ${refusal}`)
  }
  const text = await textFrom(response, maxBytes)
  if (text === undefined)
    throw unavailable(`${placeOf(url)} answered with more than ${maxBytes} bytes`)
  return { status, headers, text }
}

interface Agents {
  http: HttpAgent
  https: HttpsAgent
  destroy(): void
}

function createAgents(ca: string | undefined): Agents {
  const options = { keepAlive: true, timeout: IDLE_MS }
  const [http, https] = [
    new HttpAgent(options),
    new HttpsAgent({ ...options, ...(ca ? { ca } : {}) }),
  ]
  return {
    http,
    https,
    destroy() {
      http.destroy()
      https.destroy()
    },
  }
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

function jsonFrom(
  { status, headers, text }: OutgoingAnswer,
  url: string,
  unavailable: Failure,
): unknown {
  if (status !== 200) throw unavailable(`${placeOf(url)} answered ${status}`)
  if (!/json/i.test(String(headers['content-type']))) {
    throw unavailable(`${placeOf(url)} answered with a content type other than JSON`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw unavailable(`${placeOf(url)} answered with text that is not JSON`)
  }
}

export interface Deadline {
  signal: AbortSignal
  clear(): void
}

/** Like AbortSignal.timeout, but leaves no timer behind when the work is done in time. */
export function startDeadline(milliseconds: number): Deadline {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), milliseconds)
  return { signal: controller.signal, clear: () => clearTimeout(timer) }
}

/** Scheme, host and path: what may stand in a message. The query may hold secrets. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
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

function reasonOf(error: unknown): string {
  const code = codeOf(error) || 'unknown failure'
  return code === 'EPROTO' ? 'EPROTO, it does not speak TLS as we do' : code
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}
