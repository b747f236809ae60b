// A real server and plain requests for the tests of this folder: any header, any request target.
import { once } from 'node:events'
import {
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from 'node:http'
import { text } from 'node:stream/consumers'
import { listen, type Listening, type ListenOptions } from './listen.ts'

export const serve = (
  handler: RequestListener,
  options: Partial<ListenOptions> = {},
): Promise<Listening> =>
  listen(handler, { host: '127.0.0.1', port: 0, portSetting: 'TEST_PORT', ...options })

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export async function ask(
  server: Pick<Listening, 'port'>,
  path = '/',
  options: RequestOptions = {},
): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port: server.port, path, agent: false, ...options })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const { statusCode: status = 0, headers } = response
  return { status, headers, text: await text(response) }
}

/** Runs `work` against the handler on a port of its own. */
export async function withServer<T>(
  handler: RequestListener,
  work: (server: Listening) => Promise<T>,
): Promise<T> {
  const server = await serve(handler, { graceMs: 0 })
  try {
    return await work(server)
  } finally {
    await server.close()
  }
}
