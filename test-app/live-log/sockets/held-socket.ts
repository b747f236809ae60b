// One open socket: whose it is, what it has been sent, and when it is asked for its sign-in again.
import type { Socket } from 'socket.io'
import type { Log } from '../../../service/log.ts'
import type { Principal } from '../../authentication/principal.ts'
import { isPlace, viewerOf } from '../log-view.ts'
import type { Viewer } from '../log-ring.ts'
import type { LogView } from '../log-view.ts'

export interface HeldSocketOptions {
  readonly socket: Socket
  readonly principal: Principal
  /** Asks for the sign-in anew. */
  readonly ask: () => Promise<Principal | undefined | 'unavailable'>
  readonly view: LogView
  readonly log: Log
  readonly now: () => number
  readonly checkEveryMs: number
}

export type End = 'login_ended' | 'unauthorized' | 'unavailable' | 'talks'

export interface HeldSocket {
  readonly loginKey: string
  /** To be called when it is connected; one that was ended before ends now. */
  open(): void
  /** Sends what is new. One that does not keep up gets it later, or what is left of it then. */
  send(): void
  /** Closes it; the client is told that it was us. */
  end(reason: End): void
  /** Closes its connection: to the client the line broke, and it tries again. */
  drop(): void
}

/** Time to come to a check that is due: a token that is just over must be so for everybody. */
const SLACK_MS = 50

export function createHeldSocket(options: HeldSocketOptions): HeldSocket {
  const { socket, principal, ask, view, log, now, checkEveryMs } = options
  const { subject: sub, via, loginKey } = principal
  let { expiresAt } = principal
  let viewer = viewerOf(principal)
  const sendNew = createSender(socket, view)
  let timer: NodeJS.Timeout | undefined
  let ended: End | undefined

  const send = (): void => sendNew(viewer)
  function end(reason: End): void {
    ended ??= reason
    socket.disconnect(true)
  }

  function checkLater(): void {
    const untilExpiry = Math.max(0, expiresAt - now()) + SLACK_MS
    timer = setTimeout(() => void check(), Math.min(checkEveryMs, untilExpiry)).unref()
  }

  async function check(): Promise<void> {
    const found = await ask()
    if (found === 'unavailable') return end('unavailable')
    if (found?.loginKey !== loginKey || found.subject !== sub) return end('unauthorized')
    expiresAt = found.expiresAt
    viewer = viewerOf(found)
    if (socket.connected) checkLater()
  }

  function open(): void {
    if (ended !== undefined) return end(ended)
    log.info('socket.opened', { sub, via })
    socket.onAny(() => end('talks'))
    socket.once('disconnect', (reason) => {
      clearTimeout(timer)
      log.info('socket.closed', { sub, reason: ended ?? reason })
      // A client may leave and keep its connection, which nobody would ask for a sign-in any more.
      socket.conn.close()
    })
    checkLater()
    send()
  }

  return { loginKey, open, send, end, drop: () => void socket.conn.close() }
}

function createSender(socket: Socket, view: LogView): (viewer: Viewer) => void {
  let place = placeOf(socket)
  return (viewer) => {
    if (!socket.connected || !socket.conn.transport.writable) return
    const part = view.part(viewer, place)
    place = part.next
    if (part.lines.length > 0) socket.emit('lines', part)
  }
}

function placeOf({ handshake }: Socket): string | undefined {
  const { since } = handshake.auth
  return typeof since === 'string' && isPlace(since) ? since : undefined
}
