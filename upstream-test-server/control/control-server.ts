// The control listener: JSON over HTTP on loopback, for tests. It changes how the test server behaves, so no page may reach it.
import type { RequestListener } from 'node:http'
import express from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { hostCheck } from '../../service/host-check.ts'
import type { Log } from '../../service/log.ts'
import type { Faults } from './faults.ts'
import type { Journal } from './journal.ts'
import {
  CommandError,
  readEndpointFault,
  readJournalQuery,
  readTokenFault,
} from './read-command.ts'

export interface ControlServerOptions {
  /** Of the control listener. */
  url: string
  faults: Faults
  journal: Journal
  log: Log
}

// A browser names itself by Origin on whatever a page could send here; programs do not send it.
const refuseBrowsers: RequestHandler = (req, res, next) => {
  if (req.headers.origin === undefined) return next()
  res.status(403).json({ error: 'requests of web pages are refused' })
}

const answerError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  const isOurs = error instanceof CommandError
  const status = isOurs ? 400 : (error.status ?? 500)
  res.status(status).json({ error: isOurs ? error.message : 'this request can not be answered' })
}

export function createControlHandler(options: ControlServerOptions): RequestListener {
  const { url, faults, journal, log } = options
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(hostCheck({ url, trusted: () => false, log }), refuseBrowsers)
  app.use(express.json({ limit: '16kb' }))
  app.get('/faults', (_req, res) => void res.json(faults.armed()))
  app.post('/faults', (req, res) => {
    faults.armEndpoint(readEndpointFault(req.body))
    res.json(faults.armed())
  })
  app.post('/token-faults', (req, res) => {
    faults.armToken(readTokenFault(req.body))
    res.json(faults.armed())
  })
  app.get('/requests', async (req, res) => {
    const { filter, waitMilliseconds } = readJournalQuery(req.query)
    res.json({ requests: await journal.wait(filter, waitMilliseconds) })
  })
  app.post('/reset', (_req, res) => {
    faults.reset()
    journal.reset()
    res.json(faults.armed())
  })
  app.use((_req, res) => void res.status(404).json({ error: 'there is no such command' }))
  app.use(answerError)
  return app
}
