// Opens a port with hard limits and closes it without cutting off what runs. Certificates are read again when they change.
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Log } from './log.ts'
import { readTlsFiles, TLS_OPTIONS, watchTlsFiles, type TlsFiles } from './tls-files.ts'

const HARD_LIMITS = {
  /** The request line counts too. Beyond it Node answers 431. */
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Longer than the 60 s of usual load balancers, so that it is they who close an idle connection. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
} as const

const MAX_CONNECTIONS = 10_000
const GRACE_MS = 20_000
const IDLE_CHECK_MS = 50

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** PEM files; with them the port speaks https. */
  readonly tls?: TlsFiles | undefined
  readonly log?: Log
  /** The setting that moves the port, named when it is taken: `ADAPTER_PORT`. */
  readonly portSetting: string
  /** How long `close` waits for running requests. */
  readonly graceMs?: number
  readonly tlsCheckMs?: number
}

export interface Listening {
  /** `http://127.0.0.1:9000`, with the port that was taken. */
  readonly url: string
  readonly port: number
  readonly server: Server
  /** From now on each answer ends its connection, so that the next request of a client goes to who serves longer. */
  drain(): void
  /** Accepts nothing more, closes idle connections at once, waits for running requests, at most `graceMs`. */
  close(): Promise<void>
}

/** The port can not be opened; the message says what to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code = 'listen_failed'
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is already in use',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not an address of this machine',
}

function listenError(
  cause: NodeJS.ErrnoException,
  { host, port, portSetting }: ListenOptions,
): ListenError {
  const reason = REASONS[cause.code ?? ''] ?? `can not be opened (${cause.code})`
  return new ListenError(`Port ${port} on ${host} ${reason}. Choose another with ${portSetting}.`, {
    cause,
  })
}

async function createServer(handler: RequestListener, tls: TlsFiles | undefined): Promise<Server> {
  if (!tls) return createHttpServer(HARD_LIMITS, handler)
  return createHttpsServer(
    { ...HARD_LIMITS, ...TLS_OPTIONS, ...(await readTlsFiles(tls)) },
    handler,
  )
}

function opened(server: Server, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

const ANY_HOST: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }
const urlHost = (host: string) => ANY_HOST[host] ?? (host.includes(':') ? `[${host}]` : host)

function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** A client that keeps its connection could send the next request in the very moment in which we close it. */
function drainable(server: Server): () => void {
  const pending = new Set<ServerResponse>()
  let isDraining = false
  // Before the handler, which may answer at once.
  server.prependListener('request', (_request, response: ServerResponse) => {
    response.shouldKeepAlive &&= !isDraining
    pending.add(response)
    response.once('close', () => pending.delete(response))
  })
  return () => {
    isDraining = true
    for (const response of pending) response.shouldKeepAlive = false
  }
}

/** Node reads away what a handler left alone, but not what it stopped reading: the next request would wait behind the rest. */
function skipUnread(server: Server): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => void (request.complete || request.resume()))
  })
}

async function closeServer(server: Server, sockets: Set<Socket>, graceMs: number): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  // A connection whose response ends during the close would stay open until its keep-alive time is over.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  // Upgraded sockets are not known to closeAllConnections.
  const force = setTimeout(() => sockets.forEach((socket) => socket.destroy()), graceMs)
  server.closeIdleConnections()
  await closed
  clearInterval(idle)
  clearTimeout(force)
}

/**
 * Serves `handler` on a port: http, or https with `tls`.
 * @throws {ListenError} if the port can not be opened, {@link TlsFilesError} if certificate or key can not be used
 */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listening> {
  const { host, tls, log, graceMs = GRACE_MS } = options
  const server = await createServer(handler, tls)
  server.maxConnections = MAX_CONNECTIONS
  const sockets = trackSockets(server)
  const drain = drainable(server)
  skipUnread(server)
  await opened(server, options).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error, options)
  })
  server.on('error', (error) => log?.error('server.failed', { error }))
  const stopWatching = tls ? watchTlsFiles(server, tls, log, options.tlsCheckMs) : () => {}
  const { port } = server.address() as AddressInfo
  let closing: Promise<void> | undefined
  return {
    url: `${tls ? 'https' : 'http'}://${urlHost(host)}:${port}`,
    port,
    server,
    drain,
    close() {
      stopWatching()
      drain()
      return (closing ??= closeServer(server, sockets, graceMs))
    },
  }
}
