// Every route of the app, in the order in which they are asked.
import { readFileSync } from 'node:fs'
import express from 'express'
import type { Express } from 'express'
import { forwardedHeaders } from '../service/forwarded.ts'
import { takeRequestIds } from '../service/request-ids.ts'
import { requestLog } from '../service/request-log.ts'
import { AUDIT_PATH } from './audit/page/audit-handlers.ts'
import { unlessOpen } from './authentication/gate/public-paths.ts'
import { canonicalHost } from './browser/canonical-host.ts'
import { refusePaths } from './browser/refuse-paths.ts'
import { securityHeaders } from './browser/security-headers.ts'
import { DEVICE_PATH } from './device/device-handlers.ts'
import { GRAPHQL_PATH } from './graphql/http/graphql-handler.ts'
import { LOGS_PATH } from './live-log/logs-json.ts'
import {
  BACK_CHANNEL_PATH,
  CALLBACK_PATH,
  FRONT_CHANNEL_PATH,
  LOST_PATH,
  SIGN_IN_PATH,
} from './login/paths.ts'
import type { Parts, TestAppOptions } from './parts.ts'
import { LOG_PATH } from './service-log/service-log.ts'

const FORM = express.urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 })
const STYLE = readFileSync(new URL('pages/style.css', import.meta.url), 'utf8')

export function mountWithoutSession(
  app: Express,
  { url, issuer }: TestAppOptions,
  {
    log,
    trusted,
    cookies,
    accessOf,
    gate,
    files,
    gateway,
    graphql,
    rememberVisitor,
    backChannelLogout,
    frontChannelLogout,
    serviceLog,
  }: Parts,
): void {
  const formTargets = [new URL(issuer).origin]
  app.use(forwardedHeaders({ trusted }), requestLog({ log, trusted }), takeRequestIds)
  app.use(securityHeaders({ formTargets, isSecure: cookies.isSecure, url }))
  app.use(refusePaths)
  app.use(rememberVisitor)
  app.all(GRAPHQL_PATH, graphql.judge)
  // Before all that answers, so that no route is for everybody because of where it stands.
  app.use(unlessOpen(accessOf, canonicalHost(url)), unlessOpen(accessOf, gate))
  app.get('/ping', (_req, res) => void res.type('text').send('pong'))
  app.get(
    '/style.css',
    (_req, res) => void res.type('css').set('Cache-Control', 'max-age=300').send(STYLE),
  )
  app.post(LOG_PATH, serviceLog.submit)
  app.post(BACK_CHANNEL_PATH, FORM, backChannelLogout)
  app.get(FRONT_CHANNEL_PATH, frontChannelLogout)
  app.use(canonicalHost(url))
  app.use(gateway)
  app.use(files.handler)
}

export function mountPages(app: Express, parts: Parts): void {
  app.use(parts.noteLanding)
  const { pages, signIn, callback, signOut, device, audit, graphql, liveLog, serviceLog } = parts
  app.get('/', (req, res) => pages.home(req, res, signOut.hasReturned(req, res)))
  app.get(SIGN_IN_PATH, signIn.start)
  app.get(CALLBACK_PATH, callback.callback)
  app.get(LOST_PATH, callback.lost)
  app.get(['/authenticated', '/authenticated/*path'], signIn.requireSignIn, pages.token)
  app.get('/api/me', pages.me)
  app.get('/who.json', pages.whoJson)
  app.get('/select-branch', pages.selectBranch)
  app.get('/logout', pages.signOut)
  app.post('/logout', FORM, signOut.submit)
  app.get(DEVICE_PATH, device.start)
  app.post(DEVICE_PATH, FORM, device.submit)
  app.get(`${DEVICE_PATH}/:run`, device.watch)
  app.post(GRAPHQL_PATH, ...graphql.answer)
  app.get(AUDIT_PATH, audit.page)
  app.get(`${AUDIT_PATH}.json`, audit.json)
  app.get(LOG_PATH, serviceLog.page)
  app.get(LOGS_PATH, liveLog.lines)
}
