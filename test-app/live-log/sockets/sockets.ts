// The live log over Socket.IO. Who connects is asked for a sign-in as every request is, again and again while the socket is
// open, and the socket ends with the sign-in. Clients have nothing to say on it.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { Server as SocketServer } from 'socket.io'
import type { Socket } from 'socket.io'
import type { Log } from '../../../service/log.ts'
import { createRequestContext, runInContext } from '../../../service/request-context.ts'
import type { LoginEnds } from '../../authentication/login-ends.ts'
import type { Principal } from '../../authentication/principal.ts'
import { createEndedLogins } from './ended-logins.ts'
import type { LogRing } from '../log-ring.ts'
import type { LogView } from '../log-view.ts'
import { createHeldSocket } from './held-socket.ts'
import type { HeldSocket } from './held-socket.ts'
import { isFromOwnPage, onUpgrade, refuse, SOCKET_PATH } from './socket-upgrade.ts'
import type { Refusal, Upgrade } from './socket-upgrade.ts'

export interface SocketsOptions {
  /** Public origin of this app. */
  readonly url: string
  readonly ring: LogRing
  readonly view: LogView
  readonly loginEnds: Pick<LoginEnds, 'onEnd'>
  /** Who makes the request that became a socket, as of now. */
  readonly authenticate: (req: IncomingMessage) => Promise<Principal | undefined>
  readonly log: Log
  readonly now: () => number
  readonly checkEveryMs?: number | undefined
}

export interface Sockets {
  /** Serves sockets on the ports of this server; returns how to stop, which ends them. */
  attach(server: Server): () => void
  close(): Promise<void>
}

const CHECK_EVERY_MS = 30_000
const GATHER_MS = 150
const MOST_SOCKETS = 500
const MOST_OF_ONE_LOGIN = 20
const CONNECT_TIMEOUT_MS = 5_000
const MOST_BYTES_OF_CLIENT = 4 * 1024

export function createSockets(options: SocketsOptions): Sockets {
  const { url, ring, log } = options
  const held = new Map<Socket, HeldSocket>()
  const io = createSocketServer()
  const origin = new URL(url).origin
  const admission = { ...options, authenticate: exceptEnded(options) }
  let isClosing = false

  io.use(oncePerConnection())
  io.use(async (socket, next) => next(await refused(admission, held, socket)))
  io.on('connection', (socket) => held.get(socket)?.open())
  options.loginEnds.onEnd((loginKey) => {
    for (const one of held.values()) if (one.loginKey === loginKey) one.end('login_ended')
  })
  ring.onLine(gathered(() => held.forEach((one) => one.send())))

  function refusalOf({ req }: Upgrade): Refusal | undefined {
    if (isClosing) return 'closing'
    if (!isFromOwnPage(req, origin)) return 'cross_origin'
    return io.engine.clientsCount >= MOST_SOCKETS ? 'too_many' : undefined
  }

  return {
    attach(server) {
      const stop = onUpgrade(server, (upgrade) => {
        const refusal = refusalOf(upgrade)
        if (refusal === undefined)
          return void io.engine.handleUpgrade(upgrade.req, upgrade.socket, upgrade.head)
        log.info('socket.refused', { refusal, origin: upgrade.req.headers.origin })
        refuse(upgrade.socket, refusal)
      })
      return () => {
        stop()
        held.forEach((one) => one.drop())
      }
    },
    async close() {
      isClosing = true
      await io.close()
    },
  }
}

/** Given its sockets by hand: on a port of its own it would answer requests before anything else here sees them. */
function createSocketServer(): SocketServer {
  const io = new SocketServer({
    path: SOCKET_PATH,
    transports: ['websocket'],
    serveClient: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxHttpBufferSize: MOST_BYTES_OF_CLIENT,
  })
  return io.attach(createServer())
}

function exceptEnded({ authenticate, loginEnds }: SocketsOptions): typeof authenticate {
  const over = createEndedLogins(loginEnds)
  return async (req) => {
    const principal = await authenticate(req)
    return principal && !over.has(principal.loginKey) ? principal : undefined
  }
}

/** Else two bytes of a client would be enough to have the store asked for its sign-in, again and again. */
function oncePerConnection(): (socket: Socket, next: (error?: Error) => void) => void {
  const asked = new WeakSet<object>()
  return ({ conn }, next) => {
    if (!asked.has(conn)) return next(void asked.add(conn))
    conn.close()
    next(new Error('again'))
  }
}

/** Holds it, or says why not. */
async function refused(
  { authenticate, view, log, now, checkEveryMs = CHECK_EVERY_MS }: SocketsOptions,
  held: Map<Socket, HeldSocket>,
  socket: Socket,
): Promise<Error | undefined> {
  const context = createRequestContext({ request_id: randomBytes(12).toString('base64url') })
  const ask = () =>
    runInContext(context, () =>
      authenticate(socket.request).catch((error: unknown) => {
        log.error('socket.unchecked', { error })
        return 'unavailable' as const
      }),
    )
  const principal = await ask()
  // Held now, it would be held for ever.
  if (socket.conn.readyState !== 'open') return new Error('gone')
  if (principal === 'unavailable') return new Error(principal)
  if (!principal) {
    runInContext(context, () => log.info('socket.refused', { refusal: 'unauthorized' }))
    return new Error('unauthorized')
  }
  const theirs = [...held.values()].filter(({ loginKey }) => loginKey === principal.loginKey)
  if (theirs.length >= MOST_OF_ONE_LOGIN) return new Error('too_many')
  held.set(socket, createHeldSocket({ socket, principal, ask, view, log, now, checkEveryMs }))
  socket.conn.once('close', () => held.delete(socket))
  return undefined
}

/** Calls once for all that happens within a moment. */
function gathered(work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined
      work()
    }, GATHER_MS).unref()
  }
}
