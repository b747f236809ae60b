// The app as a request handler: parts, routes, and what happens when something fails.
import type { Server } from 'node:http'
import express from 'express'
import type { ErrorRequestHandler, Express, Request, Response } from 'express'
import type { Log } from '../service/log.ts'
import { assemble, close } from './parts.ts'
import type { TestAppOptions } from './parts.ts'
import { mountPages, mountWithoutSession } from './routes.ts'
import { SessionStoreError } from './session/session-middleware.ts'

export interface TestApp {
  readonly handler: Express
  /** Serves sockets on this server's port; returns how to stop, which ends them: they would hold up the end of the server. */
  attach(server: Server): () => void
  close(): Promise<void>
}

/** Opens the session store and builds the app; the adapter need not be there yet. @throws {SessionFileError} */
export function createTestApp(options: TestAppOptions): TestApp {
  const parts = assemble(options)
  const app = express()
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple')
  // What is written otherwise is another path, here as in the list of public ones.
  app.enable('case sensitive routing').enable('strict routing')
  mountWithoutSession(app, options, parts)
  mountPages(app, parts)
  app.use(parts.pages.notFound)
  app.use(errorHandler(options.log, parts.pages.failure))
  return { handler: app, attach: parts.liveLog.sockets.attach, close: () => close(parts) }
}

type ShowFailure = (req: Request, res: Response, error: unknown) => Promise<void>

function errorHandler(log: Log, show: ShowFailure): ErrorRequestHandler {
  return async (error: unknown, req, res, _next) => {
    const event = error instanceof SessionStoreError ? 'session_store.failed' : 'request.failed'
    log.error(event, { error, method: req.method, path: req.path })
    // express-session reports a failed touch when the answer is on its way.
    if (res.headersSent) return
    // Else it would try to save what it could not, and send the cookie of a session that does not exist.
    if (error instanceof SessionStoreError) Reflect.deleteProperty(req, 'session')
    await show(req, res, error)
  }
}
