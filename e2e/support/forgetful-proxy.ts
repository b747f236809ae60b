// A browser that does not keep cookies, whichever browser runs the tests: a forward proxy that takes them off the answers.
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ForgetfulProxy {
  /** For a browser context's `proxy.server`. */
  readonly url: string
  stop(): Promise<void>
}

/** Set-Cookie lines whose cookie is named in `isLost` never reach the browser. Plain http only. */
export async function startForgetfulProxy(
  isLost: (cookieName: string) => boolean,
): Promise<ForgetfulProxy> {
  const isKept = (line: string) => !isLost(line.slice(0, line.indexOf('=')))
  const answer = (from: IncomingMessage, to: ServerResponse) => {
    const headers = {
      ...from.headers,
      'set-cookie': (from.headers['set-cookie'] ?? []).filter(isKept),
    }
    to.writeHead(from.statusCode ?? 502, headers)
    from.pipe(to)
  }
  const server = createServer((from, to) => {
    const onward = send(
      from.url ?? '',
      { method: from.method, headers: from.headers },
      (answered) => answer(answered, to),
    )
    onward.on('error', () => to.destroy())
    from.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
