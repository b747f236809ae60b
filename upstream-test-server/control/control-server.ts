// The control listener, on loopback: JSON for tests, a page for people. It changes how the test server behaves, so no page
// of anybody else may reach it.
import type { RequestListener } from 'node:http'
import express, { Router } from 'express'
import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import { hostCheck } from '../../service/host-check.ts'
import type { Log } from '../../service/log.ts'
import { securityHeaders } from '../../service/security-headers.ts'
import { IssuerKeyError } from '../issuers/issuers.ts'
import type { Issuers } from '../issuers/issuers.ts'
import { commands } from './commands/commands.ts'
import type { Command } from './commands/commands.ts'
import { issuerRoutes } from './issuer-routes.ts'
import { CommandError } from './commands/read-command.ts'
import { switchesRoutes } from './switches-routes.ts'

export interface ControlServerOptions {
  /** Of the control listener. */
  url: string
  issuers: Issuers
  log: Log
}

// A browser names itself by Origin on whatever a page could send here; programs do not send it. Our own page may.
const refuseBrowsers =
  (url: string): RequestHandler =>
  (req, res, next) => {
    const { origin } = req.headers
    if (origin === undefined || origin === new URL(url).origin) return next()
    res.status(403).json({ error: 'requests of web pages are refused' })
  }

// Without the referrer a browser would not say that a form is our own.
const keepOrigin: RequestHandler = (_req, res, next) => {
  res.set('Referrer-Policy', 'same-origin')
  next()
}

// What is not read as JSON would pass for an empty command.
const onlyJson: RequestHandler = (req, res, next) => {
  const isOther = req.is('application/json') === false && req.headers['content-length'] !== '0'
  if (!isOther) return next()
  res.status(415).json({ error: 'expected content-type: application/json' })
}

const answerError: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
  const isOurs = error instanceof CommandError || error instanceof IssuerKeyError
  const status = isOurs ? 400 : (error.status ?? 500)
  res.status(status).json({ error: isOurs ? error.message : 'this request can not be answered' })
}

type Method = 'get' | 'put' | 'post' | 'delete'

function issuerOf(issuers: Issuers, req: Request) {
  const key = req.params['key'] ?? ''
  const issuer = issuers.get(String(key))
  if (issuer) return issuer
  throw new CommandError(`there is no issuer "${String(key)}"`)
}

function routerFor(issuers: Issuers): Router {
  const router = Router({ mergeParams: true })
  const answer =
    (command: Command): RequestHandler =>
    async (req, res) => {
      const { body, query } = req as { body: unknown; query: Record<string, unknown> }
      const name = String(req.params['name'] ?? '')
      res.json(await command({ issuer: issuerOf(issuers, req), body, query, name }))
    }
  for (const [route, command] of Object.entries(commands)) {
    const [method = '', path = ''] = route.split(' ')
    router[method.toLowerCase() as Method](path, answer(command))
  }
  return router
}

export function createControlHandler({ url, issuers, log }: ControlServerOptions): RequestListener {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(securityHeaders({ https: false }), keepOrigin)
  app.use(hostCheck({ url, trusted: () => false, log }), refuseBrowsers(url))
  app.use(switchesRoutes(issuers))
  app.use(express.json({ limit: '256kb' }), onlyJson)
  app.get('/issuers', (_req, res) => {
    res.json({ issuers: issuers.list().map(({ key, issuer }) => ({ key, issuer })) })
  })
  app.use(issuerRoutes(issuers))
  // The commands without an issuer's key are those of the one at the root.
  app.use('/issuers/:key', routerFor(issuers))
  app.use(routerFor(issuers))
  app.use((_req, res) => void res.status(404).json({ error: 'there is no such command' }))
  app.use(answerError)
  return app
}
