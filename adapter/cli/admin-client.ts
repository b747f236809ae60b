// How a command speaks to the running adapter: one JSON request to its admin API, with the token that both can read. What
// the commands ask is their own.
import { knownAdminToken, type AdminTokenOptions } from '../admin/admin-token.ts'
import { StorageError } from '../errors.ts'

export interface AdminReply {
  status: number
  /** The JSON that came. */
  body: unknown
}

/** The running adapter could not be asked, or does not let us in. The message is one sentence for the terminal. */
export class AdminRequestError extends Error {
  override readonly name = 'AdminRequestError'
  readonly code: 'unreachable' | 'no_token' | 'refused' | 'unexpected_answer'
  constructor(code: AdminRequestError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const TIMEOUT_MS = 60_000
const ANY_HOST: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** `http://127.0.0.1:9010`, where the adapter with this configuration serves its admin API. */
export function adminUrl({ admin }: AdminTokenOptions['config']): string {
  const host = ANY_HOST[admin.host] ?? admin.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${admin.port}`
}

/**
 * @param route `POST /api/config/reload`; may have a query
 * @throws AdminRequestError unless the API itself answered; ConfigError, StorageError for a token that can not be used
 */
export async function adminRequest(
  options: AdminTokenOptions,
  route: string,
  body?: object,
): Promise<AdminReply> {
  const token = knownAdminToken(options)
  const url = adminUrl(options.config)
  if (token === undefined) throw new AdminRequestError('no_token', noToken(options, url))
  const [method = '', path = ''] = route.split(' ')
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw unreachable(url, cause)
  })
  return replyFrom(response, url)
}

/** Prints the sentence, as JSON with `isJson`, and gives the exit code. Throws on what is no such error. */
export function reportAdminError(error: unknown, isJson: boolean): 1 {
  if (!(error instanceof AdminRequestError || error instanceof StorageError)) throw error
  if (isJson)
    process.stdout.write(
      `${JSON.stringify({ error: error.code, error_description: error.message }, null, 2)}\n`,
    )
  else process.stderr.write(`${error.message}\n`)
  return 1
}

function noToken({ env, config }: AdminTokenOptions, url: string): string {
  return env['NODE_ENV'] === 'production'
    ? `Expected the token of the adapter at ${url}: set AUTH_ADAPTER_ADMIN_TOKEN to the one it was started with`
    : `Expected the token of the adapter at ${url}, found no admin.token in ${config.data}: start the adapter, or set AUTH_ADAPTER_ADMIN_TOKEN`
}

function unreachable(url: string, cause: unknown): AdminRequestError {
  const { name, cause: inner } = cause as Error & { cause?: { code?: unknown } }
  const why = name === 'TimeoutError' ? 'no answer' : String(inner?.code ?? name)
  return new AdminRequestError(
    'unreachable',
    `Cannot reach the adapter at ${url} (${why}): start it, or give the configuration file that it runs with`,
    { cause },
  )
}

async function replyFrom(response: Response, url: string): Promise<AdminReply> {
  const body: unknown = await response.json().catch(() => undefined)
  const { error, error_description: description } = (body ?? {}) as Record<string, unknown>
  if (response.status === 401)
    throw new AdminRequestError(
      'refused',
      `The adapter at ${url} does not accept this token: set AUTH_ADAPTER_ADMIN_TOKEN, or use the data folder, that it was started with`,
    )
  if (error === 'api_off')
    throw new AdminRequestError('refused', `The adapter at ${url} answers: ${String(description)}`)
  if (typeof body !== 'object' || body === null)
    throw new AdminRequestError(
      'unexpected_answer',
      `Expected JSON from the adapter at ${url}, found something else with status ${response.status}: is it an adapter's admin listener?`,
    )
  return { status: response.status, body }
}
