// Every call the adapter makes to one upstream: one deadline for the whole exchange, a cap on calls under way, a circuit
// for each endpoint. Knows HTTP failures, not OAuth; what goes over the wire is send-request.ts.
import { UpstreamError } from '../../errors.ts'
import { createAgents } from './agents.ts'
import { createCircuits } from './circuit/circuits.ts'
import type { CircuitSettings } from './circuit/circuits.ts'
import { startDeadline, type Deadline } from './deadline.ts'
import { codeOf, placeOf, send, sendTwiceAtMost } from './send-request.ts'
import type { Failure, Link, OutgoingAnswer, OutgoingRequest } from './send-request.ts'

export interface OutgoingHttp {
  readonly timeoutMs: number
  /**
   * One exchange, answered with any status that carries a verdict: 2xx, 4xx, and 304 where `if-none-match` was sent.
   * @throws UpstreamError `unavailable`: unreachable, slow, too large, redirect, 429, 5xx, too many calls under way, a circuit that is open
   */
  exchange(url: string, options?: OutgoingRequest): Promise<OutgoingAnswer>
  /**
   * GET of a JSON document.
   * @throws UpstreamError `unavailable`, also for any status but 200 and for what is not JSON
   */
  getJson(url: string, options?: OutgoingRequest): Promise<unknown>
  /** Whether the endpoint that failed last answers by now. Asks it, at once and apart from all limits. */
  isBack(): Promise<boolean>
  close(): Promise<void>
}

export interface OutgoingHttpOptions {
  upstream: string
  timeoutMs?: number
  maxBytes?: number
  /** Calls under way at once; the next one is refused at once. */
  maxInFlight?: number
  /** Absent: calls go out however many failed. */
  circuit?: CircuitSettings
  /** PEM of the authorities trusted in place of Node's. */
  ca?: string | undefined
  /** `http://[user:password@]host:port` for all https calls; empty: none. */
  proxy?: string | undefined
}

const MAX_BYTES = 1024 * 1024
/** A check is no login: it need not wait as long. */
const CHECK_TIMEOUT_MS = 2000

export function createOutgoingHttp(options: OutgoingHttpOptions): OutgoingHttp {
  const { upstream, maxInFlight = 50, circuit: settings } = options
  const link = linkFor(options)
  const { unavailable, timeoutMs } = link
  const check = (place: string, signal: AbortSignal) => answers(link, place, signal)
  const circuits = createCircuits({ upstream, settings, check, unavailable })
  let inFlight = 0
  let isClosed = false
  let failedPlace: string | undefined

  async function exchange(url: string, request: OutgoingRequest = {}): Promise<OutgoingAnswer> {
    if (isClosed) throw unavailable('the adapter is stopping')
    if (inFlight >= maxInFlight) throw unavailable(`${maxInFlight} calls are under way already`)
    const own = request.signal ? undefined : startDeadline(timeoutMs)
    const signal = request.signal ?? (own as Deadline).signal
    inFlight += 1
    try {
      return await circuits.run(placeOf(url), () => attempt(link, url, request, signal))
    } catch (error) {
      failedPlace = placeOf(url)
      throw error
    } finally {
      inFlight -= 1
      own?.clear()
    }
  }

  async function isBack(): Promise<boolean> {
    if (isClosed) return false
    return failedPlace === undefined || answers(link, failedPlace)
  }

  async function close(): Promise<void> {
    isClosed = true
    circuits.close()
    link.agents.destroy()
  }

  return { timeoutMs, exchange, getJson: jsonOver(exchange, unavailable), isBack, close }
}

interface TimedLink extends Link {
  timeoutMs: number
}

function linkFor({
  upstream,
  timeoutMs = 5000,
  maxBytes = MAX_BYTES,
  ca,
  proxy,
}: OutgoingHttpOptions): TimedLink {
  const unavailable: Failure = (message, cause) =>
    new UpstreamError('unavailable', upstream, message, cause ? { cause } : undefined)
  const agents = createAgents({ timeoutMs, ca, proxy, failure: unavailable })
  return { agents, maxBytes, timeoutMs, unavailable }
}

function jsonOver(
  exchange: OutgoingHttp['exchange'],
  unavailable: Failure,
): OutgoingHttp['getJson'] {
  return async (url, request = {}) => {
    const headers = { accept: 'application/json', ...request.headers }
    return jsonFrom(await exchange(url, { ...request, headers }), url, unavailable)
  }
}

async function attempt(
  link: TimedLink,
  url: string,
  options: OutgoingRequest,
  signal: AbortSignal,
): Promise<OutgoingAnswer> {
  try {
    return await sendTwiceAtMost(link, url, options, signal)
  } catch (error) {
    throw signal.aborted
      ? link.unavailable(`${placeOf(url)} gave no complete answer within ${link.timeoutMs} ms`)
      : asUnavailable(error, url, link.unavailable)
  }
}

/** A bare GET, without credentials or parameters: any verdict will do, 405 too. */
async function answers(link: Link, place: string, closing?: AbortSignal): Promise<boolean> {
  const deadline = startDeadline(CHECK_TIMEOUT_MS)
  const signal = closing ? AbortSignal.any([closing, deadline.signal]) : deadline.signal
  try {
    await send(link, place, {}, signal)
    return true
  } catch {
    return false
  } finally {
    deadline.clear()
  }
}

function asUnavailable(error: unknown, url: string, unavailable: Failure): UpstreamError {
  if (error instanceof UpstreamError) return error
  return unavailable(`${placeOf(url)} can not be reached: ${reasonOf(error)}`, error)
}

/** What a 200 that says it is JSON holds. */
export function jsonFrom(
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

function reasonOf(error: unknown): string {
  const code = codeOf(error) || 'unknown failure'
  return code === 'EPROTO' ? 'EPROTO, it does not speak TLS as we do' : code
}
