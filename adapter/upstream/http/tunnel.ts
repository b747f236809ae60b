// The way to an upstream through a proxy: a tunnel opened with CONNECT, and TLS with the upstream inside it, so that the proxy
// reads nothing. Our own, because a tunnel of Node's agent outlives the call that waits for it.
import { Agent as HttpsAgent } from 'node:https'
import type { AgentOptions } from 'node:https'
import { request } from 'node:http'
import type { RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

export interface TunnelOptions {
  /** `http://[user:password@]host:port` */
  proxy: string
  /** For the proxy's answer. */
  timeoutMs: number
  failure: (message: string) => Error
}

/** An agent whose connections go through the proxy. Its failures name the proxy's host, never its credentials. */
export function tunnelAgent(options: AgentOptions, tunnel: TunnelOptions): HttpsAgent {
  const agent = new HttpsAgent(options)
  return Object.assign(agent, {
    createConnection(target: ConnectionOptions, done: Done) {
      openTunnel(tunnel, `${target.host}:${target.port}`, (error, socket) =>
        socket
          ? done(null, connectTls({ ALPNProtocols: ['http/1.1'], ...target, socket }))
          : done(error),
      )
    },
  })
}

type Done = (error: Error | null, socket?: Socket) => void

function openTunnel(
  { proxy, timeoutMs, failure }: TunnelOptions,
  target: string,
  done: Done,
): void {
  const { host } = new URL(proxy)
  const opening = request(openingOf(proxy, target, timeoutMs))
  let isOver = false
  const end = (fault: string | undefined, socket?: Socket) => {
    if (isOver) return
    isOver = true
    if (fault === undefined) return done(null, socket?.setTimeout(0))
    opening.destroy()
    socket?.destroy()
    done(failure(`the proxy ${host} ${fault}`))
  }
  opening.once('connect', ({ statusCode = 0 }, socket: Socket) =>
    end(faultOf(statusCode, target), socket),
  )
  opening.once('response', ({ statusCode }) => end(`answered CONNECT with ${statusCode}`))
  opening.once('timeout', () => end(`gave no answer within ${timeoutMs} ms`))
  opening.on('error', ({ code = 'unknown failure' }: NodeJS.ErrnoException) =>
    end(`can not be reached: ${code}`),
  )
  opening.end()
}

function openingOf(proxy: string, target: string, timeoutMs: number): RequestOptions {
  const { hostname, port, username, password } = new URL(proxy)
  const pair = [username, password].map(decodeURIComponent).join(':')
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  return {
    // RFC 9110 §9.3.6: https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.6
    method: 'CONNECT',
    host: hostname.replaceAll(/[[\]]/g, ''),
    port: Number(port || 80),
    path: target,
    headers: { host: target, ...(username ? { 'proxy-authorization': authorization } : {}) },
    agent: false,
    timeout: timeoutMs,
  }
}

function faultOf(status: number, target: string): string | undefined {
  if (status === 407) return 'does not accept our credentials, or wants some: 407'
  return status === 200 ? undefined : `opens no way to ${target}: it answered ${status}`
}
