// Every byte the adapter sends to, or reads from, one upstream: keep-alive, one deadline for the whole exchange, a size
// cap, a cap on calls under way, no redirects. Knows HTTP failures, not OAuth. There is no circuit breaker: the cap
// keeps a dead upstream from queueing work, and the first call after its return succeeds.
import { Agent, request } from 'undici'
import { UpstreamError } from '../errors.ts'

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
}

const MAX_BYTES = 1024 * 1024
const CONNECTION_LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export function createOutgoingHttp({
  upstream,
  timeoutMs = 5000,
  maxBytes = MAX_BYTES,
  maxInFlight = 50,
}: OutgoingHttpOptions): OutgoingHttp {
  const agent = new Agent({
    allowH2: false,
    connect: { timeout: timeoutMs },
    // The deadline of the exchange is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const unavailable: Failure = (message, cause) =>
    new UpstreamError('unavailable', upstream, message, cause ? { cause } : undefined)
  const link: Link = { agent, maxBytes, unavailable }
  let inFlight = 0

  async function exchange(url: string, options: OutgoingRequest = {}): Promise<OutgoingAnswer> {
    if (inFlight >= maxInFlight) throw unavailable(`${maxInFlight} calls are under way already`)
    const own = options.signal ? undefined : startDeadline(timeoutMs)
    const signal = options.signal ?? (own as Deadline).signal
    inFlight += 1
    try {
      return await sendTwiceAtMost(link, url, options, signal)
    } catch (error) {
      if (error instanceof UpstreamError) throw error
      const place = placeOf(url)
      if (signal.aborted)
        throw unavailable(`${place} gave no complete answer within ${timeoutMs} ms`)
      throw unavailable(`${place} can not be reached: ${codeOf(error) || 'unknown failure'}`, error)
    } finally {
      inFlight -= 1
      own?.clear()
    }
  }

  async function getJson(url: string, options: OutgoingRequest = {}): Promise<unknown> {
    const headers = { accept: 'application/json', ...options.headers }
    return jsonFrom(await exchange(url, { ...options, headers }), url, unavailable)
  }

  return { timeoutMs, exchange, getJson, close: () => agent.destroy() }
}

type Failure = (message: string, cause?: unknown) => UpstreamError

interface Link {
  agent: Agent
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
  { agent, maxBytes, unavailable }: Link,
  url: string,
  { method = 'GET', headers, body }: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  const response = await request(url, {
    dispatcher: agent,
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
    body: body ?? null,
    signal,
  })
  const refusal = refusalOf(response.statusCode, response.headers)
  if (refusal) {
    response.body.on('error', () => {}).destroy()
    throw unavailable(`${placeOf(url)} ${refusal}`)
  }
  const text = await textFrom(response.body, maxBytes)
  if (text === undefined)
    throw unavailable(`${placeOf(url)} answered with more than ${maxBytes} bytes`)
  return { status: response.statusCode, headers: response.headers, text }
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

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}
