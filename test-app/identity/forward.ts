// One request to the identity service and its answer: with a deadline, a size limit, the ids of the request that it is made for, and
// one log line. What is in it, nobody here looks at, and no line shows.
import type { Log } from '../../service/log.ts'
import { outgoingIds } from '../../service/request-ids.ts'
import { IdentityServiceError } from './identity-service.ts'

export const ROUTE_ID = 'identity-auth'
const TIMEOUT_MS = 5000
const MAX_ANSWER_BYTES = 128 * 1024

export interface IdentityRequest {
  readonly method: 'GET' | 'POST'
  /** One of identity-paths.ts. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer | undefined
  /** Network address of whom it is made for; the lock-out goes by it. */
  readonly address?: string | undefined
}

export interface IdentityAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Rejects with IdentityServiceError `GATEWAY_TIMEOUT` or `IDENTITY_UNAVAILABLE`. */
export type Forward = (request: IdentityRequest) => Promise<IdentityAnswer>

export interface ForwardOptions {
  /** Origin of the identity service. */
  readonly identityUrl: string
  readonly log: Log
  readonly timeoutMs?: number | undefined
}

export function createForward(options: ForwardOptions): Forward {
  return async (request) => {
    const startedMs = performance.now()
    const note = (fields: { status: number; code?: string; cause?: string }) =>
      options.log.info('gateway.forwarded', {
        route_id: ROUTE_ID,
        method: request.method,
        path: request.path,
        ...fields,
        ms: Math.round((performance.now() - startedMs) * 10) / 10,
      })
    try {
      const answer = await ask(options, request)
      note({ status: answer.status })
      return answer
    } catch (error) {
      const known = unavailable(error)
      note({ status: known.status, code: known.code, cause: causeOf(error) })
      throw known
    }
  }
}

async function ask(
  { identityUrl, timeoutMs = TIMEOUT_MS }: ForwardOptions,
  { method, path, headers, body, address }: IdentityRequest,
): Promise<IdentityAnswer> {
  const response = await fetch(new URL(path, identityUrl), {
    method,
    headers: {
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...headers,
      ...outgoingIds(),
      ...(address === undefined ? {} : { 'x-forwarded-for': address }),
    },
    ...(body === undefined ? {} : { body }),
    // It has nowhere to send anybody; a password must not follow.
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  })
  return { status: response.status, headers: response.headers, text: await textOf(response) }
}

async function textOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body ?? []) {
    length += part.length
    if (length > MAX_ANSWER_BYTES) throw new Error('too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

const isTimeout = (error: unknown) => error instanceof Error && error.name === 'TimeoutError'

function unavailable(error: unknown): IdentityServiceError {
  return isTimeout(error)
    ? new IdentityServiceError('GATEWAY_TIMEOUT', 'The identity service did not answer in time.', {
        status: 504,
      })
    : new IdentityServiceError('IDENTITY_UNAVAILABLE', 'The identity service can not be reached.', {
        status: 502,
      })
}

/** A word such as ECONNREFUSED. */
function causeOf(error: unknown): string {
  const { cause, name } = Object(error) as { cause?: { code?: unknown }; name?: unknown }
  return String(cause?.code ?? name)
}
