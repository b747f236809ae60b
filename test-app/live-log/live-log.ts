// The live log, put together: what is kept, /logs.json and the sockets.
import type { RequestHandler } from 'express'
import { createLogRing } from './log-ring.ts'
import type { LogRing } from './log-ring.ts'
import { createLogView } from './log-view.ts'
import { createLogsJson } from './logs-json.ts'
import { createSocketSignIn } from './sockets/socket-sign-in.ts'
import type { SocketSignInOptions } from './sockets/socket-sign-in.ts'
import { createSockets } from './sockets/sockets.ts'
import type { Sockets, SocketsOptions } from './sockets/sockets.ts'

export interface LiveLogOptions
  extends SocketSignInOptions, Omit<SocketsOptions, 'ring' | 'view' | 'checkEveryMs'> {
  /** Gets the lines of the log; without it there are none. */
  readonly logRing?: LogRing | undefined
  readonly socketCheckMs?: number | undefined
}

export interface LiveLog {
  readonly sockets: Sockets
  /** GET /logs.json, for somebody who is signed in. */
  readonly lines: RequestHandler
}

export function createLiveLog(options: LiveLogOptions): LiveLog {
  const { logRing: ring = createLogRing(), socketCheckMs: checkEveryMs } = options
  const view = createLogView(ring)
  const authenticate = createSocketSignIn(options)
  return {
    sockets: createSockets({ ...options, authenticate, ring, view, checkEveryMs }),
    lines: createLogsJson(view),
  }
}
