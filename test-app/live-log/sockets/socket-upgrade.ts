// Which requests may become a socket: asked on the one path, by this app's own pages or by a program that brings a token.
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

export const SOCKET_PATH = '/socket.io/'

export interface Upgrade {
  readonly req: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

const REFUSALS = {
  not_found: '404 Not Found',
  cross_origin: '403 Forbidden',
  too_many: '503 Service Unavailable',
  closing: '503 Service Unavailable',
} as const

export type Refusal = keyof typeof REFUSALS

export const isForSockets = ({ url = '' }: IncomingMessage): boolean =>
  url.split('?', 1)[0] === SOCKET_PATH

/**
 * Browsers send cookies with every WebSocket, whoever's page opens it, and ask nobody before
 * (https://datatracker.ietf.org/doc/html/rfc6455#section-10.2). What says no origin has to bring a token of its own.
 */
export function isFromOwnPage({ headers }: IncomingMessage, origin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  return headers.origin === undefined
    ? headers.authorization !== undefined
    : headers.origin === origin
}

export function refuse(socket: Duplex, refusal: Refusal): void {
  // Else it stays for as long as the other side likes.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${REFUSALS[refusal]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Hands upgrades on the path of sockets over; any other stays a request, as if there were no sockets. Returns how to stop. */
export function onUpgrade(server: Server, take: (upgrade: Upgrade) => void): () => void {
  const listener = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // One that breaks before it is a WebSocket has nobody else who listens.
    socket.on('error', () => socket.destroy())
    if (isForSockets(req)) take({ req, socket, head })
    else refuse(socket, 'not_found')
  }
  Object.assign(server, { shouldUpgradeCallback: isForSockets })
  server.on('upgrade', listener)
  return () => void server.off('upgrade', listener)
}
