// A real server and plain requests for the tests of this folder: any header, any request target.
import { request, type IncomingHttpHeaders, type RequestListener, type RequestOptions } from 'node:http'
import { text } from 'node:stream/consumers'
import { listen, type Listening, type ListenOptions } from './listen.ts'

export const serve = (handler: RequestListener, options: Partial<ListenOptions> = {}): Promise<Listening> =>
  listen(handler, { host: '127.0.0.1', port: 0, portSetting: 'TEST_PORT', ...options })

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export function ask(server: Listening, path = '/', options: RequestOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const sent = request({ host: '127.0.0.1', port: server.port, path, agent: false, ...options }, async (response) => {
    resolve({ status: response.statusCode ?? 0, headers: response.headers, text: await text(response) })
  })
  sent.once('error', reject)
  sent.end()
  return promise
}

/** Runs `work` against the handler on a port of its own. */
export async function withServer<T>(handler: RequestListener, work: (server: Listening) => Promise<T>): Promise<T> {
  const server = await serve(handler, { graceMs: 0 })
  try {
    return await work(server)
  } finally {
    await server.close()
  }
}
