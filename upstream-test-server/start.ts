// Listens first and builds the server then: with port 0 the issuer is not known before.
import type { RequestListener } from 'node:http'
import { listen } from '../service/listen.ts'
import type { Listening, ListenOptions } from '../service/listen.ts'
import type { Log } from '../service/log.ts'
import { createControlHandler } from './control/control-server.ts'
import { createUpstreamTestServer } from './server.ts'
import type { UpstreamTestServer, UpstreamTestServerOptions } from './server.ts'
import type { Issuers } from './issuers/issuers.ts'
import type { Users } from './people/users.ts'

export interface StartOptions extends Omit<UpstreamTestServerOptions, 'issuer'> {
  /** Default: the address that was taken. */
  issuer?: string | undefined
  host?: string
  /** 0, the default, takes a free one. */
  port?: number
  tls?: ListenOptions['tls']
  /** Opens the control listener on loopback; 0 takes a free port. Without it nothing can be switched. */
  controlPort?: number | undefined
}

export interface RunningUpstreamTestServer {
  issuer: string
  url: string
  port: number
  controlUrl: string | undefined
  users: Users
  issuers: Issuers
  /** Finishes running requests, then closes the database. */
  close(): Promise<void>
}

const notReady: RequestListener = (_req, res) =>
  void res.writeHead(503, { 'retry-after': '1' }).end()

async function listenForControl(
  { issuers }: UpstreamTestServer,
  port: number | undefined,
  log: Log,
): Promise<Listening | undefined> {
  if (port === undefined) return undefined
  let handler = notReady
  const options = { host: '127.0.0.1', port, log, portSetting: 'UPSTREAM_CONTROL_PORT' }
  const listening = await listen((req, res) => handler(req, res), options)
  handler = createControlHandler({ url: listening.url, issuers, log })
  return listening
}

/** Rejects with `ListenError` for a taken port, and where the database can not be used. */
export async function startUpstreamTestServer(
  options: StartOptions,
): Promise<RunningUpstreamTestServer> {
  const { host = '127.0.0.1', port = 0, tls, log } = options
  let handler = notReady
  const listening = await listen((req, res) => handler(req, res), {
    host,
    port,
    tls,
    log,
    portSetting: 'UPSTREAM_PORT',
  })
  const issuer = options.issuer ?? listening.url
  const server = await createUpstreamTestServer({ ...options, issuer }).catch(
    async (error: unknown) => {
      await listening.close()
      throw error
    },
  )
  const control = await listenForControl(server, options.controlPort, log).catch(
    async (error: unknown) => {
      await listening.close()
      server.close()
      throw error
    },
  )
  handler = server.handler
  return {
    issuer,
    url: listening.url,
    port: listening.port,
    controlUrl: control?.url,
    users: server.users,
    issuers: server.issuers,
    async close() {
      await Promise.all([listening.close(), control?.close()])
      server.close()
    },
  }
}
